"""A line with its interval as a band, and the word-sized spark line."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from core.charts.base import Chart, Format, Scale, Tick, check, ticks
from core.figures import plain

Run = list[tuple[int, "Point"]]


@dataclass(frozen=True)
class Point:
    """One place on a line: a label for the horizontal axis; no value makes a gap."""

    label: str
    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Dot:
    x: float
    y: float
    text: str


@dataclass(frozen=True, kw_only=True)
class LineChart(Chart):
    template: ClassVar[str] = "ui/charts/line.html"
    lines: tuple[str, ...] = ()
    bands: tuple[str, ...] = ()
    dots: tuple[Dot, ...] = ()
    x_ticks: tuple[Tick, ...] = ()
    y_ticks: tuple[Tick, ...] = ()
    target: Tick | None = None


def line(
    key: str,
    title: str,
    points: Sequence[Point],
    *,
    desc: str = "",
    value_name: str = "Value",
    form: Format = plain,
    floor: float | None = None,
    roof: float | None = None,
    target: tuple[float, str] | None = None,
) -> LineChart:
    """A line over evenly spaced points with its interval as a band and an optional target line.

    `floor` and `roof` fix the ends of the vertical axis; otherwise the data and the target do.
    """
    known = [v for p in points for v in (p.value, p.low, p.high) if v is not None]
    check(title, known)
    counts = form is plain and all(float(value).is_integer() for value in known)
    ends = _ends(known + ([target[0]] if target else []), floor, roof)
    steps = ticks(*ends, whole=counts)
    scale = Scale(steps[0], steps[-1], len(points))
    runs = _runs(points)
    return LineChart(
        key=key,
        title=title,
        desc=desc,
        head=("", value_name, "Interval"),
        rows=tuple((p.label, form(p.value), _range(p, form)) for p in points) if known else (),
        lines=tuple(scale.path([(i, p.value) for i, p in run]) for run in runs),
        bands=tuple(band for run in runs if (band := _band(scale, run))),
        dots=tuple(
            Dot(scale.x(i), scale.y(p.value), f"{p.label}: {form(p.value)}")
            for run in runs
            for i, p in run
            if p.value is not None
        ),
        x_ticks=_labels(points, scale),
        y_ticks=tuple(Tick(scale.y(step), form(step)) for step in steps),
        target=Tick(scale.y(target[0]), target[1]) if target else None,
    )


@dataclass(frozen=True)
class Spark:
    """A word-sized line; `text` says it in words, since it has no axes."""

    path: str
    area: str
    text: str


def spark(values: Sequence[float], *, form: Format = plain, floor: float | None = None) -> Spark:
    """The course of `values`, oldest first, in a 100 by 100 box; one value is a flat line.

    `floor` is the value at the bottom (0 for counts); without it the smallest value.
    """
    check("values", values)
    if not values:
        return Spark("", "", "no data")
    shown = list(values) if len(values) > 1 else [values[0]] * 2
    scale = Scale(min(shown) if floor is None else floor, max(shown), len(shown))
    path = scale.path(list(enumerate(shown)))
    text = f"from {form(values[0])} to {form(values[-1])}"
    return Spark(path, f"{path} L100 100 L0 100 Z", text)


def _runs(points: Sequence[Point]) -> list[Run]:
    runs: list[Run] = [[]]
    for index, point in enumerate(points):
        if point.value is None:
            runs.append([])
        else:
            runs[-1].append((index, point))
    return [run for run in runs if run]


def _anchor(index: int, last: int) -> str:
    if index == 0:
        return "start" if last else "middle"
    return "end" if index == last else "middle"


def _labels(points: Sequence[Point], scale: Scale) -> tuple[Tick, ...]:
    every = max(1, math.ceil((len(points) - 1) / 5))
    last = len(points) - 1
    return tuple(
        Tick(scale.x(i), p.label, _anchor(i, last)) for i, p in enumerate(points) if i % every == 0
    )


def _ends(values: Sequence[float], floor: float | None, roof: float | None) -> tuple[float, float]:
    low = min(values, default=0.0) if floor is None else floor
    high = max(values, default=1.0) if roof is None else roof
    return low, high


def _range(point: Point, form: Format) -> str:
    return (
        ""
        if point.low is None or point.high is None
        else f"{form(point.low)} to {form(point.high)}"
    )


def _band(scale: Scale, run: Run) -> str:
    held = [(i, p) for i, p in run if p.low is not None and p.high is not None]
    if len(held) < 2:
        return ""
    there = scale.path([(i, p.high) for i, p in held])
    back = scale.path([(i, p.low) for i, p in reversed(held)])
    return f"{there} L{back[1:]} Z"
