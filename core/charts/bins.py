"""Counts in adjoining bins."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from core.charts.base import Chart, Format, Tick, at, check, ticks
from core.figures import plain


@dataclass(frozen=True)
class Bin:
    low: float
    high: float
    count: int


@dataclass(frozen=True)
class BinMark:
    x: float
    width: float
    y: float
    height: float
    text: str


@dataclass(frozen=True, kw_only=True)
class Histogram(Chart):
    template: ClassVar[str] = "ui/charts/histogram.html"
    marks: tuple[BinMark, ...] = ()
    x_ticks: tuple[Tick, ...] = ()
    y_ticks: tuple[Tick, ...] = ()
    mark: Tick | None = None


def histogram(
    key: str,
    title: str,
    bins: Sequence[Bin],
    *,
    desc: str = "",
    value_name: str = "Value",
    form: Format = plain,
    mark: tuple[float, str] | None = None,
) -> Histogram:
    """Counts in adjoining bins of one axis; `mark` draws a named vertical line at a value."""
    check(title, [b.count for b in bins], floor=0.0)
    steps = ticks(0.0, max((b.count for b in bins), default=1), whole=True)
    first, last = (bins[0].low, bins[-1].high) if bins else (0.0, 1.0)
    width = last - first or 1.0
    tops = [round(100 - at(b.count, steps[-1]), 3) for b in bins]
    edges = [b.low for b in bins] + [last]
    every = max(1, math.ceil(len(edges) / 7))
    return Histogram(
        key=key,
        title=title,
        desc=desc,
        head=(value_name, "Count"),
        rows=tuple((f"{form(b.low)} to {form(b.high)}", plain(b.count)) for b in bins),
        marks=tuple(
            BinMark(
                at(b.low - first, width),
                at(b.high - b.low, width),
                top,
                round(100 - top, 3),
                f"{form(b.low)} to {form(b.high)}: {plain(b.count)}",
            )
            for b, top in zip(bins, tops, strict=True)
        ),
        x_ticks=tuple(Tick(at(edge - first, width), form(edge)) for edge in edges[::every]),
        y_ticks=tuple(Tick(round(100 - at(step, steps[-1]), 3), plain(step)) for step in steps),
        mark=Tick(at(mark[0] - first, width), mark[1]) if mark else None,
    )
