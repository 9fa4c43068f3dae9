"""Home: the loop at a glance."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from annotation.web import glance
from core.access import Verb, require
from core.web import HtmxRequest, project_of
from routing import queue


@require_GET
@login_required
def home(request: HtmxRequest, slug: str) -> HttpResponse:
    """Counts, clocks and charts of a project; for all its members."""
    project = project_of(request, slug)
    require(request.user, Verb.SEE_DASHBOARDS, project=project)
    verbs = request.user.verbs_in(project)
    found = glance.clocks(project)
    held = queue.resume(project=project, actor=request.user) if Verb.REVIEW in verbs else None
    context = {
        "loop": glance.loop(project, found, verbs),
        "tiles": glance.tiles(project, found),
        "held_url": reverse("workbench", args=[slug, held.slot_id]) if held else "",
        "held": held,
        "findings": glance.findings(project),
        "releases": glance.releases(project),
        "throughput": glance.throughput(project),
        "pareto": glance.pareto(project),
    }
    return render(request, "annotation/home.html", context)
