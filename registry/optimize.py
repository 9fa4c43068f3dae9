"""From a finding to at most one proposed version, with the evidence on every edit of it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from celery import shared_task
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet

from core import clock, llm
from core.access import SYSTEM, Actor, Verb, require
from core.audit import record
from core.db import IllegalTransition, command, ring, slow, step
from core.levers import Lever
from registry import findings, gate, prompts
from registry.feedback import assignment_for
from registry.models import Evidence, OptimizationRun, Prompt, PromptVersion, SurfaceFinding
from registry.models.optimization import RunState
from registry.models.prompt import Origin
from registry.models.surface import FindingState
from registry.optimizers import CATALOG, DEFAULT, Proposal
from registry.verbs import RegistryVerb

log = logging.getLogger(__name__)

LEASE: Final = timedelta(minutes=15)
"""A run that takes longer has lost its worker."""
PAUSE: Final = timedelta(hours=8)
"""Between two runs on one prompt that nobody asked for; after one that failed, the first pause
of `findings`, for it has cost nothing that people must read."""
CALM: Final = timedelta(minutes=15)
"""How long a finding must have been open before it is tried unasked: labels come in waves, and
what is heaviest after the first few of them is a matter of chance."""
ACTIVE: Final = findings.UNDER_WAY


@command
def request(*, finding: SurfaceFinding, actor: Actor) -> OptimizationRun:
    """Ask for a version that mends `finding`, made from the version that is live, else the latest.

    Raises ValidationError where no prompt can mend it, IllegalTransition where the finding is not
    open or a run for it is under way.
    """
    require(actor, Verb.EDIT_PROMPT, project=finding.project)
    locked = SurfaceFinding.objects.select_for_update(of=("self",)).get(pk=finding.pk)
    if locked.state != FindingState.OPEN:
        raise IllegalTransition(f"{locked} is not open.")
    if OptimizationRun.objects.filter(finding=locked, state__in=ACTIVE).exists():
        raise IllegalTransition(f"A run for {locked} is under way.")
    run = OptimizationRun.objects.create(
        finding=locked, base=_base(locked), optimizer=DEFAULT, created_at=clock.now()
    )
    after = {"run": run.pk, "base": run.base.number, "optimizer": run.optimizer}
    record(
        RegistryVerb.OPTIMIZATION_REQUESTED,
        locked,
        actor=actor,
        project=locked.project,
        after=after,
    )
    ring(run_task)
    return run


def request_due(*, actor: Actor) -> int:
    """Ask for a version for every finding that waits for one since CALM, the heaviest first, one a
    prompt within PAUSE. Returns how many it asked for."""
    asked = 0
    calm = findings.unattended().filter(opened_at__lte=clock.now() - CALM)
    for finding in calm.select_related("project", "prompt"):
        if _is_paused(finding) or not PromptVersion.objects.filter(prompt=finding.prompt).exists():
            continue
        try:
            request(finding=finding, actor=actor)
        except IllegalTransition:
            continue  # somebody was quicker
        asked += 1
    return asked


def _is_paused(finding: SurfaceFinding) -> bool:
    now = clock.now()
    answered = Q(created_at__gt=now - PAUSE) & ~Q(state=RunState.FAILED)
    failed = Q(created_at__gt=now - findings.PAUSES[0], state=RunState.FAILED)
    runs = OptimizationRun.objects.filter(finding__prompt=finding.prompt)
    return runs.filter(answered | failed).exists()


def run_due() -> int:
    """Do the oldest run that waits, or that lost its worker. Returns how many it did: 0 or 1."""
    for pk in _claimable().order_by("pk").values_list("pk", flat=True)[:5]:
        if claimed := _claim(pk):
            _work(claimed)
            return 1
    return 0


def run(run_id: int, *, lease: timedelta = LEASE) -> OptimizationRun:
    """Do this run. Raises IllegalTransition where it neither waits nor has lost its worker.

    lease  for how long a worker may be silent; nought takes the run over from one known to be dead
    """
    claimed = _claim(run_id, lease=lease)
    if claimed is None:
        raise IllegalTransition(f"Optimization run {run_id} is not waiting.")
    _work(claimed)
    return OptimizationRun.objects.select_related("proposal", "finding").get(pk=run_id)


@shared_task(name="registry.optimize.run_due")
def run_task() -> None:
    request_due(actor=SYSTEM)
    while run_due():
        pass


def _base(finding: SurfaceFinding) -> PromptVersion:
    if finding.lever != Lever.PROMPT:
        raise ValidationError(
            {"finding": f"Not a better prompt is asked for, but: {finding.get_lever_display()}."}
        )
    if finding.prompt is None:
        raise ValidationError({"finding": "It is not known which prompt gave these outputs."})
    latest = PromptVersion.objects.filter(prompt=finding.prompt).order_by("-number").first()
    if latest is None:
        raise ValidationError({"finding": f"{finding.prompt} has no version to begin with."})
    return gate.live_version(finding.prompt) or latest


def _claimable(lease: timedelta = LEASE) -> QuerySet[OptimizationRun]:
    stale = Q(state=RunState.RUNNING, started_at__lte=clock.now() - lease)
    return OptimizationRun.objects.filter(Q(state=RunState.PENDING) | stale)


def _claim(run_id: int, *, lease: timedelta = LEASE) -> OptimizationRun | None:
    """The run, if this call is the one that got it. `started_at` is the token of the claim."""
    waiting = _claimable(lease).filter(pk=run_id)
    if not waiting.update(state=RunState.RUNNING, started_at=clock.now()):
        return None
    rows = OptimizationRun.objects.select_related("finding__project", "base__prompt__project")
    return rows.get(pk=run_id)


@slow
def _work(claimed: OptimizationRun) -> None:
    try:
        proposal = CATALOG[claimed.optimizer]().propose(assignment_for(claimed))
    except llm.LlmError as error:
        _give_up(claimed, RunState.FAILED, f"The optimizer model failed: {error}", calls=1)
    except Exception as error:
        # A run that breaks would be claimed again for ever.
        log.exception("optimization run %s failed", claimed.pk)
        _give_up(claimed, RunState.FAILED, f"The run broke off: {error}"[:500], calls=0)
    else:
        _conclude(claimed, proposal)


def _conclude(claimed: OptimizationRun, proposal: Proposal) -> None:
    told = " ".join(f"Not made: {each}" for each in proposal.rejected)
    if not proposal.edits:
        reason = told or "The optimizer proposes no change."
        _give_up(claimed, RunState.NO_CHANGE, reason, calls=proposal.calls)
        return
    try:
        _propose(claimed, proposal, reason=told, actor=SYSTEM)
    except (ValidationError, IllegalTransition) as error:
        said = " ".join(error.messages) if isinstance(error, ValidationError) else str(error)
        _give_up(claimed, RunState.FAILED, said, calls=proposal.calls)


@command
def _propose(
    claimed: OptimizationRun, proposal: Proposal, *, reason: str, actor: Actor
) -> PromptVersion | None:
    """The version, the finding's new state and the gate's order in one; None where another worker
    has finished the run meanwhile."""
    finding = claimed.finding
    # Parent first: going live locks the prompt and then its findings.
    Prompt.objects.select_for_update(no_key=True).get(pk=claimed.base.prompt_id)
    held = _held_by(claimed).select_for_update(of=("self",)).first()
    if held is None:
        log.warning("optimization run %s was finished elsewhere", claimed.pk)
        return None
    findings.mark_proposed(finding, actor=actor)
    version = prompts.store_version(
        prompt=claimed.base.prompt,
        blocks=proposal.blocks,
        parent=claimed.base,
        origin=Origin.OPTIMIZER,
        note=f"Proposed against “{finding.mode}”: {proposal.edits[0].hypothesis}",
        citations=_citations(finding, proposal),
        actor=actor,
    )
    _finish(claimed, RunState.PROPOSED, reason, proposal.calls, proposal=version, actor=actor)
    gate.enqueue(version=version, target_mode=finding.mode, actor=actor)
    return version


def _citations(finding: SurfaceFinding, proposal: Proposal) -> Sequence[prompts.Reason]:
    wanted = {pk for edit in proposal.edits for pk in edit.evidence_ids}
    rows = Evidence.objects.in_bulk(wanted)
    # Two edits of a block may rest on the same evidence, which is cited once.
    cited = {
        (pk, edit.block): (rows[pk], edit.block, finding.mode, edit.hypothesis)
        for edit in proposal.edits
        for pk in edit.evidence_ids
    }
    return list(cited.values())


@command
def _give_up(claimed: OptimizationRun, state: RunState, reason: str, *, calls: int) -> None:
    _finish(claimed, state, reason, calls, actor=SYSTEM)


@step
def _finish(
    claimed: OptimizationRun,
    state: RunState,
    reason: str,
    calls: int,
    *,
    proposal: PromptVersion | None = None,
    actor: Actor,
) -> None:
    """Nothing where another worker has finished the run meanwhile."""
    done = _held_by(claimed).update(
        state=state,
        reason=reason.replace("\x00", ""),
        calls=calls,
        proposal=proposal,
        finished_at=clock.now(),
    )
    if not done:
        return
    after = {"run": claimed.pk, "state": str(state), "calls": calls}
    record(
        RegistryVerb.OPTIMIZATION_FINISHED,
        claimed.finding,
        actor=actor,
        project=claimed.finding.project,
        after=after | {"proposal": proposal.number if proposal else None},
    )


def _held_by(claimed: OptimizationRun) -> QuerySet[OptimizationRun]:
    return OptimizationRun.objects.filter(
        pk=claimed.pk, state=RunState.RUNNING, started_at=claimed.started_at
    )
