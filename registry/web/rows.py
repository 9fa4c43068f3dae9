"""Fetching what an address names, for the person who asks; whatever is not theirs is a 404."""

from __future__ import annotations

from django.shortcuts import get_object_or_404

from core.access import Verb, require
from core.models import Project
from core.web import HtmxRequest, project_of
from registry.models import Prompt, PromptVersion, Release, SurfaceFinding
from registry.rubrics import current, modes_of


def project_for(request: HtmxRequest, slug: str, verb: Verb) -> Project:
    """The project, for somebody who may do `verb` there."""
    project = project_of(request, slug)
    require(request.user, verb, project=project)
    return project


def prompt_for(request: HtmxRequest, slug: str, prompt: str, verb: Verb) -> Prompt:
    project = project_for(request, slug, verb)
    rows = Prompt.objects.visible_to(request.user).in_project(project)
    return get_object_or_404(rows.select_related("project", "created_by"), slug=prompt)


def version_for(
    request: HtmxRequest, slug: str, prompt: str, number: int, verb: Verb
) -> PromptVersion:
    project = project_for(request, slug, verb)
    rows = PromptVersion.objects.visible_to(request.user).in_project(project)
    related = rows.select_related("prompt__project", "parent", "created_by")
    return get_object_or_404(related, prompt__slug=prompt, number=number)


def release_for(request: HtmxRequest, slug: str, release: int, verb: Verb) -> Release:
    project = project_for(request, slug, verb)
    rows = Release.objects.visible_to(request.user).in_project(project)
    related = rows.select_related("prompt__project", "version", "environment", "started_by")
    return get_object_or_404(related, pk=release)


def finding_for(request: HtmxRequest, slug: str, finding: int, verb: Verb) -> SurfaceFinding:
    project = project_for(request, slug, verb)
    rows = SurfaceFinding.objects.visible_to(request.user).in_project(project)
    return get_object_or_404(rows.select_related("project", "prompt"), pk=finding)


def mode_labels(project: Project) -> dict[str, str]:
    """Failure modes by code as the current rubric calls them; two queries."""
    version = current(project)
    return {code: mode.label for code, mode in modes_of(version).items()} if version else {}
