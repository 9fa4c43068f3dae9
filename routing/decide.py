"""One immutable decision for each output, with all that is needed to repeat it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from celery import shared_task

from core import clock
from core.db import command, step
from core.models import Project
from core.sweeps import work_off
from routing import faults, policy, sla
from routing.models import AutoApproval, Decision, RiskPolicy, Score, Trace
from routing.models.decision import Action, Tier
from routing.models.queue import Purpose
from routing.models.trace import Stage
from routing.queue import Wanted, enqueue

BATCH = 200
SEED_LENGTH = 64


@dataclass(frozen=True, slots=True)
class _Frame:
    """What holds for every trace of a project in one batch."""

    version: RiskPolicy
    rules: policy.Rules
    grant: AutoApproval | None
    targets: dict[str, sla.Target]


@command
def decide_due(*, limit: int = BATCH, among: Sequence[int] | None = None) -> int:
    """Decide a batch (only of those `among` these ids, where given): tier, action, draw; put
    before people what people must see."""
    waiting = Trace.objects.undecided(clock.now()).among(among)
    traces = list(
        waiting.select_for_update(skip_locked=True, of=("self",))
        .select_related("project")
        .order_by("pk")[:limit]
    )
    if not traces:
        return 0
    frames = {project: _frame(project) for project in {trace.project for trace in traces}}
    readings = _readings(traces)
    decisions = [
        _decide(trace, readings.get(trace.pk, {}), frames[trace.project]) for trace in traces
    ]
    Decision.objects.bulk_create(decisions)
    _queue(decisions, frames)
    Trace.objects.filter(pk__in=[trace.pk for trace in traces]).update(stage=Stage.DECIDED)
    return len(traces)


@step
def _frame(project: Project) -> _Frame:
    found = policy.published(project)
    return _Frame(
        version=found,
        rules=policy.read_rules(found.rules),
        grant=AutoApproval.objects.in_force().filter(project=project).first(),
        targets=sla.targets(project),
    )


def _readings(traces: Sequence[Trace]) -> dict[int, dict[str, policy.Reading]]:
    found: dict[int, dict[str, policy.Reading]] = {}
    for row in Score.objects.filter(trace__in=[trace.pk for trace in traces]):
        reading = policy.Reading(row.value, row.explanation, row.error)
        found.setdefault(row.trace_id, {})[row.evaluator] = reading
    return found


def _decide(trace: Trace, readings: dict[str, policy.Reading], frame: _Frame) -> Decision:
    found = policy.assess(frame.rules, readings, task=trace.task, status=trace.status)
    seed = seed_of(trace.project.slug, trace.trace_id, frame.version.number)
    drawn = draw(seed)
    action, probability = _act(found, frame, drawn)
    return Decision(
        trace=trace,
        sequence=1,
        policy=frame.version,
        auto_approval=frame.grant,
        tier=found.tier,
        action=action,
        risk=round(found.risk, 6),
        factors=[factor.to_json() for factor in found.factors],
        reason=_say(found, action, frame),
        probability=probability,
        seed=seed,
        draw=drawn,
        sla={} if action == Action.AUTO_APPROVE else frame.targets[found.tier].snapshot,
        at=clock.now(),
    )


def seed_of(slug: str, trace_id: str, policy_number: int) -> str:
    """What names the draw, in words; a digest of the words (BLAKE2b) where the column is too
    narrow for them."""
    words = f"{slug}/{trace_id}/policy {policy_number}"
    if len(words) <= SEED_LENGTH:
        return words
    return hashlib.blake2b(words.encode(), digest_size=SEED_LENGTH // 2).hexdigest()


def draw(seed: str) -> float:
    """A uniform number in [0, 1) that anybody can draw again from `seed` (BLAKE2b, 53 bits)."""
    digest = hashlib.blake2b(seed.encode(), digest_size=8).digest()
    return (int.from_bytes(digest) >> 11) / 2**53


def _act(found: policy.Assessment, frame: _Frame, drawn: float) -> tuple[Action, float]:
    """The action, and the probability with which a person sees an output like this."""
    if found.tier != Tier.LOW or frame.grant is None:
        return Action.REVIEW, 1.0
    share = frame.rules.audit_share
    return (Action.AUDIT if drawn < share else Action.AUTO_APPROVE), share


def _say(found: policy.Assessment, action: Action, frame: _Frame) -> str:
    """The decision in plain words."""
    if found.vetoes:
        return f"A person looks because {'; '.join(found.vetoes)}."
    if found.tier != Tier.LOW:
        worst = max(found.factors, key=lambda factor: factor.contribution, default=None)
        named = f", most of it from {worst.name}" if worst else ""
        return f"Risk {found.risk:.2f} is {found.tier}{named}."
    if action == Action.REVIEW:
        return "Risk is low, but nobody has granted auto-approval: every output is reviewed."
    share = f"{frame.rules.audit_share:.1%}"
    if action == Action.AUDIT:
        return f"Risk is low. Auto-approved, and drawn for the audit of {share}."
    return f"Risk is low. Auto-approved; not drawn for the audit of {share}."


@step
def _queue(decisions: Sequence[Decision], frames: dict[Project, _Frame]) -> None:
    wanted = []
    for decision in decisions:
        if decision.action == Action.AUTO_APPROVE:
            continue
        frame = frames[decision.trace.project]
        target = frame.targets[decision.tier]
        wanted.append(
            Wanted(
                decision=decision,
                project_id=decision.trace.project_id,
                opinions=_opinions(decision, frame.rules),
                due_at=target.due(decision.at),
                purpose=Purpose.AUDIT if decision.action == Action.AUDIT else Purpose.WORK,
                snapshot=target.snapshot,
            )
        )
    enqueue(wanted, at=clock.now())


def _opinions(decision: Decision, rules: policy.Rules) -> int:
    by_tier: dict[Any, int] = dict(rules.opinions)
    return by_tier[str(decision.tier)]


@shared_task(name="routing.decide.decide_due")
def decide_task() -> None:
    def waiting() -> list[int]:
        due = Trace.objects.undecided(clock.now()).order_by("pk")
        return list(due.values_list("pk", flat=True)[:BATCH])

    work_off(lambda ids: decide_due(among=ids), waiting=waiting, set_aside=faults.set_aside)
