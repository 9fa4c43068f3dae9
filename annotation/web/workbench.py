"""The workbench: one output, one judgement, and on to the next."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from annotation import labels
from annotation.models import Draft
from annotation.web import judgement
from annotation.web.desk import done_today, mine, waiting
from annotation.web.story import Story, output_of, tell
from core import clock
from core.access import Verb, require
from core.models import Project, User
from core.web import HtmxRequest, project_of
from registry import rubrics
from registry.models import RubricVersion
from routing import queue
from routing.models import Slot
from routing.models.queue import SlotState
from routing.queue import StaleLease

# Before a tenth of it is left, an open page has asked for more twice.
BEAT_SECONDS = 120
# Kept in the person's session.
SKIPPED, MOST_SKIPPED = "skipped", 20
NO_RUBRIC = "This project has no rubric yet. A lead can publish one; then outputs can be judged."


@require_GET
@login_required
def workbench(request: HtmxRequest, slug: str, slot: int) -> HttpResponse:
    """The output of a slot that the person holds, with what he or she wrote before."""
    project = project_of(request, slug)
    require(request.user, Verb.REVIEW, project=project)
    held = _slot(project, request.user, slot)
    if held.holder_id != request.user.pk or held.state != SlotState.LEASED:
        messages.info(request, "You do not hold that item any more.")
        return redirect("queue", slug=slug)
    draft = Draft.objects.filter(slot=held, user=request.user).first()
    return _page(request, held, said=draft.content if draft else None)


@require_POST
@login_required
def submit(request: HtmxRequest, slug: str, slot: int) -> HttpResponse:
    """Save the judgement and go on; or skip; or the page again, with what was written."""
    project = project_of(request, slug)
    require(request.user, Verb.REVIEW, project=project)
    held = _slot(project, request.user, slot)
    if request.POST.get("skip"):
        return _skip(request, held)
    version = rubrics.current(project)
    if version is None:
        messages.warning(request, NO_RUBRIC)
        return redirect("queue", slug=slug)
    try:
        said = judgement.read(request.POST, output_of(held.item.trace))
        return _save(request, held, version, said)
    except ValidationError as error:
        faults = judgement.faults(error)
        return _page(request, held, said=_readable(request, held), faults=faults, status=400)


def _save(
    request: HtmxRequest, held: Slot, version: RubricVersion, said: dict[str, Any]
) -> HttpResponse:
    submission = labels.Submission(
        held.pk, _token(request), judgement.scorecard(said), comment=said["comment"],
        corrected_output=said["corrected_output"], active_ms=said["active_ms"],
    )  # fmt: skip
    try:
        labels.submit([submission], rubric_version=version, source="page", actor=request.user)
    except StaleLease as error:
        # Without a draft there is a label already: the answer to the first attempt was lost.
        if labels.keep([submission], actor=request.user):
            return _page(request, held, said=said, stale=str(error), status=409)
        # With that answer the next item came: a second one each time would empty the queue.
        if lease := queue.resume(project=held.project, actor=request.user):
            return redirect("workbench", slug=held.project.slug, slot=lease.slot_id)
    return go_on(request, held.project)


def go_on(
    request: HtmxRequest, project: Project, *, done: str = "All done.", again: bool = False
) -> HttpResponse:
    """The next item that was not skipped in this session, or the queue page where none waits.

    Who asks `again` gets what was skipped where there is nothing else: it may be for nobody else.
    """
    leases = queue.claim(project=project, actor=request.user, avoiding=_skipped(request))
    if again and not leases and _skipped(request):
        del request.session[SKIPPED]
        leases = queue.claim(project=project, actor=request.user)
    if not leases:
        messages.success(request, f"{done} Nothing else waits for you now.")
        return redirect("queue", slug=project.slug)
    return redirect("workbench", slug=project.slug, slot=leases[0].slot_id)


def _skip(request: HtmxRequest, held: Slot) -> HttpResponse:
    """Back it goes, and on with another: what was skipped is for others first.

    Who has nothing to give back gets nothing: else one person could take everything that waits.
    """
    try:
        queue.release_slot(slot_id=held.pk, token=_token(request), actor=request.user)
    except StaleLease:
        messages.info(request, "The item had left your hands already.")
        return redirect("queue", slug=held.project.slug)
    kept = [each for each in _skipped(request) if each != held.item_id]
    request.session[SKIPPED] = [*kept, held.item_id][-MOST_SKIPPED:]
    return go_on(request, held.project, done="Skipped; the item is back in the queue.")


def _skipped(request: HtmxRequest) -> list[int]:
    """Ids of the items that the person skipped last; they do not come again by themselves."""
    found: list[int] = request.session.get(SKIPPED, [])
    return found


@require_POST
@login_required
def hand_back(request: HtmxRequest, slug: str, slot: int) -> HttpResponse:
    """The item is open to others at once; what was written stays as a draft."""
    project = project_of(request, slug)
    require(request.user, Verb.REVIEW, project=project)
    _release(request, _slot(project, request.user, slot))
    messages.info(request, "The item is back in the queue. What you wrote is kept as a draft.")
    return redirect("queue", slug=slug)


def _release(request: HtmxRequest, held: Slot) -> None:
    try:
        queue.release_slot(slot_id=held.pk, token=_token(request), actor=request.user)
    except StaleLease:
        messages.info(request, "The item had left your hands already.")


@require_POST
@login_required
def draft(request: HtmxRequest, slug: str, slot: int) -> HttpResponse:
    """Keep what the page holds now. 204, or 400 with the reason."""
    project = project_of(request, slug)
    require(request.user, Verb.REVIEW, project=project)
    held = _slot(project, request.user, slot)
    try:
        said = judgement.read(request.POST, output_of(held.item.trace))
        labels.save_draft(slot_id=held.pk, content=said, actor=request.user)
    except ObjectDoesNotExist:
        return HttpResponse(status=404)
    except ValidationError as error:
        return HttpResponse("; ".join(error.messages), status=400, content_type="text/plain")
    return HttpResponse(status=204)


@require_POST
@login_required
def heartbeat(request: HtmxRequest, slug: str, slot: int) -> HttpResponse:
    """Keep the lease while the page is open. 204, or 409 where somebody else has the item."""
    project = project_of(request, slug)
    require(request.user, Verb.REVIEW, project=project)
    held = _slot(project, request.user, slot)
    try:
        queue.heartbeat(slot_id=held.pk, token=_token(request), actor=request.user)
    except StaleLease as error:
        return HttpResponse(str(error), status=409, content_type="text/plain")
    return HttpResponse(status=204)


def _slot(project: Project, user: User, slot: int) -> Slot:
    rows = Slot.objects.visible_to(user).in_project(project)
    related = ("project", "item__trace__prompt", "item__trace__environment")
    return get_object_or_404(rows.select_related(*related), pk=slot)


def _token(request: HtmxRequest) -> int:
    text = request.POST.get("token", "")
    return int(text) if text.isdecimal() and len(text) < 10 else 0


def _readable(request: HtmxRequest, held: Slot) -> dict[str, Any] | None:
    """What was posted, or the last draft where it cannot even be read."""
    try:
        return judgement.read(request.POST, output_of(held.item.trace))
    except ValidationError:
        draft = Draft.objects.filter(slot=held, user=request.user).first()
        return draft.content if draft else None


def _page(
    request: HtmxRequest,
    held: Slot,
    *,
    said: dict[str, Any] | None,
    faults: dict[str, list[str]] | None = None,
    stale: str = "",
    status: int = 200,
) -> HttpResponse:
    version = rubrics.current(held.project)
    if version is None:
        messages.warning(request, NO_RUBRIC)
        return redirect("queue", slug=held.project.slug)
    form = judgement.fields(version, said)
    task = {**_task(request, held, said), **form, "faults": faults or {}, "stale": stale}
    context = {"task": task}
    return render(request, "annotation/workbench.html", context, status=status)


def _task(request: HtmxRequest, held: Slot, said: dict[str, Any] | None) -> dict[str, Any]:
    """What `templates/ui/workbench` shows, and nothing that a machine thought of it."""
    trace = held.item.trace
    where = [held.project.slug, held.pk]
    today = done_today(held.project, request.user)
    story = tell(trace, blind=True, whole="all" in request.GET)
    return {
        "title": str(trace.prompt or trace.name or "Review"),
        "ref": trace.trace_id[:12],
        "why": f"{trace.environment.name.capitalize()}, due {held.due_at:%-d %b %H:%M} UTC",
        "due_at": held.due_at,
        "risk": _clock(held),
        "done": today,
        "total": today + waiting(mine(held.project, request.user)) + 1,
        "token": request.POST.get("token") or held.token,
        "restored": bool(said) and request.method == "GET",
        "submit_url": reverse("submit", args=where),
        "leave_url": reverse("hand_back", args=where),
        "draft_url": reverse("draft", args=where),
        "beat_url": reverse("heartbeat", args=where),
        "beat_seconds": BEAT_SECONDS,
        "next_url": reverse("claim", args=where[:1]),
        "all_url": f"{reverse('workbench', args=where)}?all=1" if story.left else "",
        "model": trace.model,
        **told(story),
    }


def told(story: Story) -> dict[str, Any]:
    """The story under the names that the panes of the workbench use."""
    return {
        "asked": story.asked,
        "messages": story.messages,
        "documents": story.documents,
        "system": story.system,
        "output_html": story.html,
        "output_raw": story.raw,
        "steps": story.steps,
        "details": story.details,
        "left": story.left,
    }


def _clock(held: Slot) -> str:
    left = (held.due_at - clock.now()).total_seconds()
    whole = (held.due_at - held.item.created_at).total_seconds()
    if left <= 0:
        return "overdue"
    return "at_risk" if left < whole / 4 else "on_time"
