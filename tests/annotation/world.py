"""Outputs that wait for people, made through the rooms of the floors below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from annotation.labels import Submission, submit
from annotation.models import Label
from core import clock
from core.access import SYSTEM
from core.db import opened
from core.models import Environment, User
from registry.models import PromptVersion, RubricVersion
from registry.rubrics import Finding, Scorecard
from routing import policy, queue, reviewers
from routing.ingest import ingest
from routing.models import Decision, Item, Trace
from routing.models.decision import Action, Tier
from routing.models.queue import Purpose
from routing.spans import TraceIn
from tests import factories

FINE = Scorecard("acceptable")
SILENT = Scorecard("unstated")
LOST = Scorecard("cannot_judge")
CONVERSATION = [
    {"role": "system", "content": "You are the assistant of Harbour Bank."},
    {"role": "user", "content": "Is my deposit insured?"},
]


def bad(*modes: str, **more: Any) -> Scorecard:
    """A defective output with these modes; `more` goes to each finding."""
    return Scorecard("defective", tuple(Finding(mode, **more) for mode in modes or ("tone",)))


def make_traces(
    environment: Environment, count: int = 1, version: PromptVersion | None = None, **more: Any
) -> list[Trace]:
    """Stored outputs of a small bank's assistant; without a prompt unless `version` is given."""
    if version:
        more = {"prompt_name": version.prompt.slug, "prompt_version": str(version.number)} | more
    whole = [
        TraceIn(
            **{
                "trace_id": factories.unique("trace"),
                "started_at": clock.now(),
                "messages": CONVERSATION,
                "documents": [{"id": "d1", "title": "Insurance", "text": "Up to 100,000."}],
                "variables": {"bank": "Harbour Bank", "question": "Is my deposit insured?"},
                "output": "Yes, without any limit.",
                "complete": True,
            }
            | more
        )
        for _ in range(count)
    ]
    return ingest(whole, environment=environment, actor=SYSTEM).created


def make_items(
    traces: Sequence[Trace],
    opinions: int = 1,
    purpose: Purpose = Purpose.WORK,
    probability: float = 1.0,
) -> list[Item]:
    """The outputs in the queue, each with so many slots."""
    now = clock.now()
    with opened("tests"):
        version = policy.published(traces[0].project)
        decisions = Decision.objects.bulk_create(
            Decision(
                trace=trace, sequence=Decision.objects.filter(trace=trace).count() + 1,
                policy=version, tier=Tier.MEDIUM, action=Action.REVIEW, risk=0.5, factors=[],
                reason="made for a test", probability=probability, seed="s", draw=0.5, at=now,
            )
            for trace in traces
        )  # fmt: skip
        return queue.enqueue(
            [
                queue.Wanted(each, each.trace.project_id, opinions, now + timedelta(hours=1),
                             purpose, {})
                for each in decisions
            ],
            at=now,
        )  # fmt: skip


def enrol(*people: User, environment: Environment) -> None:
    """The people may claim."""
    reviewers.enrol(project=environment.project, users=people, actor=SYSTEM)


def claim(actor: User, environment: Environment, limit: int = 1) -> list[queue.Lease]:
    return queue.claim(project=environment.project, actor=actor, limit=limit)


def answer(lease: queue.Lease, scorecard: Scorecard = FINE, **more: Any) -> Submission:
    return Submission(lease.slot_id, lease.token, scorecard, **more)


@dataclass(frozen=True)
class Desk:
    """Where people judge: claims and submits in one go."""

    environment: Environment
    rubric_version: RubricVersion

    def judge(
        self, actor: User, scorecard: Scorecard = FINE, limit: int = 1, **more: Any
    ) -> list[Label]:
        """The person claims up to `limit` outputs and says the same of each."""
        leases = claim(actor, self.environment, limit)
        return self.submit([answer(lease, scorecard, **more) for lease in leases], actor)

    def submit(self, submissions: Sequence[Submission], actor: User) -> list[Label]:
        return submit(submissions, rubric_version=self.rubric_version, source="page", actor=actor)
