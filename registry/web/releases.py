"""What is served where, and how a canary does against its control."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from core.access import Verb
from core.web import HtmxRequest
from registry import release as room
from registry.models import Release
from registry.models.release import ReleaseState
from registry.web import history
from registry.web.acts import Act, split
from registry.web.arms import compare
from registry.web.forms import ReasonForm, explain
from registry.web.rows import project_for, release_for


@dataclass(slots=True)
class Place:
    """A prompt in an environment: what is live there and what is tried."""

    live: Release | None = None
    canary: Release | None = None

    @property
    def any(self) -> Release:
        found = self.live or self.canary
        assert found is not None
        return found


@require_GET
@login_required
def releases(request: HtmxRequest, slug: str) -> HttpResponse:
    project = project_for(request, slug, Verb.READ_PROMPTS)
    rows = (
        Release.objects.visible_to(request.user)
        .in_project(project)
        .serving()
        .select_related("prompt", "environment", "version", "started_by")
        .order_by("prompt__name", "environment__name", "pk")
    )
    places: dict[tuple[int, int], Place] = {}
    for row in rows:
        place = places.setdefault((row.prompt_id, row.environment_id), Place())
        setattr(place, row.state, row)
    past = (
        Release.objects.visible_to(request.user)
        .in_project(project)
        .exclude(ended_at=None)
        .select_related("prompt", "environment", "version")
        .order_by("-ended_at")[:20]
    )
    context = {
        "places": list(places.values()),
        "past": past,
        "events": history.of_project(project),
    }
    return render(request, "registry/releases.html", context)


@require_GET
@login_required
def release(request: HtmxRequest, slug: str, release: int) -> HttpResponse:
    found = release_for(request, slug, release, Verb.READ_PROMPTS)
    return _page(request, found, request.GET.get("act", ""))


@require_POST
@login_required
def promote(request: HtmxRequest, slug: str, release: int) -> HttpResponse:
    found = release_for(request, slug, release, Verb.RELEASE)
    form = ReasonForm(request.POST, auto_id="promote_%s")
    if form.is_valid():
        try:
            room.promote(release=found, reason=form.cleaned_data["reason"], actor=request.user)
        except ValidationError as error:
            explain(form, error)
        else:
            messages.success(request, f"Version {found.version.number} is live.")
            return redirect("release", slug, found.pk)
    return _page(request, found, "promote", form, status=422)


@require_POST
@login_required
def roll_back(request: HtmxRequest, slug: str, release: int) -> HttpResponse:
    found = release_for(request, slug, release, Verb.RELEASE)
    form = ReasonForm(request.POST, auto_id="roll-back_%s")
    if form.is_valid():
        reason = form.cleaned_data["reason"]
        try:
            now = room.roll_back(release=found, reason=reason, actor=request.user)
        except ValidationError as error:
            explain(form, error)
        else:
            messages.success(
                request,
                f"Version {found.version.number} is rolled back;"
                f" version {now.version.number} is live.",
            )
            return redirect("release", slug, found.pk)
    return _page(request, found, "roll-back", form, status=422)


def _page(
    request: HtmxRequest, found: Release, opened: str, bound: Form | None = None, status: int = 200
) -> HttpResponse:
    verbs = request.user.verbs_in(found.prompt.project)
    # Who labels must not know how an arm does while it runs: it would colour the labels.
    is_blind = found.state == ReleaseState.CANARY and Verb.SEE_DECISIONS not in verbs
    acts = _acts(found) if Verb.RELEASE in verbs else []
    context: dict[str, Any] = {
        "release": found,
        "prompt": found.prompt,
        "control": _beside(found),
        "comparison": None if is_blind or not found.monitor else compare(found),
        "is_blind": is_blind,
        "events": history.of_release(found),
        **split(acts, opened, bound),
    }
    return render(request, "registry/release.html", context, status=status)


def _beside(found: Release) -> Release | None:
    """What was live while it was a canary; for one that never was, what it replaced."""
    rows = Release.objects.filter(prompt=found.prompt_id, environment=found.environment_id)
    at = found.started_at
    earlier = rows.filter(started_at__lte=at).exclude(pk=found.pk)
    lived = earlier.filter(Q(monitor={}) | Q(promoted_at__isnull=False))
    standing = lived.filter(Q(ended_at=None) | Q(ended_at__gte=at))
    return standing.select_related("version").order_by("-started_at", "-pk").first()


def _acts(found: Release) -> list[Act]:
    acts: list[Act] = []
    if found.state == ReleaseState.CANARY:
        acts.append(_promotion(found))
    if found.state in (ReleaseState.CANARY, ReleaseState.LIVE):
        acts.append(_roll_back(found))
    return acts


def _promotion(found: Release) -> Act:
    return Act(
        key="promote",
        title=f"Promote version {found.version.number}?",
        text=f"Everybody in {found.environment} gets it at once; what is live now retires.",
        button="Promote",
        url=reverse("promote", args=[found.prompt.project.slug, found.pk]),
        form=ReasonForm(auto_id="promote_%s"),
        tone="primary",
        shortcut="p",
    )


def _roll_back(found: Release) -> Act:
    text = (
        "The canary stops at once; what is live stays live."
        if found.state == ReleaseState.CANARY
        else "It stops serving at once, and the version that was live before it comes back."
    )
    return Act(
        key="roll-back",
        title=f"Roll back version {found.version.number}?",
        text=f"{text} Its labels and evidence stay.",
        button="Roll back",
        url=reverse("roll_back", args=[found.prompt.project.slug, found.pk]),
        form=ReasonForm(auto_id="roll-back_%s"),
        icon="undo",
        tone="danger",
        shortcut="r",
    )
