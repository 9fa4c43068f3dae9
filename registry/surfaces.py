"""Which lever a repeated failure asks for: evidence weighed into findings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from celery import shared_task
from django.db.models import Count, Exists, F, Max, OuterRef, Sum, Value
from django.db.models.functions import Coalesce

from core import clock
from core.access import SYSTEM, Actor, Verb, require
from core.audit import record
from core.db import command, ring
from core.levers import Lever
from core.models import Project
from registry.findings import LIVED, OPEN, dismiss
from registry.models import Citation, Evidence, SurfaceFinding
from registry.optimize import run_task as optimize_task
from registry.verbs import RegistryVerb

__all__ = ["MINIMUM", "dismiss", "weigh", "weigh_due"]

MINIMUM = 3
"""Pieces of evidence from which on a failure counts as repeated."""

Key = tuple[int | None, str, str]
"""Prompt, mode, lever."""

Group = tuple[int | None, str, str, int | None, int, float]
"""Prompt, mode, cause, number of the version, rows, outputs they stand for."""


@dataclass(slots=True)
class Mass:
    """How much stands behind a (prompt, mode, lever): rows, and outputs they represent."""

    count: int = 0
    weight: float = 0.0


@command
def weigh(*, project: Project, minimum: int = MINIMUM, actor: Actor) -> list[SurfaceFinding]:
    """Bring the findings of `project` up to date with its evidence; returns the newly opened ones.

    Evidence about a version older than the live one that addressed its mode, or from before its
    finding was closed, says nothing new and is left out.
    """
    require(actor, Verb.EDIT_PROMPT, project=project)
    # The row stands for the findings: two at once would open the same one.
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    waiting = SurfaceFinding.objects.filter(project=project, state__in=OPEN)
    # By id before the update, which takes its rows in any order: no roll-back may be its victim.
    known = {
        (finding.prompt_id, finding.mode, finding.lever): finding
        for finding in waiting.select_for_update(of=("self",), no_key=True).order_by("pk")
    }
    masses = _masses(project)
    # Below the minimum too: evidence that was withdrawn must not go on counting.
    _refresh([(finding, masses.get(key, Mass())) for key, finding in known.items()])
    fresh = [
        (key, mass) for key, mass in masses.items() if key not in known and mass.count >= minimum
    ]
    opened = [_open(project, key, mass, actor) for key, mass in fresh]
    # Only what a better prompt can mend goes to the optimizer.
    if any(finding.lever == Lever.PROMPT and finding.prompt_id for finding in opened):
        ring(optimize_task)
    return opened


def _refresh(pairs: list[tuple[SurfaceFinding, Mass]]) -> None:
    for finding, mass in pairs:
        finding.evidence_count, finding.weight = mass.count, mass.weight
    rows = [finding for finding, _ in pairs]
    SurfaceFinding.objects.bulk_update(rows, ["evidence_count", "weight"], batch_size=500)


def _open(project: Project, key: Key, mass: Mass, actor: Actor) -> SurfaceFinding:
    prompt_id, mode, lever = key
    finding = SurfaceFinding.objects.create(
        project=project,
        prompt_id=prompt_id,
        mode=mode,
        lever=lever,
        evidence_count=mass.count,
        weight=mass.weight,
        opened_at=clock.now(),
    )
    after = {"mode": mode, "lever": lever, "evidence": mass.count}
    record(RegistryVerb.FINDING_OPENED, finding, actor=actor, project=project, after=after)
    return finding


def _masses(project: Project) -> dict[Key, Mass]:
    met = _met_by(project)
    masses: dict[Key, Mass] = defaultdict(Mass)
    for prompt_id, mode, cause, number, count, weight in _groups(project):
        cited = met.get((prompt_id, mode), 0) if prompt_id else 0
        if cause == Lever.PROMPT and number is not None and number < cited:
            continue
        mass = masses[prompt_id, mode, cause]
        mass.count += count
        mass.weight += weight
    return dict(masses)


def _groups(project: Project) -> Iterable[Group]:
    """Evidence that stands and that no closed finding has dealt with, summed per prompt, mode,
    cause, version."""
    closed = SurfaceFinding.objects.alias(for_prompt=Coalesce("prompt_id", Value(0))).filter(
        project=OuterRef("project"),
        for_prompt=Coalesce(OuterRef("prompt_id"), Value(0)),
        mode=OuterRef("mode"),
        lever=OuterRef("cause"),
        closed_at__gte=OuterRef("created_at"),
    )
    return (
        Evidence.objects.standing()
        .filter(~Exists(closed), project=project)
        .values_list("prompt_id", "mode", "cause", "prompt_version__number")
        .annotate(count=Count("pk"), weight=Sum(F("share") / F("probability")))
        .order_by("prompt_id", "mode", "cause")
    )


def _met_by(project: Project) -> dict[tuple[int, str], int]:
    """Per prompt and mode the number of the latest version that cites it and went live."""
    rows = (
        Citation.objects.filter(
            version__prompt__project=project, version__releases__state__in=LIVED
        )
        .values_list("version__prompt_id", "mode")
        .annotate(number=Max("version__number"))
    )
    return {(prompt_id, mode): number for prompt_id, mode, number in rows}


@shared_task(name="registry.surfaces.weigh_due")
def weigh_due(project_id: int | None = None) -> None:
    """The project that was rung for; without one, from the sweep, all that have evidence."""
    chosen = Project.objects.filter(Exists(Evidence.objects.filter(project=OuterRef("pk"))))
    if project_id is not None:
        chosen = chosen.filter(pk=project_id)
    for project in chosen.order_by("pk"):
        weigh(project=project, actor=SYSTEM)
