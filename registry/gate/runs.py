"""Gate runs: asked for, claimed, held outside any transaction, and written in one command."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any, Final

from celery import shared_task
from django.db.models import F, Q, QuerySet

from core import clock, llm
from core.access import SYSTEM, Actor, Verb, require
from core.audit import record
from core.db import IllegalTransition, command, ring, slow, step
from core.models import User
from registry import rubrics
from registry.gate import trial
from registry.gate.cases import choose
from registry.gate.verdict import Verdict, decide
from registry.models import GateCaseResult, GateRun, GoldenCase, Prompt, PromptVersion, Release
from registry.models.gate import GateState
from registry.models.release import ReleaseState
from registry.verbs import RegistryVerb

log = logging.getLogger(__name__)

LEASE: Final = timedelta(minutes=15)
"""A run that has not moved for so long has lost its worker."""
ACTIVE: Final = (GateState.PENDING, GateState.RUNNING)


class CannotRun(Exception):
    """There is nothing to run the gate with. The message says what is missing."""


@command
def request(*, version: PromptVersion, target_mode: str = "", actor: Actor) -> GateRun:
    """Ask for `version` to be compared with the version that is live, else with its parent.

    target_mode  failure mode that it is to mend; empty: it need only not be worse
    Raises IllegalTransition where a run of this version waits or runs.
    """
    return enqueue(version=version, target_mode=target_mode, actor=actor)


@step
def enqueue(*, version: PromptVersion, target_mode: str = "", actor: Actor) -> GateRun:
    """`request` for a command that does more than that."""
    project = version.prompt.project
    require(actor, Verb.EDIT_PROMPT, project=project)
    Prompt.objects.select_for_update(no_key=True).get(pk=version.prompt_id)
    if GateRun.objects.filter(candidate=version, state__in=ACTIVE).exists():
        raise IllegalTransition(f"A gate run of {version} is under way.")
    run = GateRun.objects.create(
        candidate=version,
        baseline=_baseline(version),
        target_mode=target_mode,
        requested_by=actor if isinstance(actor, User) else None,
        created_at=clock.now(),
    )
    after = {"run": run.pk, "target_mode": target_mode}
    record(RegistryVerb.GATE_REQUESTED, version, actor=actor, project=project, after=after)
    ring(run_task)
    return run


def run_due() -> int:
    """Hold the oldest run that waits, or that lost its worker. Returns how many it held: 0 or 1."""
    for pk in _claimable().order_by("pk").values_list("pk", flat=True)[:5]:
        if claimed := _claim(pk):
            _hold(claimed)
            return 1
    return 0


def run(run_id: int, *, lease: timedelta = LEASE) -> GateRun:
    """Hold this run. Raises IllegalTransition where it neither waits nor has lost its worker.

    lease  for how long a worker may be silent; nought takes the run over from one known to be dead
    """
    claimed = _claim(run_id, lease=lease)
    if claimed is None:
        raise IllegalTransition(f"Gate run {run_id} is not waiting.")
    _hold(claimed)
    return GateRun.objects.get(pk=run_id)


@shared_task(name="registry.gate.run_due", soft_time_limit=3300, time_limit=3360)
def run_task() -> None:
    while run_due():
        pass


def _claimable(lease: timedelta = LEASE) -> QuerySet[GateRun]:
    stale = Q(state=GateState.RUNNING, started_at__lte=clock.now() - lease)
    return GateRun.objects.filter(Q(state=GateState.PENDING) | stale)


def _claim(run_id: int, *, lease: timedelta = LEASE) -> GateRun | None:
    """The run, if this call is the one that got it. `started_at` is the token of the claim."""
    waiting = _claimable(lease).filter(pk=run_id)
    if not waiting.update(state=GateState.RUNNING, started_at=clock.now()):
        return None
    return GateRun.objects.select_related(
        "candidate__prompt__project", "baseline__prompt__project"
    ).get(pk=run_id)


@slow
def _hold(claimed: GateRun) -> None:
    held = trial.Trial()
    try:
        held, verdict = _compare(claimed)
    except (CannotRun, llm.NotConfigured) as reason:
        verdict = Verdict(GateState.NOT_RUN, str(reason), {})
    except IllegalTransition:
        log.warning("gate run %s went on elsewhere", claimed.pk)
        return
    except Exception as error:
        # A run that breaks would be claimed again for ever.
        log.exception("gate run %s failed", claimed.pk)
        verdict = Verdict(GateState.NOT_RUN, f"The gate broke off: {error}"[:500], {})
    _finish(claimed, held, verdict, actor=SYSTEM)


def _compare(claimed: GateRun) -> tuple[trial.Trial, Verdict]:
    if lacking := [line for purpose in ("task", "judge") if (line := llm.missing(purpose))]:
        raise CannotRun(" ".join(lacking))
    if claimed.baseline is None:
        raise CannotRun("There is no other version to compare it with.")
    rubric = rubrics.current(claimed.candidate.prompt.project)
    modes = rubrics.modes_of(rubric) if rubric else {}
    if rubric is None or not modes:
        raise CannotRun("The project has no rubric with failure modes to judge by.")
    if claimed.target_mode and claimed.target_mode not in modes:
        raise CannotRun(f"{rubric} has no failure mode {claimed.target_mode!r}.")
    cases = choose(claimed.candidate)
    if not cases:
        raise CannotRun(
            "There is no golden case of this prompt yet; clear answers of reviewers become some."
        )
    arms = trial.Arms(claimed.baseline, claimed.candidate)
    held = trial.hold(arms, cases, rubric=rubric, renew=lambda: _renew(claimed))
    label = modes[claimed.target_mode].label if claimed.target_mode else ""
    return held, _verdict(held, claimed.target_mode, label)


def _verdict(held: trial.Trial, target: str, label: str) -> Verdict:
    outcomes, left_out = trial.outcomes(held), trial.left_out(held)
    if not outcomes:
        first = next(each.error for each in held.answers if each.error)
        return Verdict(GateState.NOT_RUN, f"No case could be compared: {first}", held.instruments)
    verdict = decide(
        outcomes,
        target=target,
        label=label,
        left_out=len(left_out),
        must_pass_left_out=sum(case.must_pass for case in left_out),
    )
    return Verdict(verdict.state, verdict.reason, verdict.result | held.instruments)


def _renew(claimed: GateRun) -> None:
    """Tell that the run moves on. Raises IllegalTransition where it does so elsewhere."""
    now = clock.now()
    if not _held_by(claimed).update(started_at=now):
        raise IllegalTransition(f"Gate run {claimed.pk} was taken over.")
    claimed.started_at = now


def _held_by(claimed: GateRun) -> QuerySet[GateRun]:
    return GateRun.objects.filter(
        pk=claimed.pk, state=GateState.RUNNING, started_at=claimed.started_at
    )


@command
def _finish(claimed: GateRun, held: trial.Trial, verdict: Verdict, *, actor: Actor) -> None:
    """All of it or nothing; what another worker has finished meanwhile stays as it is."""
    done: dict[str, Any] = {"state": verdict.state, "reason": verdict.reason}
    done |= {"result": verdict.result, "finished_at": clock.now()}
    if not _held_by(claimed).update(**done):
        log.warning("gate run %s was finished elsewhere", claimed.pk)
        return
    GateCaseResult.objects.bulk_create(
        (_row(claimed, answer) for answer in held.answers), batch_size=200
    )
    used = {answer.case.pk for answer in held.answers}
    GoldenCase.objects.filter(pk__in=used).update(times_used=F("times_used") + 1)
    after = {"run": claimed.pk, "state": str(verdict.state), "cases": len(used)}
    record(
        RegistryVerb.GATE_FINISHED,
        claimed.candidate,
        actor=actor,
        project=claimed.candidate.prompt.project,
        after=after,
    )


def _row(claimed: GateRun, answer: trial.Answer) -> GateCaseResult:
    return GateCaseResult(
        run=claimed,
        case=answer.case,
        arm=answer.arm,
        passed=answer.passed,
        modes=list(answer.modes),
        output=answer.output.replace("\x00", ""),
        error=answer.error.replace("\x00", ""),
    )


def _baseline(version: PromptVersion) -> PromptVersion | None:
    """What is live now, else what it was made from."""
    return live_version(version.prompt, other_than=version) or version.parent


def live_version(prompt: Prompt, other_than: PromptVersion | None = None) -> PromptVersion | None:
    """The version of `prompt` that went live last and still is, in any environment."""
    live = Release.objects.filter(prompt=prompt, state=ReleaseState.LIVE)
    if other_than is not None:
        live = live.exclude(version=other_than)
    newest = live.select_related("version").order_by("-started_at", "-pk").first()
    return newest.version if newest else None
