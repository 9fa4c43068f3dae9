"""What all charts share: the value they are, the scale they stand on, the checks they make."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

Format = Callable[[float | None], str]
Rows = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, kw_only=True)
class Chart:
    """What all charts have; `key` must be unique on a page, `template` draws the chart."""

    template: ClassVar[str] = ""
    key: str
    title: str
    desc: str = ""
    head: tuple[str, ...] = ()
    rows: Rows = ()

    @property
    def empty(self) -> bool:
        return not self.rows


@dataclass(frozen=True)
class Tick:
    at: float
    text: str
    anchor: str = "middle"


def ticks(low: float, high: float, wanted: int = 4, *, whole: bool = False) -> tuple[float, ...]:
    """Round numbers that enclose `low` to `high`, in about `wanted` steps of 1, 2 or 5.

    No 2.5: an axis of counts would show 2, 5, 8 for even steps. `whole`: no step below 1.
    """
    least = max(abs(low), abs(high)) * 1e-6 or 1.0
    if high - low < least:
        high = low + least
    rough = max((high - low) / wanted, 1.0 if whole else 0.0)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(f * power for f in (1.0, 2.0, 5.0, 10.0) if f * power >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return tuple(float(f"{i * step:.12g}") for i in range(first, last + 1))


@dataclass(frozen=True)
class Scale:
    """From index and value to percent of the plot."""

    low: float
    high: float
    count: int

    def x(self, index: int) -> float:
        return at(index, self.count - 1) if self.count > 1 else 50.0

    def y(self, value: float | None) -> float:
        if value is None or self.high == self.low:
            return 50.0
        return round(100 - at(value - self.low, self.high - self.low), 3)

    def path(self, places: Sequence[tuple[int, float | None]]) -> str:
        steps = [f"{self.x(i):g} {self.y(value):g}" for i, value in places]
        return "M" + " L".join(steps) if steps else ""


def at(value: float, whole: float) -> float:
    """`value` in percent of `whole`, kept within 0 and 100."""
    return round(min(100.0, max(0.0, value / whole * 100)), 3) if whole else 0.0


def check(title: str, values: Sequence[float], floor: float = -math.inf) -> None:
    """Raise ValueError naming the chart for a number that has no place on it."""
    for value in values:
        if not math.isfinite(value) or value < floor:
            raise ValueError(f"{title}: {value} cannot be drawn")
