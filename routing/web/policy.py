"""The risk policy in words, and the right to approve without a person."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.db.models import Count
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from core import charts
from core.access import Verb, require
from core.figures import plain, span
from core.models import Project
from core.web import HtmxRequest, project_of
from registry.web.acts import Act, split
from registry.web.forms import explain
from routing import policy as room
from routing.models import AutoApproval, Decision, RiskPolicy, SlaPolicy
from routing.models.decision import Action, GrantKind, PolicyState, Tier
from routing.web.forms import GrantForm

RECENT = 10_000
FILLS = {Action.AUTO_APPROVE: 1, Action.AUDIT: 5, Action.REVIEW: 3}


@require_GET
@login_required
def policy(request: HtmxRequest, slug: str) -> HttpResponse:
    project = _project(request, slug, Verb.SEE_DECISIONS)
    return _page(request, project, request.GET.get("act", ""))


@require_POST
@login_required
def grant(request: HtmxRequest, slug: str) -> HttpResponse:
    project = _project(request, slug, Verb.GRANT_AUTO_APPROVAL)
    form = GrantForm(request.POST, auto_id="grant_%s")
    if form.is_valid():
        try:
            room.grant_auto_approval(
                project=project,
                kind=GrantKind.OVERRIDE,
                reason=form.cleaned_data["reason"],
                details={},
                actor=request.user,
            )
        except ValidationError as error:
            explain(form, error)
        else:
            messages.success(request, "Low-risk outputs may pass without a person from now on.")
            return redirect("policy", slug)
    return _page(request, project, "grant", form, status=422)


@require_POST
@login_required
def revoke(request: HtmxRequest, slug: str, grant: int) -> HttpResponse:
    project = _project(request, slug, Verb.GRANT_AUTO_APPROVAL)
    rows = AutoApproval.objects.visible_to(request.user).in_project(project)
    found = get_object_or_404(rows.select_related("project"), pk=grant)
    form = GrantForm(request.POST, auto_id="revoke_%s")
    if form.is_valid():
        reason = form.cleaned_data["reason"]
        room.revoke_auto_approval(grant=found, reason=reason, actor=request.user)
        messages.success(request, "Every output goes to people again.")
        return redirect("policy", slug)
    return _page(request, project, "revoke", form, status=422)


def _project(request: HtmxRequest, slug: str, verb: Verb) -> Project:
    project = project_of(request, slug)
    require(request.user, verb, project=project)
    return project


def _page(
    request: HtmxRequest,
    project: Project,
    opened: str,
    bound: Form | None = None,
    status: int = 200,
) -> HttpResponse:
    versions = list(
        RiskPolicy.objects.visible_to(request.user)
        .in_project(project)
        .select_related("created_by")
        .order_by("-number")[:20]
    )
    published = next((each for each in versions if each.state == PolicyState.PUBLISHED), None)
    grants = list(
        AutoApproval.objects.visible_to(request.user)
        .in_project(project)
        .select_related("granted_by")
        .order_by("-pk")[:10]
    )
    in_force = next((each for each in grants if each.revoked_at is None), None)
    may_grant = Verb.GRANT_AUTO_APPROVAL in request.user.verbs_in(project)
    context = {
        "policy": published,
        "versions": versions,
        "grant": in_force,
        "past_grants": [each for each in grants if each.revoked_at is not None],
        "targets": _targets(request, project),
        **_told(published),
        **split([_act(project, in_force)] if may_grant else [], opened, bound),
    }
    return render(request, "routing/policy.html", context, status=status)


def _targets(request: HtmxRequest, project: Project) -> list[dict[str, Any]]:
    rows = SlaPolicy.objects.visible_to(request.user).in_project(project).filter(ended_at=None)
    return [
        {
            "tier": row.tier,
            "label": Tier(row.tier).label,
            "promise": span(row.minutes * 60),
            "calendar": row.calendar.name,
            "goal": row.goal,
        }
        for row in rows.select_related("calendar").order_by("minutes")
    ]


def _told(published: RiskPolicy | None) -> dict[str, Any]:
    """The rules as the page says them; a project without a policy has the default ones."""
    rules = room.read_rules(published.rules) if published else room.DEFAULT_RULES
    opinions: dict[Any, int] = dict(rules.opinions)
    weights = sorted(rules.weights.items(), key=lambda item: -item[1].weight)
    return {
        "rules": rules,
        "scale": {
            "medium": rules.medium_from * 100,
            "medium_width": (rules.high_from - rules.medium_from) * 100,
            "high": rules.high_from * 100,
            "high_width": (1 - rules.high_from) * 100,
        },
        "vetoes": sorted((name.replace("_", " "), limit) for name, limit in rules.vetoes.items()),
        "weights": charts.bars(
            "weights",
            "What a signal adds to the risk, at most",
            [
                charts.Bar(name.replace("_", " "), min(each.weight, each.cap))
                for name, each in weights
            ],
            value_name="Weight",
            form=lambda value: plain(value, 2),
            full=1,
        ),
        "opinions": [(Tier(tier), opinions[str(tier)]) for tier in reversed(Tier)],
        "decided": _decided(published) if published else None,
    }


def _decided(published: RiskPolicy) -> charts.StackChart | None:
    """The last outputs decided under it, by tier and action; one statement over a bounded part."""
    recent = Decision.objects.filter(policy=published).order_by("-pk").values("pk")[:RECENT]
    rows = (
        Decision.objects.filter(pk__in=recent)
        .values("tier", "action")
        .annotate(n=Count("pk"))
        .values_list("tier", "action", "n")
    )
    counts = {(tier, action): n for tier, action, n in rows}
    if not counts:
        return None
    series = [(str(Action(action).label), fill) for action, fill in FILLS.items()]
    items = [
        (f"{tier.label} risk", [float(counts.get((tier, action), 0)) for action in FILLS])
        for tier in reversed(Tier)
    ]
    seen = sum(counts.values())
    desc = f"The last {plain(seen)} outputs decided under this version."
    return charts.stacked("decided", "What it decided", series, items, desc=desc, shares=False)


def _act(project: Project, in_force: AutoApproval | None) -> Act:
    if in_force is None:
        return Act(
            key="grant",
            title="Grant auto-approval?",
            text="Outputs of low risk pass without a person, except those drawn for the audit."
            " This is an admin's override: no certificate has been earned.",
            button="Grant auto-approval",
            url=reverse("grant", args=[project.slug]),
            form=GrantForm(auto_id="grant_%s"),
            icon="shield",
            tone="primary",
        )
    return Act(
        key="revoke",
        title="Revoke auto-approval?",
        text="Every output goes to people again, from the next decision on.",
        button="Revoke auto-approval",
        url=reverse("revoke", args=[project.slug, in_force.pk]),
        form=GrantForm(auto_id="revoke_%s"),
        icon="undo",
        tone="danger",
    )
