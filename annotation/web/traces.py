"""The list of traces: filters in the address, pages by key."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.db.models import Exists, OuterRef, Prefetch, QuerySet
from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from annotation.web import blindness
from core.access import Verb, require
from core.figures import plain
from core.models import Project
from core.web import HtmxRequest, project_of
from registry.models import Prompt
from routing.models import Decision, Trace
from routing.models.decision import Action, Tier
from routing.models.trace import Stage

PAGE: Final = 50
# Of a decision; who is blind may not even ask for them.
JUDGED: Final = ("tier", "action")


@require_GET
@login_required
def trace_list(request: HtmxRequest, slug: str) -> HttpResponse:
    """Newest first. Tier and action only for who may see decisions, and not of own work to come."""
    project = project_of(request, slug)
    require(request.user, Verb.SEE_TRACES, project=project)
    decides = Verb.SEE_DECISIONS in request.user.verbs_in(project)
    wanted = _wanted(request.GET, decides)
    found = _filtered(project, wanted)
    if any(wanted.get(name) for name in JUDGED):
        found = blindness.without_hidden(found, project=project, reader=request.user)
    rows, newer, older = _page(found, request.GET)
    secret = blindness.hidden(rows, project=project, reader=request.user)
    here = reverse("trace_list", args=[slug])
    context = {
        "decides": decides,
        "wanted": wanted,
        "filtered": any(wanted.values()),
        "choices": _choices(project, decides),
        "rows": [_row(trace, trace.pk in secret) for trace in rows],
        "clear_url": here,
        "text": f"{plain(len(rows))} shown",
        "newer_url": _link(here, wanted, after=newer),
        "older_url": _link(here, wanted, before=older),
    }
    return render(request, "annotation/trace_list.html", context)


def _wanted(data: QueryDict, decides: bool) -> dict[str, str]:
    names = ("q", "prompt", "model", "stage", *(JUDGED if decides else ()))
    return {name: data.get(name, "").replace("\x00", "").strip()[:120] for name in names}


def _choices(project: Project, decides: bool) -> list[dict[str, Any]]:
    prompts = Prompt.objects.in_project(project).order_by("name").values_list("slug", "name")
    found: list[dict[str, Any]] = [
        {"name": "prompt", "label": "Prompt", "any": "Every prompt", "options": list(prompts)},
        {"name": "stage", "label": "Stage", "any": "Every stage", "options": Stage.choices},
    ]
    if decides:
        found += [
            {"name": "tier", "label": "Tier", "any": "Every tier", "options": Tier.choices},
            {"name": "action", "label": "Action", "any": "Every action", "options": Action.choices},
        ]
    return found


def _filtered(project: Project, wanted: dict[str, str]) -> QuerySet[Trace]:
    found = Trace.objects.in_project(project).select_related("prompt", "environment")
    for name, lookup in (
        ("q", "preview__icontains"), ("prompt", "prompt__slug"),
        ("model", "model__iexact"), ("stage", "stage"),
    ):  # fmt: skip
        if wanted[name]:
            found = found.filter(**{lookup: wanted[name]})
    judged = {name: wanted[name] for name in JUDGED if wanted.get(name)}
    if judged:
        found = found.filter(Exists(Decision.objects.filter(trace=OuterRef("pk"), **judged)))
    latest = Decision.objects.order_by("sequence")
    return found.prefetch_related(Prefetch("decisions", latest))


def _page(found: QuerySet[Trace], data: QueryDict) -> tuple[list[Trace], int | None, int | None]:
    """A page, and the keys from which the newer and the older one start."""
    before, after = _key(data.get("before", "")), _key(data.get("after", ""))
    if after:
        rows = list(found.filter(pk__gt=after).order_by("pk")[: PAGE + 1])
        rest, shown = len(rows) > PAGE, rows[:PAGE][::-1]
        return shown, shown[0].pk if shown and rest else None, shown[-1].pk if shown else after + 1
    rows = list((found.filter(pk__lt=before) if before else found).order_by("-pk")[: PAGE + 1])
    rest, shown = len(rows) > PAGE, rows[:PAGE]
    newer = (shown[0].pk if shown else before - 1) if before else None
    return shown, newer, shown[-1].pk if rest else None


def _key(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 19 else 0


def _link(here: str, wanted: dict[str, str], **key: int | None) -> str:
    if None in key.values():
        return ""
    return f"{here}?{urlencode({**{k: v for k, v in wanted.items() if v}, **key})}"


def _row(trace: Trace, secret: bool) -> dict[str, Any]:
    decided = list(trace.decisions.all())[-1:] if not secret else []
    return {
        "trace": trace,
        "title": trace.preview or trace.name or trace.trace_id,
        "decision": decided[0] if decided else None,
        "secret": secret,
    }
