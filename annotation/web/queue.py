"""The queue page: what waits for me, what I hold, what I did; for leads, who is at it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Exists, OuterRef, Q, Subquery
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from annotation.models import Draft, Label
from annotation.web.desk import MOST_COUNTED, done_today, mine, next_due, waiting
from annotation.web.glance import clocks
from annotation.web.team import candidates
from annotation.web.workbench import go_on
from core import clock
from core.access import Verb
from core.figures import plain
from core.models import Project, User
from core.web import HtmxRequest, project_of
from registry import rubrics
from routing import queue as slots
from routing.models import Reviewer, Slot
from routing.models.queue import SlotState
from routing.models.reviewer import ReviewerState

MOST_DONE = 20


@require_GET
@login_required
def queue(request: HtmxRequest, slug: str) -> HttpResponse:
    """For whoever reviews, and for whoever manages the queue."""
    project = project_of(request, slug)
    verbs = request.user.verbs_in(project)
    if not verbs & {Verb.REVIEW, Verb.MANAGE_QUEUE}:
        raise PermissionDenied("This needs the right to review or to manage the queue.")
    context: dict[str, Any] = {}
    if Verb.REVIEW in verbs:
        context |= _desk(project, request.user)
    if Verb.MANAGE_QUEUE in verbs:
        context |= _team(project)
    return render(request, "annotation/queue.html", context)


@require_POST
@login_required
def claim(request: HtmxRequest, slug: str) -> HttpResponse:
    """On with what the person holds, else with the next item."""
    project = project_of(request, slug)
    held = slots.resume(project=project, actor=request.user)
    if held is not None:
        return redirect("workbench", slug=slug, slot=held.slot_id)
    if rubrics.current(project) is None:
        messages.warning(request, "This project has no rubric yet; a lead can publish one.")
        return redirect("queue", slug=slug)
    return go_on(request, project, done="Nothing to do.", again=True)


def _desk(project: Project, user: User) -> dict[str, Any]:
    held = slots.resume(project=project, actor=user)
    there = mine(project, user)
    number = waiting(there)
    reviewer = Reviewer.objects.filter(project=project, user=user).first()
    return {
        "reviews": True,
        "at_work": bool(reviewer and reviewer.state == ReviewerState.ACTIVE),
        "standing": reviewer.get_state_display() if reviewer else "",
        "held": _held(project, held) if held else None,
        "waiting": number,
        "waiting_text": f"{plain(number)}+" if number >= MOST_COUNTED else plain(number),
        "next_due": next_due(there),
        "today": done_today(project, user),
        "drafts": _drafts(project, user),
        "done": _done(project, user),
    }


def _held(project: Project, lease: slots.Lease) -> dict[str, Any]:
    return {
        "url": reverse("workbench", args=[project.slug, lease.slot_id]),
        "due_at": lease.due_at,
        "until": lease.until,
    }


def _drafts(project: Project, user: User) -> list[Draft]:
    """Words that lost their lease: kept, and shown until the person has judged the item."""
    mine_still = Slot.objects.filter(
        pk=OuterRef("slot"), holder=user, state__in=[SlotState.LEASED, SlotState.DONE]
    )
    kept = Draft.objects.filter(~Exists(mine_still), user=user, slot__project=project)
    return list(kept.select_related("slot__item__trace__prompt").order_by("-saved_at")[:5])


def _done(project: Project, user: User) -> list[Label]:
    given = Label.objects.in_project(project).current().filter(annotator=user)
    return list(
        given.filter(slot__isnull=False)
        .select_related("trace__prompt")
        .prefetch_related("findings", "rubric_version__modes")
        .order_by("-created_at")[:MOST_DONE]
    )


def _team(project: Project) -> dict[str, Any]:
    """Who is at the queue; what waits as numbers, never which item is how risky."""
    midnight = clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    given = (
        Label.objects.in_project(project)
        .filter(annotator=OuterRef("user"), created_at__gte=midnight, slot__isnull=False)
        .order_by()
        .values("annotator")
        .annotate(number=Count("pk"))
    )
    held = (
        Slot.objects.in_project(project)
        .filter(Q(until__gt=clock.now()), holder=OuterRef("user"), state=SlotState.LEASED)
        .order_by()
        .values("holder")
        .annotate(number=Count("pk"))
    )
    people = (
        Reviewer.objects.in_project(project)
        .select_related("user")
        .annotate(today=Subquery(given.values("number")), held=Subquery(held.values("number")))
        .order_by("user__name", "user__email")
    )
    return {
        "manages": True,
        "team": list(people[:100]),
        "candidates": candidates(project),
        "clocks": clocks(project),
    }
