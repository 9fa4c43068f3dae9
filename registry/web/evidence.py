"""What people agree went wrong, and what is to be done about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.db.models import Count, Prefetch, Q
from django.db.models.functions import TruncDate
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from core import clock
from core.access import Verb
from core.levers import Lever
from core.models import Project
from core.web import HtmxRequest
from registry import findings, optimize
from registry.models import Evidence, OptimizationRun, SurfaceFinding
from registry.models.surface import FindingState
from registry.web.acts import Act, split
from registry.web.forms import ReasonForm, explain
from registry.web.rows import finding_for, mode_labels, project_for

PAGE = 25
TREND_DAYS = 14
CLOSED = (FindingState.ADDRESSED, FindingState.DISMISSED)
VIEWS = (("open", "Open", findings.OPEN), ("closed", "Closed", CLOSED))

Key = tuple[int | None, str, str]
Labels = dict[str, str]


@dataclass(frozen=True, slots=True)
class FindingView:
    finding: SurfaceFinding
    label: str
    trend: list[int]
    run: OptimizationRun | None

    @property
    def is_under_way(self) -> bool:
        return self.run is not None and self.run.state in optimize.ACTIVE

    @property
    def lever(self) -> str:
        return self.finding.get_lever_display().split(":")[0]

    @property
    def recent(self) -> int:
        """Pieces of evidence in the days that the trend shows."""
        return sum(self.trend)

    @property
    def can_improve(self) -> bool:
        """Whether a version can be asked for."""
        finding = self.finding
        return (
            not self.is_under_way
            and finding.state == FindingState.OPEN
            and finding.lever == Lever.PROMPT
            and finding.prompt_id is not None
        )

    @property
    def can_dismiss(self) -> bool:
        return self.finding.state in findings.OPEN


@require_GET
@login_required
def evidence(request: HtmxRequest, slug: str) -> HttpResponse:
    project = project_for(request, slug, Verb.SEE_DECISIONS)
    return _page(request, project, request.GET.get("act", ""))


@require_POST
@login_required
def dismiss(request: HtmxRequest, slug: str, finding: int) -> HttpResponse:
    found = finding_for(request, slug, finding, Verb.EDIT_PROMPT)
    key = f"dismiss-{found.pk}"
    form = ReasonForm(request.POST, auto_id=f"{key}_%s")
    if form.is_valid():
        reason = form.cleaned_data["reason"]
        try:
            findings.dismiss(finding=found, reason=reason, actor=request.user)
        except ValidationError as error:
            explain(form, error)
        else:
            messages.success(request, "The finding is dismissed.")
            return redirect("evidence", slug)
    return _page(request, found.project, key, form, status=422)


def _page(
    request: HtmxRequest,
    project: Project,
    opened: str,
    bound: Form | None = None,
    status: int = 200,
) -> HttpResponse:
    view = request.GET.get("view", "open")
    labels = mode_labels(project)
    shown = _findings(request, project, labels, closed=view == "closed")
    may_edit = Verb.EDIT_PROMPT in request.user.verbs_in(project)
    acts = [_dismissal(project, each) for each in shown if each.can_dismiss] if may_edit else []
    context = {
        "findings": shown,
        "tabs": _tabs(request, project, view),
        "may_edit": may_edit,
        "levers": Lever.choices,
        **_evidence(request, project, labels),
        **split(acts, opened, bound),
    }
    return render(request, "registry/evidence.html", context, status=status)


def _tabs(request: HtmxRequest, project: Project, view: str) -> list[dict[str, Any]]:
    rows = SurfaceFinding.objects.visible_to(request.user).in_project(project)
    counts = rows.aggregate(
        open=Count("pk", filter=Q(state__in=findings.OPEN)),
        closed=Count("pk", filter=Q(state__in=CLOSED)),
    )
    base = reverse("evidence", args=[project.slug])
    return [
        {
            "label": label,
            "url": base if name == "open" else f"{base}?view={name}",
            "active": (view == name) or (name == "open" and view != "closed"),
            "count": counts[name],
        }
        for name, label, _ in VIEWS
    ]


def _findings(
    request: HtmxRequest, project: Project, labels: Labels, *, closed: bool
) -> list[FindingView]:
    runs = OptimizationRun.objects.select_related("proposal").order_by("-pk")
    rows = (
        SurfaceFinding.objects.visible_to(request.user)
        .in_project(project)
        .filter(state__in=CLOSED if closed else findings.OPEN)
        .select_related("prompt", "project")
        .prefetch_related(Prefetch("runs", runs))
        .order_by("-closed_at" if closed else "-weight", "-pk")[:50]
    )
    trends = _trends(project)
    return [
        FindingView(
            row,
            labels.get(row.mode, row.mode),
            trends.get((row.prompt_id, row.mode, row.lever), [0] * TREND_DAYS),
            next(iter(row.runs.all()), None),
        )
        for row in rows
    ]


def _trends(project: Project) -> dict[Key, list[int]]:
    """Evidence a day over the last days, oldest first, by prompt, mode and cause; one query."""
    today = clock.now().date()
    first = today - timedelta(days=TREND_DAYS - 1)
    rows = (
        Evidence.objects.standing()
        .filter(project=project, created_at__date__gte=first)
        .annotate(day=TruncDate("created_at"))
        .values("prompt_id", "mode", "cause", "day")
        .annotate(n=Count("pk"))
        .order_by("day")
    )
    trends: dict[Key, list[int]] = {}
    for row in rows:
        key = (row["prompt_id"], row["mode"], row["cause"])
        days = trends.setdefault(key, [0] * TREND_DAYS)
        days[min((row["day"] - first).days, TREND_DAYS - 1)] += row["n"]
    return trends


def _evidence(request: HtmxRequest, project: Project, labels: Labels) -> dict[str, Any]:
    """A page of evidence, newest first, narrowed by what the address says."""
    # PostgreSQL takes no NUL in a text, not even to compare with.
    mode, cause = (request.GET.get(name, "").replace("\x00", "") for name in ("mode", "cause"))
    before = request.GET.get("before", "")
    rows = Evidence.objects.visible_to(request.user).in_project(project)
    rows = rows.filter(**{k: v for k, v in (("mode", mode), ("cause", cause)) if v})
    if before.isdecimal() and len(before) < 19:
        rows = rows.filter(pk__lt=int(before))
    found = list(rows.select_related("prompt", "prompt_version").order_by("-pk")[: PAGE + 1])
    return {
        "rows": [_row(each, labels) for each in found[:PAGE]],
        "mode": mode,
        "cause": cause,
        "modes": sorted(labels.items(), key=lambda item: item[1]),
        "older_url": _older(project, mode, cause, found),
        "newest_url": f"{reverse('evidence', args=[project.slug])}?{_query(mode, cause)}"
        if before
        else "",
    }


def _row(each: Evidence, labels: Labels) -> dict[str, Any]:
    lever = Lever(each.cause).label.split(":")[0]
    return {"evidence": each, "label": labels.get(each.mode, each.mode), "lever": lever}


def _query(mode: str, cause: str, **more: object) -> str:
    given = {"mode": mode, "cause": cause, **more}
    return urlencode({name: value for name, value in given.items() if value})


def _older(project: Project, mode: str, cause: str, found: Sequence[Evidence]) -> str:
    if len(found) <= PAGE:
        return ""
    query = _query(mode, cause, before=found[PAGE - 1].pk)
    return f"{reverse('evidence', args=[project.slug])}?{query}#evidence"


def _dismissal(project: Project, view: FindingView) -> Act:
    finding = view.finding
    return Act(
        key=f"dismiss-{finding.pk}",
        title=f"Dismiss “{view.label}”?",
        text="Nobody will act on it. New evidence from now on can open it again.",
        button="Dismiss",
        url=reverse("dismiss", args=[project.slug, finding.pk]),
        form=ReasonForm(auto_id=f"dismiss-{finding.pk}_%s"),
        icon="cross",
    )
