"""Asking for work that a worker does: a gate run, a better version."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from core.access import Verb
from core.web import HtmxRequest
from registry import gate, optimize
from registry.web.rows import finding_for, version_for


@require_POST
@login_required
def run_gate(request: HtmxRequest, slug: str, prompt: str, number: int) -> HttpResponse:
    """The mode to mend is the one that the version cites most; none: it need only not be worse."""
    found = version_for(request, slug, prompt, number, Verb.EDIT_PROMPT)
    modes = list(found.citations.values_list("mode", flat=True))
    target = max(sorted(set(modes)), key=modes.count, default="")
    gate.request(version=found, target_mode=target, actor=request.user)
    messages.success(request, "The gate will run in a moment.")
    return redirect("version", slug, prompt, number)


@require_POST
@login_required
def improve(request: HtmxRequest, slug: str, finding: int) -> HttpResponse:
    found = finding_for(request, slug, finding, Verb.EDIT_PROMPT)
    optimize.request(finding=found, actor=request.user)
    messages.success(request, "A version is being written; it will be linked from the finding.")
    return redirect("evidence", slug)
