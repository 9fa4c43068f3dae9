"""Calibration: judge the same outputs blind, then talk, then the ruling is kept."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from annotation import calibration as room
from annotation import labels
from annotation.models import CalibrationItem, CalibrationSession, Label
from annotation.models.calibration import SessionState
from annotation.models.label import Verdict
from annotation.web import blindness, judgement
from annotation.web.glance import mode_names
from annotation.web.report import told_report
from annotation.web.story import output_of, tell
from annotation.web.workbench import told
from core.access import Verb, require
from core.models import Project
from core.web import HtmxRequest, project_of
from registry import rubrics
from registry.models import RubricVersion

# The lead who cast one of so many sees them though a member is absent: else he or she rules blind.
FEWEST_VOTES: Final = 2
Faults = dict[str, list[str]]


class RulingForm(forms.Form):
    """The lead's answer to an item."""

    verdict = forms.ChoiceField(
        choices=[(each.value, each.label) for each in room.RULINGS], label="Ruling"
    )
    modes = forms.MultipleChoiceField(
        required=False, label="Failure modes", widget=forms.CheckboxSelectMultiple
    )
    reason = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 3}), help_text="What people learn from it."
    )

    def __init__(self, *args: Any, version: RubricVersion, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        modes = self.fields["modes"]
        assert isinstance(modes, forms.MultipleChoiceField)
        modes.choices = [(mode.code, mode.label) for mode in version.modes.all()]


@require_GET
@login_required
def calibration_list(request: HtmxRequest, slug: str) -> HttpResponse:
    """The sessions of a project, the open ones first."""
    project = project_of(request, slug)
    require(request.user, Verb.SEE_TRACES, project=project)
    me = request.user
    sessions = (
        CalibrationSession.objects.visible_to(me).in_project(project).select_related("lead")
        .annotate(
            people=Count("members", distinct=True),
            outputs=Count("items", distinct=True),
            mine=Count("members", filter=Q(members__user=me), distinct=True),
            voted=Count("items", filter=Q(items__labels__annotator=me), distinct=True),
        )
        .order_by("-state", "-opened_at")
    )  # fmt: skip
    return render(request, "annotation/calibration_list.html", {"sessions": list(sessions[:100])})


@require_GET
@login_required
def calibration(request: HtmxRequest, slug: str, session: int) -> HttpResponse:
    """The agenda with reasons; with `?item=` one output of it with the form that is due."""
    project = project_of(request, slug)
    require(request.user, Verb.SEE_TRACES, project=project)
    return _page(request, project, _session(request, project, session))


@require_POST
@login_required
def calibration_vote(request: HtmxRequest, slug: str, session: int, item: int) -> HttpResponse:
    """A member's blind vote, then the next item without one."""
    project = project_of(request, slug)
    require(request.user, Verb.REVIEW, project=project)
    found = _session(request, project, session)
    row = get_object_or_404(found.items.select_related("trace"), pk=item)
    version = rubrics.current(project)
    said: dict[str, Any] | None = None
    try:
        said = judgement.read(request.POST, output_of(row.trace))
        if version is not None:
            labels.vote(
                item=row, scorecard=judgement.scorecard(said), rubric_version=version,
                comment=said["comment"], active_ms=said["active_ms"], source="page",
                actor=request.user,
            )  # fmt: skip
    except ValidationError as error:
        faults = judgement.faults(error)
        return _page(request, project, found, item=row.pk, said=said, faults=faults, status=400)
    return _on(request, found)


def _on(request: HtmxRequest, found: CalibrationSession) -> HttpResponse:
    left = found.items.filter(ruling="").exclude(labels__annotator=request.user).first()
    here = reverse("calibration", args=[found.project.slug, found.pk])
    if left is None:
        messages.success(request, "You have voted on every item. Votes are shown after the ruling.")
        return redirect(here)
    return redirect(f"{here}?item={left.pk}")


@require_POST
@login_required
def calibration_rule(request: HtmxRequest, slug: str, session: int, item: int) -> HttpResponse:
    """The answer that holds from now on."""
    project = project_of(request, slug)
    require(request.user, Verb.CALIBRATE, project=project)
    found = _session(request, project, session)
    row = get_object_or_404(found.items.all(), pk=item)
    version = rubrics.current(project)
    here = f"{reverse('calibration', args=[slug, session])}?item={row.pk}"
    if version is None:
        return redirect(here)
    form = RulingForm(request.POST, version=version)
    if form.is_valid():
        try:
            room.rule(item=row, rubric_version=version, actor=request.user, **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, "; ".join(error.messages))
        else:
            messages.success(request, "The ruling is kept.")
            return redirect(here)
    return _page(request, project, found, item=row.pk, ruling=form, status=400)


@require_POST
@login_required
def calibration_close(request: HtmxRequest, slug: str, session: int) -> HttpResponse:
    """The end of a session whose items are all ruled; its report stays."""
    project = project_of(request, slug)
    require(request.user, Verb.CALIBRATE, project=project)
    room.close(session=_session(request, project, session), actor=request.user)
    messages.success(request, "The session is finished. This is its report.")
    return redirect("calibration", slug=slug, session=session)


def _session(request: HtmxRequest, project: Project, session: int) -> CalibrationSession:
    rows = CalibrationSession.objects.visible_to(request.user).in_project(project)
    return get_object_or_404(rows.select_related("project", "lead"), pk=session)


def _page(
    request: HtmxRequest,
    project: Project,
    found: CalibrationSession,
    *,
    item: int | None = None,
    said: dict[str, Any] | None = None,
    faults: Faults | None = None,
    ruling: RulingForm | None = None,
    status: int = 200,
) -> HttpResponse:
    members = [member.user for member in found.members.select_related("user").order_by("pk")]
    given: dict[int, list[Label]] = {}
    votes = Label.objects.current().filter(calibration_item__session=found)
    for label in votes.prefetch_related("findings").order_by("pk"):
        given.setdefault(label.calibration_item_id or 0, []).append(label)
    items = list(found.items.select_related("trace__prompt"))
    awaited = blindness.awaited(
        [each.trace for each in items], project=project, reader=request.user
    )
    rows = [
        _row(
            request,
            found,
            each,
            given.get(each.pk, []),
            members=len(members),
            awaited=each.trace_id in awaited,
        )
        for each in items
    ]
    names = mode_names(project)
    wanted = item or request.GET.get("item", "")
    shown = next((row for row in rows if str(row["item"].pk) == str(wanted)), None)
    leads = Verb.CALIBRATE in request.user.verbs_in(project)
    is_open = found.state == SessionState.OPEN
    context: dict[str, Any] = {
        "session": found, "members": members, "rows": rows, "shown": shown,
        "open": is_open, "leads": leads, "is_member": request.user in members,
        "all_ruled": all(row["item"].ruling for row in rows),
        "report": told_report(found.report, rows, members, names) if found.report else None,
    }  # fmt: skip
    if shown:
        context |= _shown(
            request, project, shown, page=context, names=names, said=said, faults=faults,
            ruling=ruling,
        )  # fmt: skip
    return render(request, "annotation/calibration.html", context, status=status)


def _row(
    request: HtmxRequest,
    found: CalibrationSession,
    item: CalibrationItem,
    given: list[Label],
    *,
    members: int,
    awaited: bool,
) -> dict[str, Any]:
    """Of the votes of an item nothing is told before its ruling, except how many there are.

    Nor is the ruling told to whom the output may still come from the queue.
    """
    own = next((label for label in given if label.annotator_id == request.user.pk), None)
    return {
        "item": item,
        "title": item.trace.preview or str(item.trace),
        "url": f"{reverse('calibration', args=[found.project.slug, found.pk])}?item={item.pk}",
        "voted": len(given),
        "members": members,
        "own": own,
        "complete": len(given) == members,
        "comparable": own is not None and len(given) >= FEWEST_VOTES,
        "votes": given,
        "hidden": bool(item.ruling) and awaited,
    }


def _shown(
    request: HtmxRequest,
    project: Project,
    shown: dict[str, Any],
    *,
    page: dict[str, Any],
    names: dict[str, str],
    said: dict[str, Any] | None,
    faults: Faults | None,
    ruling: RulingForm | None,
) -> dict[str, Any]:
    """One output, with the vote that is owed, or the ruling that is due, or what was ruled."""
    item: CalibrationItem = shown["item"]
    where = [project.slug, page["session"].pk, item.pk]
    version = rubrics.current(project)
    story = tell(item.trace, blind=True, whole="all" in request.GET)
    votes_now = page["open"] and page["is_member"] and not shown["own"] and not item.ruling
    rules_now = page["open"] and page["leads"] and not votes_now and not item.ruling
    told_now = bool(item.ruling) and not shown["hidden"]
    tells = told_now or (rules_now and (shown["complete"] or shown["comparable"]))
    task: dict[str, Any] = {
        **told(story), "model": item.trace.model, "faults": faults or {},
        "submit_url": reverse("calibration_vote", args=where), "once": True,
        "all_url": f"{shown['url']}&all=1" if story.left else "",
    }  # fmt: skip
    if votes_now and version:
        task |= judgement.fields(version, said)
    if rules_now and version and ruling is None:
        ruling = RulingForm(version=version)
    return {
        "task": task,
        "votes_now": votes_now and version is not None,
        "rule_url": reverse("calibration_rule", args=where) if rules_now and version else "",
        "ruling": ruling,
        "ruling_verdict": Verdict(item.ruling).label if item.ruling else "",
        "ruling_modes": [names.get(mode, mode) for mode in item.ruling_modes],
        "tally": _tally(shown["votes"], names) if tells else None,
    }


def _tally(given: list[Label], names: dict[str, str]) -> dict[str, Any]:
    """The votes as counts, without names: what differs is talked about, not who."""
    verdicts = Counter(label.verdict for label in given)
    modes = Counter(each.mode for label in given for each in label.findings.all())
    return {
        "verdicts": [(each.value, each.label, verdicts[each]) for each in room.RULINGS],
        "modes": [(names.get(mode, mode), count) for mode, count in modes.most_common()],
        "comments": [label.comment for label in given if label.comment],
    }
