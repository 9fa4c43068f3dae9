"""One trace: what was asked and answered; and, for who may know, what was thought of it."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_GET

from annotation.models import Consensus, Label
from annotation.models.label import Verdict
from annotation.web import blindness
from annotation.web.glance import mode_names
from annotation.web.story import tell
from annotation.web.workbench import told
from core.access import Verb, require
from core.figures import percent, plain, span
from core.levers import Lever
from core.models import Project
from core.web import HtmxRequest, project_of
from routing.models import Decision, Item, Score, Trace
from routing.models.queue import Purpose


@require_GET
@login_required
def trace(request: HtmxRequest, slug: str, trace: int) -> HttpResponse:
    """The whole of it, or the blind half and the sentence that says why."""
    project = project_of(request, slug)
    require(request.user, Verb.SEE_TRACES, project=project)
    verbs = request.user.verbs_in(project)
    rows = Trace.objects.visible_to(request.user).in_project(project)
    related = ("prompt", "prompt_version", "environment", "release")
    found = get_object_or_404(rows.select_related(*related), pk=trace)
    open_ = blindness.reveals(found, project=project, reader=request.user)
    story = tell(found, blind=not open_, whole="all" in request.GET)
    context = {
        "trace": found,
        "task": {**told(story), "model": found.model,
                 "all_url": f"{request.path}?all=1" if story.left else ""},
        "title": str(found.prompt or found.name or "Trace"),
        "facts": _facts(found, open_),
        "prompt_url": _prompt_url(project, found) if Verb.READ_PROMPTS in verbs else "",
        "open": open_,
        "judges": Verb.REVIEW in verbs,
    }  # fmt: skip
    if open_:
        context |= _judged(project, found)
    return render(request, "annotation/trace.html", context)


def _prompt_url(project: Project, found: Trace) -> str:
    if found.prompt is None or found.prompt_version is None:
        return ""
    return reverse("version", args=[project.slug, found.prompt.slug, found.prompt_version.number])


def _facts(found: Trace, open_: bool) -> list[tuple[str, str]]:
    """What is known of the request. Tags and the arm of a canary could colour a blind eye."""
    tokens = [plain(found.tokens_in), plain(found.tokens_out)]
    known = [
        ("Environment", found.environment.name),
        ("Name", found.name),
        ("Task", found.task),
        ("Model", found.model),
        ("Status", "" if found.status == "ok" else found.status),
        ("Latency", span(found.latency_ms / 1000) if found.latency_ms is not None else ""),
        ("Tokens", f"{tokens[0]} in, {tokens[1]} out" if found.tokens_in is not None else ""),
        ("Cost", f"$ {found.cost_usd:.5f}" if found.cost_usd is not None else ""),
        ("Language", found.language),
        ("Session", found.session),
        ("User", found.user),
        ("Stage", found.get_stage_display()),
    ]
    if open_:
        known += [("Tags", ", ".join(found.tags)), ("Canary arm", found.arm)]
    return [(name, value) for name, value in known if value]


def _judged(project: Project, found: Trace) -> dict[str, Any]:
    names = mode_names(project)
    return {
        "decision": _decision(found),
        "item": Item.objects.filter(trace=found).order_by("-pk").first(),
        "scores": [
            {"row": score, "words": score.evaluator.replace("_", " ").replace(":", ": ")}
            for score in Score.objects.filter(trace=found).order_by("evaluator", "version")
        ],
        "labels": [_label(label, names) for label in _labels(found)],
        "consensus": _consensus(found, names),
    }


def _decision(found: Trace) -> dict[str, Any] | None:
    row = (
        Decision.objects.filter(trace=found).select_related("policy", "auto_approval")
        .order_by("-sequence").first()
    )  # fmt: skip
    if row is None:
        return None
    return {
        "row": row,
        "factors": [
            {**factor, "words": str(factor.get("name", "")).replace("_", " ")}
            for factor in sorted(row.factors, key=lambda each: -(each.get("contribution") or 0))
        ],
        "chance": percent(row.probability),
    }


def _labels(found: Trace) -> list[Label]:
    given = Label.objects.filter(trace=found).exclude(purpose=Purpose.CALIBRATION)
    return list(
        given.current().select_related("annotator").prefetch_related("findings").order_by("pk")
    )


def _label(label: Label, names: dict[str, str]) -> dict[str, Any]:
    return {
        "row": label,
        "verdict": Verdict(label.verdict).label,
        "findings": [
            {"mode": names.get(each.mode, each.mode), "severity": each.severity,
             "cause": Lever(each.cause).label.partition(":")[0],
             "quotes": [str(mark.get("text", ""))[:200] for mark in each.spans]}
            for each in label.findings.all()
        ],
    }  # fmt: skip


def _consensus(found: Trace, names: dict[str, str]) -> dict[str, Any] | None:
    row = Consensus.objects.filter(trace=found).current().prefetch_related("findings").first()
    if row is None:
        return None
    return {
        "row": row,
        "share": f"{percent(row.share, 0)} of {row.votes} say defective" if row.votes else "",
        "findings": [
            {"mode": names.get(each.mode, each.mode), "severity": each.severity,
             "cause": Lever(each.cause).label.partition(":")[0], "share": percent(each.share, 0),
             "votes": each.votes}
            for each in row.findings.all()
        ],
    }  # fmt: skip
