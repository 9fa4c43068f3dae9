"""When what happens: the moments at which the world is worked on, and how much arrives at each."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import cached_property
from itertools import accumulate, pairwise
from typing import Final
from zoneinfo import ZoneInfo

from registry.release import CanarySettings

ZONE: Final = ZoneInfo("Europe/London")
STORY_DAYS: Final = 28
HALF_HOUR: Final = timedelta(minutes=30)
# Customers write by day, less in the evening and at weekends, and a little more each week.
BY_HOUR: Final = (
    0.10, 0.06, 0.05, 0.05, 0.06, 0.12, 0.3, 0.6, 0.9, 1.1, 1.2, 1.2,
    1.1, 1.0, 1.0, 1.0, 0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.35, 0.2,
)  # fmt: skip
BY_WEEKDAY: Final = (1.1, 1.0, 1.0, 0.95, 1.0, 0.55, 0.4)
GROWTH: Final = 0.25


@dataclass(frozen=True, slots=True)
class Scale:
    """How large a world is.

    name        of its project
    days        from the first trace to now
    traces      in all
    hours       local hours of a day at which work is taken up
    complaints  the part of the traces that are letters of complaint
    canary      how canaries are judged: with few outputs they must be judged more boldly
    risk        part of the customers that get a version of which the gate thinks little
    waiting     about how many outputs wait for people at the end
    """

    name: str
    days: int
    traces: int
    hours: tuple[time, ...]
    complaints: float
    canary: CanarySettings
    risk: float
    waiting: int


FULL: Final = Scale(
    name="Meridale Bank (demo)",
    days=28,
    traces=3000,
    hours=(time(7, 30), time(10, 30), time(13, 30), time(16, 30), time(20)),
    complaints=0.16,
    canary=CanarySettings(margin=0.12, beta=0.1),
    risk=0.3,
    waiting=70,
)
QUICK: Final = Scale(
    name="Meridale Bank (small demo)",
    days=10,
    traces=240,
    hours=(time(9), time(13), time(17)),
    complaints=0.1,
    canary=CanarySettings(block=2, margin=0.3, alpha=0.25, beta=0.2),
    risk=0.5,
    waiting=12,
)


@dataclass(frozen=True)
class Plan:
    """A scale, laid out from `start`. The same start always gives the same plan."""

    scale: Scale
    start: datetime

    @property
    def end(self) -> datetime:
        return self.start + timedelta(days=self.scale.days)

    def day(self, number: float) -> datetime:
        """When day `number` of the four weeks begins; a shorter world tells it faster."""
        return self.start + timedelta(days=number * self.scale.days / STORY_DAYS)

    @cached_property
    def ticks(self) -> tuple[datetime, ...]:
        """The moments of work, in order; the last is the end."""
        first = self.start.astimezone(ZONE).date()
        moments = (
            datetime.combine(first + timedelta(days=day), hour, tzinfo=ZONE).astimezone(UTC)
            for day in range(self.scale.days + 2)
            for hour in self.scale.hours
        )
        inside = [at for at in moments if self.start + HALF_HOUR <= at <= self.end - HALF_HOUR]
        return (*inside, self.end)

    @cached_property
    def upto(self) -> tuple[int, ...]:
        """How many traces have arrived at each tick."""
        weights = [_weight(*pair, self) for pair in pairwise((self.start, *self.ticks))]
        # One at each tick at least: by the last trace a run that was stopped knows where it was.
        spare = self.scale.traces - len(weights)
        whole = sum(weights)
        return tuple(
            number + round(spare * summed / whole)
            for number, summed in enumerate(accumulate(weights), start=1)
        )

    def arrivals(self, tick: int) -> list[tuple[int, datetime]]:
        """Number and start of each trace that arrives at a tick, oldest first."""
        since = self.ticks[tick - 1] if tick else self.start
        first, last = (self.upto[tick - 1] if tick else 0), self.upto[tick]
        step = (self.ticks[tick] - since - timedelta(minutes=4)) / max(1, last - first)
        return [(first + n, since + step * (n + 0.5)) for n in range(last - first)]

    def tick_of(self, moment: datetime) -> int:
        """The last tick that is not after `moment`."""
        return max(0, bisect_right(self.ticks, moment) - 1)


def _weight(since: datetime, until: datetime, plan: Plan) -> float:
    """How much is written in an interval, by half hours."""
    total, at = 0.0, since
    while at < until:
        local = at.astimezone(ZONE)
        part = min(HALF_HOUR, until - at) / HALF_HOUR
        grown = 1 + GROWTH * ((at - plan.start) / (plan.end - plan.start))
        total += part * grown * BY_HOUR[local.hour] * BY_WEEKDAY[local.weekday()]
        at += HALF_HOUR
    return total
