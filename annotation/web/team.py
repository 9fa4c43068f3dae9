"""Who may claim from the queue: the doors of leads and admins."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from core.access import MATRIX, Verb, require
from core.models import Project, User
from core.web import HtmxRequest, project_of
from routing import reviewers
from routing.models import Reviewer


def candidates(project: Project) -> list[User]:
    """Members whose role lets them review and who are not enrolled."""
    able = User.objects.filter(
        membership__project=project, membership__role__in=MATRIX[Verb.REVIEW], is_active=True
    )
    enrolled = Reviewer.objects.in_project(project).values("user")
    return list(able.exclude(pk__in=enrolled).order_by("name", "email")[:100])


@require_POST
@login_required
def enrol(request: HtmxRequest, slug: str) -> HttpResponse:
    """The chosen members may claim from now on."""
    project = project_of(request, slug)
    require(request.user, Verb.MANAGE_QUEUE, project=project)
    wanted = set(request.POST.getlist("user"))
    people = [user for user in candidates(project) if str(user.pk) in wanted]
    if people:
        reviewers.enrol(project=project, users=people, actor=request.user)
        messages.success(request, f"Enrolled: {', '.join(str(user) for user in people)}.")
    return redirect("queue", slug=slug)


@require_POST
@login_required
def pause_reviewer(request: HtmxRequest, slug: str, reviewer: int) -> HttpResponse:
    """No new work for the person; what he or she holds can still be submitted."""
    found = _reviewer(request, slug, reviewer)
    reviewers.pause(reviewer=found, actor=request.user)
    return redirect("queue", slug=slug)


@require_POST
@login_required
def resume_reviewer(request: HtmxRequest, slug: str, reviewer: int) -> HttpResponse:
    """Work again."""
    found = _reviewer(request, slug, reviewer)
    reviewers.resume(reviewer=found, actor=request.user)
    return redirect("queue", slug=slug)


def _reviewer(request: HtmxRequest, slug: str, reviewer: int) -> Reviewer:
    project = project_of(request, slug)
    require(request.user, Verb.MANAGE_QUEUE, project=project)
    rows = Reviewer.objects.visible_to(request.user).in_project(project)
    return get_object_or_404(rows.select_related("project", "user"), pk=reviewer)
