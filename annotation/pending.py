"""What waits on all floors, how long the oldest has waited, and leases that nobody took up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import chain
from typing import Any, Final, NamedTuple

from django.db.models import Min, QuerySet

import annotation.metrics
import registry.metrics
import routing.metrics
from annotation import consensus
from core import clock
from core.doctor import Check, Probe, State
from core.metrics import Sample
from registry.models import GateRun, Observation, OptimizationRun
from registry.models.gate import GateState
from registry.models.optimization import RunState
from routing.models import Item, Slot, Trace
from routing.models.queue import SlotState

LATE: Final = timedelta(minutes=15)  # a sweep comes every few seconds, a gate may take minutes
STUCK: Final = timedelta(hours=1)
FORGOTTEN: Final = timedelta(days=1)
FLOORS: Final = (registry.metrics, routing.metrics, annotation.metrics)


class Stage(NamedTuple):
    """Work that a machine does: its gauge, its rows, and since when a row waits.

    `patience` is None for what waits by design, for instance for more of its kind.
    """

    gauge: str
    labels: dict[str, str]
    rows: QuerySet[Any]
    since: str
    patience: timedelta | None


def stages(now: datetime) -> list[Stage]:
    """Every stage whose oldest row has an age, in the order of a trace's way."""
    traces = "whetstone_traces_pending"
    on_the_way = Trace.objects.on_the_way()
    return [
        # Until it settles, a trace waits for its spans, not for us.
        Stage(traces, {"stage": "received"}, Trace.objects.unsettled(now), "settle_at", LATE),
        *(
            Stage(traces, {"stage": name}, on_the_way.filter(stage=name), "settle_at", LATE)
            for name in ("settled", "scored", "judged")
        ),
        Stage("whetstone_consensus_due", {}, consensus.due(), "closed_at", LATE),
        Stage("whetstone_observations_due", {}, Observation.objects.due(), "at", None),
        Stage("whetstone_optimizations_due", {}, OptimizationRun.objects.due(), "created_at", LATE),
        Stage("whetstone_gate_runs_due", {}, GateRun.objects.due(), "created_at", LATE),
    ]


def probes() -> Iterator[tuple[str, Probe]]:
    """The checks of the domain, for `core.doctor.examine`."""
    yield "pending", check_pending
    yield "review", check_review
    yield "leases", check_leases
    yield "runs", check_runs


def waiting() -> list[tuple[Sample, timedelta | None]]:
    """Each gauge of pending work, and how late its oldest row is (None: nothing, or no age)."""
    now = clock.now()
    known = {(stage.gauge, *stage.labels.values()): stage for stage in stages(now)}
    samples = chain.from_iterable(floor.samples() for floor in FLOORS)
    return [
        (sample, _age(known.get((sample.name, *sample.labels.values())), now))
        for sample in samples
        if sample.name.endswith(("_due", "_pending"))
    ]


def check_pending() -> Check:
    """What waits for workers, by stage, with the age of the oldest."""
    found = [(sample, age) for sample, age in waiting() if sample.value]
    if not found:
        return Check("pending", State.OK, "Nothing waits for a worker.")
    sentence = "; ".join(_words(sample, age) for sample, age in found) + "."
    if not any(age is not None and age > LATE for _, age in found):
        return Check("pending", State.OK, sentence)
    advice = "See that beat and workers run and keep up: more workers, or read their logs."
    return Check("pending", State.WARN, sentence, advice)


def check_review() -> Check:
    """What waits for people, and how late the latest is."""
    now = clock.now()
    open_items, late = Item.objects.waiting(), Item.objects.overdue(now)
    count, overdue = open_items.count(), late.count()
    sentence = f"{count:,} outputs wait for people, {overdue:,} of them past their due date."
    if not overdue:
        return Check("review", State.OK, sentence)
    first = late.aggregate(first=Min("due_at"))["first"]
    advice = "More reviewers, or a policy that sends less: see the SLA board."
    return Check("review", State.WARN, f"{sentence} The latest by {_span(now - first)}.", advice)


def check_leases() -> Check:
    """Leases that ran out long ago and that nobody took over: what is open is not being read."""
    edge = clock.now() - FORGOTTEN
    slots = Slot.objects.filter(state=SlotState.LEASED, until__lt=edge).count()
    if not slots:
        return Check("leases", State.OK, "None ran out more than a day ago.")
    sentence = f"{slots:,} ran out more than a day ago, and nobody has claimed those outputs since."
    advice = "They can be claimed like any other: see that reviewers are enrolled and at work."
    return Check("leases", State.WARN, sentence, advice)


def check_runs() -> Check:
    """Work of the model workers that began and does not end, and judges that died over theirs."""
    edge = clock.now() - STUCK
    counts: dict[str, QuerySet[Any]] = {
        "gate runs": GateRun.objects.filter(state=GateState.RUNNING, started_at__lt=edge),
        "optimizations": OptimizationRun.objects.filter(
            state=RunState.RUNNING, started_at__lt=edge
        ),
        "judgements": Trace.objects.unjudged(clock.now()).filter(busy_until__lt=edge),
    }
    stuck = [f"{n:,} {name}" for name, rows in counts.items() if (n := rows.count())]
    if not stuck:
        return Check("runs", State.OK, "None has run for more than an hour.")
    advice = "A worker that serves the queue `models` takes them up again: see that one runs."
    return Check("runs", State.WARN, f"Begun more than an hour ago: {', '.join(stuck)}.", advice)


def _age(stage: Stage | None, now: datetime) -> timedelta | None:
    """How long the oldest row has waited; None where it may wait as long as it likes."""
    if stage is None or stage.patience is None:
        return None
    first: datetime | None = stage.rows.aggregate(first=Min(stage.since))["first"]
    return max(now - first, timedelta()) if first else None


def _words(sample: Sample, age: timedelta | None) -> str:
    name = sample.name.removeprefix("whetstone_").removesuffix("_due").replace("_", " ")
    label = "".join(f" ({value})" for value in sample.labels.values())
    return f"{name}{label} {sample.value:,.0f}" + (f", oldest {_span(age)}" if age else "")


def _span(age: timedelta) -> str:
    seconds = age.total_seconds()
    for unit, size in (("days", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
