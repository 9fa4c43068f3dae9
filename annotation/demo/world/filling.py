"""Filling the world, stretch by stretch; stopped anywhere, it goes on where it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import connection
from django.db.models import Max

from annotation.demo.world import signing_in
from annotation.demo.world.betterment import weigh
from annotation.demo.world.ground import find, lay, plan_of
from annotation.demo.world.plan import Plan, Scale
from annotation.demo.world.story import Story
from annotation.demo.world.traffic import Traffic
from annotation.demo.world.work import man, process
from core import clock
from routing.models import Trace

Advance = Callable[[int, int, str], None]


def is_whole() -> bool:
    """Whether the world has been made to its end."""
    project = find()
    return project is not None and signing_in.is_sealed(project)


def fill(scale: Scale, advance: Advance = lambda done, total, doing: None) -> None:
    """Make the world of that scale, or what is missing of the one that was begun.

    Every model has to be a simulated one (`simulated_model`). `advance` is told how many of
    how many traces have come in, and the day that is being worked on.
    """
    if is_whole():
        return
    plan = plan_of(scale)
    with _hurried():
        world = lay(plan)
        traffic, story = Traffic(world), Story(world)
        for tick in range(_begin(plan), len(plan.ticks)):
            with clock.at(plan.ticks[tick]):
                traffic.send(tick)
                process()
                if tick == 0 or plan.ticks[tick].date() != plan.ticks[tick - 1].date():
                    weigh(world)
                story.tell()
            man(world, tick)
            advance(plan.upto[tick], plan.scale.traces, f"{plan.ticks[tick]:%A %d %B}")
        with clock.at(plan.end):
            signing_in.seal(world)


@contextmanager
def _hurried() -> Iterator[None]:
    """Commits do not wait for the disk: what a crash of the server loses is made again."""
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit TO off")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SET synchronous_commit TO DEFAULT")


def _begin(plan: Plan) -> int:
    """The tick to begin with: that of the last trace that came in, which may be half done."""
    project = find()
    mine = Trace.objects.filter(project=project, received_at__lte=plan.end)
    last = mine.aggregate(last=Max("received_at"))["last"] if project else None
    return plan.tick_of(last) if last else 0
