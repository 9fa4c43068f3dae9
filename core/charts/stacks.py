"""Bars of parts: how a whole is divided."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from core.charts.base import Chart, Format, at, check
from core.figures import plain


@dataclass(frozen=True)
class Part:
    x: float
    width: float
    fill: int
    text: str


@dataclass(frozen=True)
class PartRow:
    label: str
    total: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, kw_only=True)
class StackChart(Chart):
    template: ClassVar[str] = "ui/charts/stacked.html"
    legend: tuple[tuple[str, int], ...] = ()
    stacks: tuple[PartRow, ...] = ()


def stacked(
    key: str,
    title: str,
    series: Sequence[tuple[str, int]],
    items: Sequence[tuple[str, Sequence[float]]],
    *,
    desc: str = "",
    form: Format = plain,
    shares: bool = True,
) -> StackChart:
    """Bars of parts. `series` names each part and its colour (1 to 5); `items` are label and parts.

    With `shares` each bar fills its track; otherwise the longest does.
    """
    for label, values in items:
        if len(values) != len(series):
            raise ValueError(f"{title}: {label} has {len(values)} parts, not {len(series)}")
        check(title, values, floor=0.0)
    longest = max((math.fsum(values) for _, values in items), default=0.0) or 1.0
    stacks = tuple(
        PartRow(
            label,
            form(math.fsum(values)),
            _parts(series, values, (math.fsum(values) or 1.0) if shares else longest, form),
        )
        for label, values in items
    )
    return StackChart(
        key=key,
        title=title,
        desc=desc,
        legend=tuple(series),
        stacks=stacks,
        head=("", *(name for name, _ in series), "All"),
        rows=tuple((label, *map(form, values), form(math.fsum(values))) for label, values in items),
    )


def _parts(
    series: Sequence[tuple[str, int]], values: Sequence[float], whole: float, form: Format
) -> tuple[Part, ...]:
    parts, x = [], 0.0
    for (name, fill), value in zip(series, values, strict=True):
        width = at(value, whole)
        if value:
            parts.append(Part(x, width, fill, f"{name}: {form(value)}"))
        x = round(x + width, 3)
    return tuple(parts)
