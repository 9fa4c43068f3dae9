"""What Prometheus is told of this floor, computed by query at the scrape."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Count

from core.metrics import Sample
from registry.findings import OPEN
from registry.models import (
    GateRun,
    GoldenCase,
    Observation,
    OptimizationRun,
    Release,
    SurfaceFinding,
)


def samples() -> Iterator[Sample]:
    """The gauges of this floor; each query is bounded by what is served, open or waiting."""
    yield from _serving()
    yield from _findings()
    yield from _cases()
    waiting = "Waiting to be run by a worker."
    yield Sample("whetstone_gate_runs_due", waiting, {}, GateRun.objects.due().count())
    yield Sample("whetstone_optimizations_due", waiting, {}, OptimizationRun.objects.due().count())
    unseen = "Canary observations that do not fill a block yet."
    yield Sample("whetstone_observations_due", unseen, {}, Observation.objects.due().count())


def _serving() -> Iterator[Sample]:
    rows = Release.objects.serving().order_by("pk")
    for release in rows.select_related("prompt__project", "environment", "version"):
        labels = {
            "project": release.prompt.project.slug,
            "prompt": release.prompt.slug,
            "environment": release.environment.name,
            "state": release.state,
        }
        number = release.version.number
        yield Sample("whetstone_prompt_version", "The version that is served.", labels, number)


def _findings() -> Iterator[Sample]:
    counts = SurfaceFinding.objects.filter(state__in=OPEN).values_list("project__slug", "lever")
    for slug, lever, count in counts.annotate(n=Count("pk")).order_by("project__slug", "lever"):
        labels = {"project": slug, "lever": lever}
        yield Sample("whetstone_findings_open", "Repeated failures to act on.", labels, count)


def _cases() -> Iterator[Sample]:
    counts = GoldenCase.objects.filter(retired_at=None).values_list("prompt__project__slug")
    for slug, count in counts.annotate(n=Count("pk")).order_by("prompt__project__slug"):
        labels = {"project": slug}
        yield Sample("whetstone_golden_cases", "Cases that gates compare with.", labels, count)
