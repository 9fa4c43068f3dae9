"""One version: its blocks, what evidence wrote them, how it did, and who may let it out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from core.access import MATRIX, Verb
from core.models import Environment, Membership
from core.web import HtmxRequest
from registry import release
from registry.models import Approval, Citation, Evidence, PromptVersion, Release
from registry.models.release import ReleaseState
from registry.prompts import Block, blocks_of, diff
from registry.web.acts import Act, split
from registry.web.forms import ApprovalForm, CanaryForm, LiveForm, explain
from registry.web.gates import views_of
from registry.web.prompts import shown
from registry.web.rows import mode_labels, version_for


@dataclass(slots=True)
class Cause:
    """Why a block reads as it does: one hypothesis and the evidence behind it."""

    mode: str
    hypothesis: str
    evidence: list[Evidence] = field(default_factory=list)

    @property
    def quoted(self) -> list[Evidence]:
        """Up to three that have something to quote."""
        return [each for each in self.evidence if each.quotes or each.comments][:3]


@dataclass(frozen=True, slots=True)
class BlockView:
    block: Block
    change: str
    causes: list[Cause]


@require_GET
@login_required
def version(request: HtmxRequest, slug: str, prompt: str, number: int) -> HttpResponse:
    found = version_for(request, slug, prompt, number, Verb.READ_PROMPTS)
    return _page(request, found, request.GET.get("act", ""))


@require_POST
@login_required
def approve(request: HtmxRequest, slug: str, prompt: str, number: int) -> HttpResponse:
    found = version_for(request, slug, prompt, number, Verb.RELEASE)
    form = ApprovalForm(request.POST, auto_id="approve_%s")

    def act(data: dict[str, Any]) -> str:
        release.approve(version=found, reason=data["reason"], actor=request.user)
        return f"Version {found.number} is approved."

    return _do(request, found, "approve", form, act)


@require_POST
@login_required
def start_canary(request: HtmxRequest, slug: str, prompt: str, number: int) -> HttpResponse:
    found = version_for(request, slug, prompt, number, Verb.RELEASE)
    form = CanaryForm(request.POST, environments=_environments(found), auto_id="canary_%s")

    def act(data: dict[str, Any]) -> str:
        data["share"] /= 100
        begun = release.start_canary(version=found, actor=request.user, **data)
        return f"Version {found.number} is a canary in {begun.environment}."

    return _do(request, found, "canary", form, act)


@require_POST
@login_required
def go_live(request: HtmxRequest, slug: str, prompt: str, number: int) -> HttpResponse:
    found = version_for(request, slug, prompt, number, Verb.RELEASE)
    form = LiveForm(request.POST, environments=_environments(found), auto_id="live_%s")

    def act(data: dict[str, Any]) -> str:
        begun = release.go_live(version=found, actor=request.user, **data)
        return f"Version {found.number} is live in {begun.environment}."

    return _do(request, found, "live", form, act)


def _do(
    request: HtmxRequest,
    found: PromptVersion,
    key: str,
    form: Form,
    act: Callable[[dict[str, Any]], str],
) -> HttpResponse:
    """The act and the page again; or the page with what the form or the room would not have."""
    if form.is_valid():
        try:
            messages.success(request, act(dict(form.cleaned_data)))
        except ValidationError as error:
            explain(form, error)
        else:
            return redirect("version", found.prompt.project.slug, found.prompt.slug, found.number)
    return _page(request, found, key, form, status=422)


def _environments(found: PromptVersion) -> QuerySet[Environment]:
    return Environment.objects.filter(project=found.prompt.project_id).order_by("pk")


def _page(
    request: HtmxRequest,
    found: PromptVersion,
    opened: str,
    bound: Form | None = None,
    status: int = 200,
) -> HttpResponse:
    verbs = request.user.verbs_in(found.prompt.project)
    approvals = list(
        Approval.objects.filter(version=found)
        .select_related("approved_by", "gate_run")
        .order_by("pk")
    )
    releases = list(
        Release.objects.filter(version=found).select_related("environment").order_by("-started_at")
    )
    labels = mode_labels(found.prompt.project)
    gates = views_of(found, labels)
    acts = _acts(request, found, approvals) if Verb.RELEASE in verbs else []
    context = {
        "prompt": found.prompt,
        "version": found,
        "blocks": _blocks(found, labels),
        "gates": gates,
        "gate_under_way": any(view.run.finished_at is None for view in gates),
        "approvals": approvals,
        "releases": releases,
        "people": _releasers(found),
        "sees_quotes": Verb.SEE_DECISIONS in verbs,
        "diff": [shown(block) for block in diff(found.parent, found)] if found.parent else [],
        **split(acts, opened, bound),
    }
    return render(request, "registry/version.html", context, status=status)


def _blocks(found: PromptVersion, labels: dict[str, str]) -> list[BlockView]:
    causes = _causes(found, labels)
    kinds = {each.key: each.kind for each in diff(found.parent, found)} if found.parent else {}
    return [
        BlockView(block, kinds.get(block.key, "same"), causes.get(block.key, []))
        for block in blocks_of(found)
    ]


def _causes(found: PromptVersion, labels: dict[str, str]) -> dict[str, list[Cause]]:
    """By block; citations of one hypothesis are told once."""
    rows = Citation.objects.filter(version=found).select_related("evidence").order_by("pk")
    causes: dict[tuple[str, str, str], Cause] = {}
    for row in rows:
        label = labels.get(row.mode, row.mode)
        cause = causes.setdefault(
            (row.block, row.mode, row.hypothesis), Cause(label, row.hypothesis)
        )
        cause.evidence.append(row.evidence)
    by_block: dict[str, list[Cause]] = {}
    for (block, _, _), cause in causes.items():
        by_block.setdefault(block, []).append(cause)
    return by_block


def _releasers(found: PromptVersion) -> list[dict[str, Any]]:
    """The people who may release, and whether they wrote this."""
    rows = Membership.objects.filter(
        project=found.prompt.project_id, role__in=MATRIX[Verb.RELEASE]
    ).select_related("user")
    return [
        {
            "user": row.user,
            "role": row.get_role_display(),
            "author": row.user_id == found.created_by_id,
        }
        for row in rows.order_by("user__name", "pk")
    ]


def _acts(request: HtmxRequest, found: PromptVersion, approvals: Sequence[Approval]) -> list[Act]:
    """What may be done with it now; the rooms have the last word."""
    approvers = {approval.approved_by_id for approval in approvals}
    acts = []
    if request.user.pk != found.created_by_id and request.user.pk not in approvers:
        acts.append(_approval(found))
    canary, live = _open_to(found, is_approved=bool(approvers))
    if canary:
        acts.append(_canary(found, _environments(found).filter(pk__in=canary)))
    if live:
        acts.append(_live(found, _environments(found).filter(pk__in=live)))
    return acts


def _open_to(found: PromptVersion, *, is_approved: bool) -> tuple[set[int], set[int]]:
    """Environments in which it could become a canary, and those in which it could go live."""
    serving = Release.objects.serving().filter(prompt=found.prompt_id)
    rows = list(serving.values_list("environment_id", "state", "version_id"))
    tried = {place for place, state, _ in rows if state == ReleaseState.CANARY}
    taken = {place for place, state, _ in rows if state == ReleaseState.LIVE}
    own = {place for place, _, version in rows if version == found.pk}
    replaceable = taken - tried - own if is_approved else set()
    everywhere = set(_environments(found).values_list("pk", flat=True))
    return replaceable, replaceable | (everywhere - taken)


def _url(name: str, found: PromptVersion) -> str:
    return reverse(name, args=[found.prompt.project.slug, found.prompt.slug, found.number])


def _approval(found: PromptVersion) -> Act:
    return Act(
        key="approve",
        title=f"Approve version {found.number}",
        text="Your word that this version may be released. It cannot be taken back.",
        button="Approve",
        url=_url("approve", found),
        form=ApprovalForm(auto_id="approve_%s"),
        tone="primary",
        shortcut="a",
    )


def _canary(found: PromptVersion, environments: QuerySet[Environment]) -> Act:
    return Act(
        key="canary",
        title=f"Start a canary of version {found.number}",
        text="A share of users gets this version. It is promoted or rolled back by itself as soon"
        " as the evidence is strong enough.",
        button="Start canary",
        url=_url("start_canary", found),
        form=CanaryForm(environments=environments, auto_id="canary_%s"),
        icon="branch",
        shortcut="c",
    )


def _live(found: PromptVersion, environments: QuerySet[Environment]) -> Act:
    return Act(
        key="live",
        title=f"Serve version {found.number} to everybody",
        text="It replaces what is live at once, without a comparison.",
        button="Go live",
        url=_url("go_live", found),
        form=LiveForm(environments=environments, auto_id="live_%s"),
        icon="release",
        shortcut="l",
    )
