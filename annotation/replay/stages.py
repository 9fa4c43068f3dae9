"""What production does with an output, stage by stage, through the rooms that the pages call.

Every stage asks the database what is left to do, so a replay that was stopped anywhere, even by
SIGKILL, goes on where it was; and whatever is done twice changes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from django.db import connection
from django.db.models import Model, QuerySet

from annotation import consensus
from annotation.models import Label, LabelFinding
from annotation.replay import cast, labelling
from annotation.replay.line import Line
from annotation.replay.progress import Show
from annotation.replay.traces import trace_of
from annotation.replay.world import World
from core import clock
from core.access import SYSTEM
from core.db import IllegalTransition
from core.models import User
from registry import findings, gate, optimize, surfaces
from registry.models import GateRun, OptimizationRun
from registry.models.gate import GateState
from registry.models.optimization import RunState
from routing import decide, ingest, queue, scoring
from routing.models import Item, Payload, Slot, Trace

T = TypeVar("T")

BATCH: Final = 200
MOST_CHARACTERS: Final = 8_000_000
# Slots that one transaction of `assign` may add.
MOST_SLOTS: Final = 4_000
# A judge that died holds its traces for 90 s; nobody holds anything for longer.
PATIENCE: Final = 150.0
# So long a run that lost its worker stays claimed.
LONG_PATIENCE: Final = max(optimize.LEASE, gate.LEASE).total_seconds() + 60
PAUSE: Final = 0.5


class Stuck(Exception):
    """Another process holds what is left, and does nothing with it."""


@dataclass(frozen=True, slots=True)
class Done:
    """The primary key of each line's trace by trace id; how many this run stored, and how many
    were there already."""

    traces: dict[str, int]
    created: int
    known: int


def run(lines: Sequence[Line], dataset: str, world: World, show: Show) -> Done:
    """All stages."""
    done = take_in(lines, world, show)
    traces = done.traces
    refresh_statistics(Trace, Payload)
    scope = Trace.objects.filter(pk__in=list(traces.values()))
    _work_off("Score and decide", scope.on_the_way(), _PIPELINE, show)
    people = cast.gather(
        world.project, dataset, {a.annotator for line in lines for a in line.annotations}
    )
    assign(lines, traces, people, world, show)
    refresh_statistics(Item, Slot)
    labelling.label(lines, traces, people, world, show)
    refresh_statistics(Item, Slot, Label, LabelFinding)
    due = consensus.due().filter(trace__in=list(traces.values()))
    _work_off("Consensus", due, [consensus.settle_due], show)
    surfaces.weigh(project=world.project, actor=SYSTEM)
    improve(world, show)
    return done


def refresh_statistics(*models: type[Model]) -> None:
    """A file comes in faster than the database looks at its tables: plans made for empty ones
    would take minutes. An ANALYZE of a table that has grown takes milliseconds."""
    with connection.cursor() as cursor:
        for model in models:
            cursor.execute(f"ANALYZE {connection.ops.quote_name(model._meta.db_table)}")


def take_in(lines: Sequence[Line], world: World, show: Show) -> Done:
    """Ingest in batches."""
    now, done, known = clock.now(), 0, 0
    version = world.prompt.number if world.prompt else 0
    with show.stage("Ingest", len(lines)) as advance:
        for batch in _batches(lines, lambda line: len(line.output), MOST_CHARACTERS):
            found = ingest.ingest(
                [
                    trace_of(line, at=now, prompt_name=world.prompt_of(line), version=version)
                    for line in batch
                ],
                environment=world.environment,
                actor=SYSTEM,
            )
            done, known = done + len(batch), known + found.duplicates
            advance(done)
    wanted = [line.trace_id for line in lines]
    rows = Trace.objects.filter(environment=world.environment, trace_id__in=wanted)
    return Done(dict(rows.values_list("trace_id", "pk")), created=done - known, known=known)


def _batches(items: Sequence[T], weigh: Callable[[T], int], most: int) -> Iterator[list[T]]:
    """At most BATCH items or, beyond the first, `most` of weight."""
    batch: list[T] = []
    weight = 0
    for item in items:
        if batch and (len(batch) == BATCH or weight + weigh(item) > most):
            yield batch
            batch, weight = [], 0
        batch.append(item)
        weight += weigh(item)
    if batch:
        yield batch


_PIPELINE: Final[Sequence[Callable[[], int]]] = (
    ingest.settle_due,
    scoring.score_due,
    scoring.judge_due,
    decide.decide_due,
)


def _work_off(
    title: str,
    waiting: QuerySet[Any],
    verbs: Sequence[Callable[[], int]],
    show: Show,
    *,
    patience: float | None = None,
) -> None:
    """Batch by batch until nothing waits. Workers may share the work; then it is waited for."""
    total = left = waiting.count()
    if not left:
        return
    seconds = PATIENCE if patience is None else patience
    patient_until = time.monotonic() + seconds
    with show.stage(title, total) as advance:
        while left:
            worked = sum(verb() for verb in verbs)
            before, left = left, waiting.count()
            advance(total - left)
            if worked or left < before:
                patient_until = time.monotonic() + seconds
            elif time.monotonic() > patient_until:
                raise Stuck(f"{title}: another process holds the last {left} and does not go on.")
            else:
                time.sleep(PAUSE)


def assign(
    lines: Sequence[Line], traces: dict[str, int], people: dict[str, User], world: World, show: Show
) -> None:
    """Each output that waits for people goes to those who judged it, and to nobody else."""
    by_trace = {traces[line.trace_id]: line for line in lines if line.annotations}
    waiting = Item.objects.waiting().filter(trace__in=list(by_trace)).order_by("pk")
    items = list(waiting.values_list("pk", "trace_id"))

    def opinions(pair: tuple[int, int]) -> int:
        return len(by_trace[pair[1]].annotations)

    done = 0
    with show.stage("Assign", len(items)) as advance:
        for batch in _batches(items, opinions, MOST_SLOTS):
            queue.assign(
                project=world.project,
                wishes=[_wish(item, by_trace[trace], people) for item, trace in batch],
                actor=SYSTEM,
            )
            done += len(batch)
            advance(done)


def _wish(item_id: int, line: Line, people: dict[str, User]) -> queue.Wish:
    judges = tuple(people[each.annotator] for each in line.annotations)
    return queue.Wish(item_id, judges, only=True)


def improve(world: World, show: Show) -> None:
    """One proposed version of the prompt, for the heaviest finding that an optimizer can answer,
    and its gate. A further one waits until this one has been decided on, as in production."""
    runs = OptimizationRun.objects.filter(finding__project=world.project)
    pending = runs.filter(state__in=optimize.ACTIVE)
    trials = GateRun.objects.filter(candidate__prompt__project=world.project)
    due = trials.filter(state__in=[GateState.PENDING, GateState.RUNNING])
    _work_off("Propose", pending, [optimize.run_due], show, patience=LONG_PATIENCE)
    while not runs.filter(state=RunState.PROPOSED).exists() and _ask(world):
        _work_off("Propose", pending, [optimize.run_due], show, patience=LONG_PATIENCE)
    _work_off("Gate", due, [gate.run_due], show, patience=LONG_PATIENCE)


def _ask(world: World) -> bool:
    """Whether there was a finding left to ask a version for."""
    left = findings.unattended().filter(project=world.project).order_by("-weight", "mode")
    finding = left.first()
    if finding is None:
        return False
    with suppress(IllegalTransition):  # a worker was quicker
        optimize.request(finding=finding, actor=SYSTEM)
    return True
