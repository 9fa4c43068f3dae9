"""A share as pages show it: estimate, interval and n, or that there are too few to say."""

from __future__ import annotations

from dataclasses import dataclass

from core.figures import interval, percent
from core.stats.intervals import Estimate, wilson

MINIMUM = 10
"""Units below which no rate is shown."""


@dataclass(frozen=True, slots=True)
class Rate:
    """`hits` of `n`, with the Wilson interval."""

    hits: int
    n: int

    @property
    def estimate(self) -> Estimate:
        return wilson(self.hits, self.n).shown(MINIMUM)

    @property
    def is_shown(self) -> bool:
        return self.n >= MINIMUM

    @property
    def text(self) -> str:
        """`8.3 %`, or `not enough yet`."""
        return percent(self.estimate.value) if self.is_shown else "not enough yet"

    @property
    def interval(self) -> str:
        """`4.1–16.0 %`; empty where no rate is shown."""
        return interval(self.estimate.low, self.estimate.high)
