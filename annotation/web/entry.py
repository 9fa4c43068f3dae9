"""The front door: on to the person's project."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from core.models import Project
from core.web import HtmxRequest


@require_GET
@login_required
def enter(request: HtmxRequest) -> HttpResponse:
    """The first project of the person, or a page that says whom to ask."""
    project = Project.objects.visible_to(request.user).order_by("name").first()
    if project is None:
        return render(request, "no_project.html")
    return redirect("home", slug=project.slug)
