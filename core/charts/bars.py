"""Horizontal bars, sorted as a Pareto where asked, with whiskers where an interval is known."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from core.charts.base import Chart, Format, at, check
from core.figures import percent, plain


@dataclass(frozen=True)
class Bar:
    """One counted thing; `low` and `high` draw a whisker, `fill` is a chart colour, 1 to 5."""

    label: str
    value: float
    low: float | None = None
    high: float | None = None
    note: str = ""
    url: str = ""
    fill: int = 1


@dataclass(frozen=True)
class BarMark:
    bar: Bar
    width: float
    text: str
    total: str
    low: float | None
    high: float | None


@dataclass(frozen=True, kw_only=True)
class BarChart(Chart):
    template: ClassVar[str] = "ui/charts/bars.html"
    marks: tuple[BarMark, ...] = ()
    pareto: bool = False
    value_name: str = "Count"


def bars(
    key: str,
    title: str,
    items: Sequence[Bar],
    *,
    desc: str = "",
    pareto: bool = False,
    value_name: str = "Count",
    form: Format = plain,
    full: float | None = None,
) -> BarChart:
    """Horizontal bars; `pareto` sorts them downwards and adds the running share of the sum.

    `full` is the value of a whole track (1 for shares); without it the largest value.
    """
    check(title, [bar.value for bar in items], floor=0.0)
    shown = sorted(items, key=lambda bar: -bar.value) if pareto else list(items)
    whole = full or max((max(b.value, b.high or 0.0) for b in shown), default=0.0) or 1.0
    totals = _running([bar.value for bar in shown])
    marks = tuple(
        BarMark(
            b,
            at(b.value, whole),
            form(b.value),
            percent(t, 0) if pareto else "",
            None if b.low is None else at(b.low, whole),
            None if b.high is None else at(b.high, whole),
        )
        for b, t in zip(shown, totals, strict=True)
    )
    rows = tuple(_bar_row(mark, form) for mark in marks)
    ranged = any(bar.low is not None for bar in shown)
    head = ("", value_name, *(("Interval",) if ranged else ()), *(("Running",) if pareto else ()))
    return BarChart(
        key=key,
        title=title,
        desc=desc,
        head=head,
        rows=rows,
        marks=marks,
        pareto=pareto,
        value_name=value_name,
    )


def _bar_row(mark: BarMark, form: Format) -> tuple[str, ...]:
    bar = mark.bar
    ranged = () if bar.low is None else (f"{form(bar.low)} to {form(bar.high)}",)
    return (bar.label, mark.text, *ranged, *((mark.total,) if mark.total else ()))


def _running(values: Sequence[float]) -> list[float]:
    whole, total, shares = math.fsum(values) or 1.0, 0.0, []
    for value in values:
        total += value
        shares.append(total / whole)
    return shares
