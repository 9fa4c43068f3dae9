"""Scores: rules on every trace in one transaction a batch, judges outside any."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import groupby
from typing import Any

from celery import shared_task
from django.db import connection

from core import clock, llm
from core.access import SYSTEM
from core.db import command, ring, step
from core.models import Project
from core.sweeps import work_off
from registry import release, rubrics
from registry.evaluators import ModelJudge, Signal, Subject, deterministic
from routing import faults
from routing.decide import decide_task
from routing.models import Payload, Score, Trace
from routing.models.trace import Stage

BATCH = 200
JUDGE_BATCH = 32
TURN_SECONDS = 20
AT_ONCE = 8
# More than the time-out of one call.
JUDGE_LEASE = timedelta(seconds=90)
SENT = "sent:"

CLAIM_UNJUDGED = """
UPDATE routing_trace SET busy_until = %(until)s WHERE id IN (
    SELECT id FROM routing_trace
    WHERE stage = 'scored' AND (busy_until IS NULL OR busy_until <= %(now)s)
    ORDER BY id LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
RETURNING id
"""


@command
def score_due(*, limit: int = BATCH, among: Sequence[int] | None = None) -> int:
    """Run the deterministic evaluators on a batch (only of those `among` these ids, where given).
    Returns how many traces it took."""
    waiting = Trace.objects.unscored(clock.now()).among(among)
    traces = list(waiting.select_for_update(skip_locked=True).order_by("pk")[:limit])
    if not traces:
        return 0
    payloads = payloads_of(traces)
    subjects = [subject_of(trace, payloads.get(trace.pk)) for trace in traces]
    rows = [
        _score(trace, signal)
        for evaluator in deterministic()
        for trace, signal in zip(traces, evaluator.evaluate(subjects), strict=True)
        if applies(signal)
    ]
    rows += [row for trace in traces for row in _sent(trace, payloads.get(trace.pk))]
    Score.objects.bulk_create(rows, ignore_conflicts=True)
    stage = Stage.SCORED if llm.configured("judge") else Stage.JUDGED
    Trace.objects.filter(pk__in=[trace.pk for trace in traces]).update(stage=stage)
    ring(judge_task if stage == Stage.SCORED else decide_task)
    return len(traces)


def judge_due(*, limit: int = JUDGE_BATCH) -> int:
    """Let the judge look at a batch that the rules have scored. Returns how many it took.

    The calls stand outside any transaction; the lease on the rows runs out by itself where the
    process dies in between. A judge that fails leaves a missing signal, and the trace goes on.
    """
    ids = _claim_unjudged(limit)
    if not ids:
        return 0
    traces = list(Trace.objects.filter(pk__in=ids).select_related("project"))
    traces.sort(key=lambda trace: (trace.project_id, trace.pk))
    payloads = payloads_of(traces)
    left = [trace.pk for trace in traces]
    for project, rows in groupby(traces, key=lambda trace: trace.project):
        for part in _parts(list(rows)):
            _renew(left)
            subjects = [subject_of(trace, payloads.get(trace.pk)) for trace in part]
            store_judgements(list(zip(part, _judge(project, subjects), strict=True)))
            left = left[len(part) :]
    return len(ids)


def _parts(traces: Sequence[Trace]) -> Iterator[Sequence[Trace]]:
    """As many as are asked for at once: what one lease is long enough for, and what is lost and
    paid for again where the process dies."""
    return (traces[start : start + AT_ONCE] for start in range(0, len(traces), AT_ONCE))


def _renew(ids: Sequence[int]) -> None:
    until = clock.now() + JUDGE_LEASE
    Trace.objects.filter(pk__in=ids, stage=Stage.SCORED).update(busy_until=until)


def _claim_unjudged(limit: int) -> list[int]:
    now = clock.now()
    with connection.cursor() as cursor:
        cursor.execute(CLAIM_UNJUDGED, {"until": now + JUDGE_LEASE, "now": now, "limit": limit})
        return [row[0] for row in cursor.fetchall()]


def _judge(project: Project, subjects: Sequence[Subject]) -> list[Signal | None]:
    version = rubrics.current(project)
    modes = [*rubrics.modes_of(version).values()] if version else []
    # An edition without modes can tell good from bad, but leaves nothing to judge by.
    if not modes or not llm.configured("judge"):
        return [None] * len(subjects)
    judge = ModelJudge(modes, project_id=project.pk, workers=AT_ONCE)
    return [*judge.evaluate(subjects)]


@command
def store_judgements(found: Sequence[tuple[Trace, Signal | None]]) -> None:
    """Write what the judge said and let the traces go on; push canaries' outcomes down."""
    Score.objects.bulk_create(
        (_score(trace, signal) for trace, signal in found if signal and applies(signal)),
        ignore_conflicts=True,
    )
    Trace.objects.filter(pk__in=[trace.pk for trace, _ in found], stage=Stage.SCORED).update(
        stage=Stage.JUDGED, busy_until=None
    )
    _observe(found)
    ring(decide_task)


@step
def _observe(found: Iterable[tuple[Trace, Signal | None]]) -> None:
    from_judge = [
        release.ObservationIn(
            release_id=trace.release_id,
            arm=trace.arm,
            unit=trace.unit,
            source="judge",
            trace_ref=trace.pk,
            defect=signal.failed,
            at=clock.now(),
        )
        for trace, signal in found
        if trace.release_id and trace.arm and signal and signal.failed is not None
    ]
    if from_judge:
        release.observe(from_judge, actor=SYSTEM)


def payloads_of(traces: Iterable[Trace]) -> dict[int, Payload]:
    """The payloads by trace id, in one statement that touches only their partitions."""
    rows = list(traces)
    starts = [trace.started_at for trace in rows]
    found = Payload.objects.filter(
        trace_id__in=[trace.pk for trace in rows],
        started_at__gte=min(starts),
        started_at__lte=max(starts),
    )
    return {payload.trace_id: payload for payload in found}


def subject_of(trace: Trace, payload: Payload | None) -> Subject:
    """What evaluators are given of a trace."""
    content: dict[str, Any] = payload.content if payload else {}
    return Subject(
        messages=content.get("messages", []),
        output=payload.output if payload else "",
        documents=content.get("documents", []),
        steps=content.get("steps", []),
        variables=content.get("variables", {}),
        metadata=content.get("metadata", {}),
        task=trace.task,
        language=trace.language,
        latency_ms=trace.latency_ms,
        cost_usd=float(trace.cost_usd) if trace.cost_usd is not None else None,
        tokens_out=trace.tokens_out,
        error=content.get("error", ""),
    )


def applies(signal: Signal) -> bool:
    """A signal without value and without error does not apply to the output: no row."""
    return signal.value is not None or bool(signal.error)


def _score(trace: Trace, signal: Signal) -> Score:
    return Score(
        trace=trace,
        evaluator=signal.name,
        version=signal.version,
        value=signal.value,
        failed=signal.failed,
        modes=list(signal.modes),
        explanation=signal.explanation,
        error=signal.error,
        at=clock.now(),
    )


def _sent(trace: Trace, payload: Payload | None) -> list[Score]:
    """The automatic signals that came with the trace, kept beside our own under their names.

    Which end of their scale is bad is not known, so only a policy that names them uses them.
    """
    sent: dict[str, Any] = payload.content.get("scores", {}) if payload else {}
    rows = []
    for name, value in sent.items():
        number = float(value) if isinstance(value, int | float) else None
        fits = number is not None and 0 <= number <= 1
        rows.append(
            Score(
                trace=trace,
                evaluator=f"{SENT}{name}"[:80],
                version="1",
                value=number if fits else None,
                explanation=str(value)[:2000],
                error="" if fits else "not a number from 0 to 1",
                at=clock.now(),
            )
        )
    return rows


@shared_task(name="routing.scoring.score_due")
def score_task() -> None:
    def waiting() -> list[int]:
        due = Trace.objects.unscored(clock.now()).order_by("pk")
        return list(due.values_list("pk", flat=True)[:BATCH])

    work_off(lambda ids: score_due(among=ids), waiting=waiting, set_aside=faults.set_aside)


@shared_task(name="routing.scoring.judge_due")
def judge_task() -> None:
    """A turn, not all there is: the sweep comes back in seconds, and what waits behind a slow
    judge in the same workers (deciding, rolling back) must have its turn too."""
    until = time.monotonic() + TURN_SECONDS
    while judge_due() and time.monotonic() < until:
        pass
