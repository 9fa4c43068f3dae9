"""Prompts: which there are, and the versions of each."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.db.models import Count, Max, OuterRef, Prefetch, QuerySet, Subquery
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from core.access import Verb, may
from core.web import HtmxRequest
from registry.comparison import BlockDiff, diff
from registry.findings import OPEN
from registry.models import GateRun, Prompt, PromptVersion, Release, SurfaceFinding
from registry.prompts import blocks_of, variables
from registry.web.rows import mode_labels, project_for, prompt_for

VERSIONS_SHOWN = 100


@require_GET
@login_required
def prompt_list(request: HtmxRequest, slug: str) -> HttpResponse:
    project = project_for(request, slug, Verb.READ_PROMPTS)
    serving = Release.objects.serving().select_related("version", "environment")
    found = SurfaceFinding.objects.filter(prompt=OuterRef("pk"), state__in=OPEN).order_by()
    counted = found.values("prompt").annotate(n=Count("pk")).values("n")
    prompts = (
        Prompt.objects.visible_to(request.user)
        .in_project(project)
        .annotate(
            latest=Max("versions__number"),
            changed_at=Max("versions__created_at"),
            open_findings=Subquery(counted),
        )
        .prefetch_related(
            Prefetch(
                "release_set",
                serving.order_by("environment__name", "-state"),
                to_attr="serving",
            )
        )
        .order_by("name")
    )
    return render(request, "registry/prompt_list.html", {"prompts": prompts})


@require_GET
@login_required
def prompt(request: HtmxRequest, slug: str, prompt: str) -> HttpResponse:
    found = prompt_for(request, slug, prompt, Verb.READ_PROMPTS)
    versions = list(_versions(found))
    latest = PromptVersion.objects.filter(prompt=found).order_by("-number").first()
    serving = Release.objects.serving().filter(prompt=found)
    context = {
        "prompt": found,
        "versions": versions,
        "latest": latest,
        "variables": sorted(variables(blocks_of(latest))) if latest else [],
        "serving": serving.select_related("environment", "version").order_by("environment__name"),
        **_findings(request, found),
    }
    return render(request, "registry/prompt.html", context)


def _versions(found: Prompt) -> QuerySet[PromptVersion]:
    releases = Release.objects.select_related("environment").order_by("-started_at")
    runs = GateRun.objects.order_by("-pk")
    return (
        PromptVersion.objects.filter(prompt=found)
        .defer("blocks")
        .select_related("created_by", "parent")
        .annotate(cited=Count("citations"))
        .prefetch_related(Prefetch("releases", releases))
        .prefetch_related(Prefetch("gate_runs", runs))
        .order_by("-number")[:VERSIONS_SHOWN]
    )


def _findings(request: HtmxRequest, found: Prompt) -> dict[str, object]:
    if not may(request.user, Verb.SEE_DECISIONS, project=found.project):
        return {}
    findings = SurfaceFinding.objects.visible_to(request.user).filter(prompt=found)
    labels = mode_labels(found.project)
    rows = [
        {"finding": each, "label": labels.get(each.mode, each.mode)}
        for each in findings.filter(state__in=OPEN).order_by("-weight", "pk")[:5]
    ]
    return {"findings": rows, "knows_findings": True}


@require_GET
@login_required
def compare(request: HtmxRequest, slug: str, prompt: str) -> HttpResponse:
    """Two versions beside each other; without numbers the latest and its parent."""
    found = prompt_for(request, slug, prompt, Verb.READ_PROMPTS)
    numbers = list(
        PromptVersion.objects.filter(prompt=found).order_by("-number").values_list("number", "note")
    )
    new = _pick(found, request.GET.get("new", ""), numbers[0][0])
    fallback = new.parent.number if new.parent else new.number
    old = _pick(found, request.GET.get("old", ""), fallback)
    context = {
        "prompt": found,
        "numbers": numbers,
        "old": old,
        "new": new,
        "blocks": [shown(block) for block in diff(old, new)],
        "differs": any(block.kind != "same" for block in diff(old, new)),
    }
    return render(request, "registry/compare.html", context)


def _pick(found: Prompt, wanted: str, fallback: int) -> PromptVersion:
    number = int(wanted) if wanted.isdecimal() and len(wanted) < 8 else fallback
    rows = PromptVersion.objects.select_related("parent", "created_by").filter(prompt=found)
    return get_object_or_404(rows, number=number)


KINDS = {"+": "added", "-": "removed", " ": "same"}


def shown(block: BlockDiff) -> dict[str, object]:
    """A block as `ui/diff.html` takes it. What is the same is folded to its title."""
    if block.kind == "same":
        return {"title": block.title, "note": "unchanged", "lines": []}
    old = new = 0
    lines: list[dict[str, object]] = []
    for sign, text in block.lines:
        old += sign != "+"
        new += sign != "-"
        numbers = {"old": None if sign == "+" else old, "new": None if sign == "-" else new}
        lines.append({"kind": KINDS[sign], "text": text, **numbers})
    return {
        "title": block.title,
        "note": "" if block.kind == "changed" else block.kind,
        "lines": lines,
    }
