"""Charts as values: positions in percent of the plot, drawn by `templates/ui/charts/` as SVG.

Pure. Every chart carries the numbers behind it as a table, and a sentence that says what it shows.
Horizontal positions and all heights are percentages, so that a chart fits any width with its text
at reading size.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from core.figures import percent, plain

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


@dataclass(frozen=True)
class Bar:
    """One counted thing; `low` and `high` draw a whisker, `fill` is one of the five chart colours."""

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
    _check(title, [bar.value for bar in items], floor=0.0)
    shown = sorted(items, key=lambda bar: -bar.value) if pareto else list(items)
    whole = full or max((max(b.value, b.high or 0.0) for b in shown), default=0.0) or 1.0
    totals = _running([bar.value for bar in shown])
    marks = tuple(
        BarMark(b, _at(b.value, whole), form(b.value), percent(t, 0) if pareto else "",
                None if b.low is None else _at(b.low, whole),
                None if b.high is None else _at(b.high, whole))
        for b, t in zip(shown, totals, strict=True)
    )  # fmt: skip
    rows = tuple(_bar_row(mark, form) for mark in marks)
    ranged = any(bar.low is not None for bar in shown)
    head = ("", value_name, *(("Interval",) if ranged else ()), *(("Running",) if pareto else ()))
    return BarChart(
        key=key, title=title, desc=desc, head=head, rows=rows, marks=marks, pareto=pareto,
        value_name=value_name,
    )  # fmt: skip


def _bar_row(mark: BarMark, form: Format) -> tuple[str, ...]:
    bar = mark.bar
    ranged = () if bar.low is None else (f"{form(bar.low)} to {form(bar.high)}",)
    return (bar.label, mark.text, *ranged, *((mark.total,) if mark.total else ()))


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
    _check(title, known)
    steps = ticks(*_ends(known + ([target[0]] if target else []), floor, roof))
    scale = _Scale(steps[0], steps[-1], len(points))
    runs = _runs(points)
    return LineChart(
        key=key, title=title, desc=desc,
        head=("", value_name, "Interval"),
        rows=tuple((p.label, form(p.value), _range(p, form)) for p in points) if known else (),
        lines=tuple(scale.path([(i, p.value) for i, p in run]) for run in runs),
        bands=tuple(band for run in runs if (band := scale.band(run))),
        dots=tuple(
            Dot(scale.x(i), scale.y(p.value), f"{p.label}: {form(p.value)}")
            for run in runs for i, p in run if p.value is not None
        ),
        x_ticks=_labels(points, scale),
        y_ticks=tuple(Tick(scale.y(step), form(step)) for step in steps),
        target=Tick(scale.y(target[0]), target[1]) if target else None,
    )  # fmt: skip


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
        _check(title, values, floor=0.0)
    longest = max((math.fsum(values) for _, values in items), default=0.0) or 1.0
    stacks = tuple(
        PartRow(label, form(math.fsum(values)),
                _parts(series, values, (math.fsum(values) or 1.0) if shares else longest, form))
        for label, values in items
    )  # fmt: skip
    return StackChart(
        key=key, title=title, desc=desc, legend=tuple(series), stacks=stacks,
        head=("", *(name for name, _ in series), "All"),
        rows=tuple((label, *map(form, values), form(math.fsum(values))) for label, values in items),
    )  # fmt: skip


def _parts(
    series: Sequence[tuple[str, int]], values: Sequence[float], whole: float, form: Format
) -> tuple[Part, ...]:
    parts, x = [], 0.0
    for (name, fill), value in zip(series, values, strict=True):
        width = _at(value, whole)
        if value:
            parts.append(Part(x, width, fill, f"{name}: {form(value)}"))
        x = round(x + width, 3)
    return tuple(parts)


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
    _check(title, [bin.count for bin in bins], floor=0.0)
    steps = ticks(0.0, max((bin.count for bin in bins), default=1))
    first, last = (bins[0].low, bins[-1].high) if bins else (0.0, 1.0)
    width = last - first or 1.0
    tops = [round(100 - _at(bin.count, steps[-1]), 3) for bin in bins]
    edges = [bin.low for bin in bins] + [last]
    every = max(1, math.ceil(len(edges) / 7))
    return Histogram(
        key=key, title=title, desc=desc, head=(value_name, "Count"),
        rows=tuple((f"{form(b.low)} to {form(b.high)}", plain(b.count)) for b in bins),
        marks=tuple(
            BinMark(_at(b.low - first, width), _at(b.high - b.low, width), top, round(100 - top, 3),
                    f"{form(b.low)} to {form(b.high)}: {plain(b.count)}")
            for b, top in zip(bins, tops, strict=True)
        ),
        x_ticks=tuple(Tick(_at(edge - first, width), form(edge)) for edge in edges[::every]),
        y_ticks=tuple(Tick(round(100 - _at(step, steps[-1]), 3), plain(step)) for step in steps),
        mark=Tick(_at(mark[0] - first, width), mark[1]) if mark else None,
    )  # fmt: skip


@dataclass(frozen=True)
class Spark:
    """A word-sized line; `text` says it in words, since it has no axes."""

    path: str
    area: str
    text: str


def spark(values: Sequence[float], *, form: Format = plain) -> Spark:
    """The course of `values`, oldest first, in a 100 by 100 box; one value is a flat line."""
    _check("values", values)
    if not values:
        return Spark("", "", "no data")
    shown = list(values) if len(values) > 1 else [values[0]] * 2
    scale = _Scale(min(shown), max(shown), len(shown), edge=True)
    path = scale.path(list(enumerate(shown)))
    text = f"from {form(values[0])} to {form(values[-1])}"
    return Spark(path, f"{path} L100 100 L0 100 Z", text)


def ticks(low: float, high: float, wanted: int = 4) -> tuple[float, ...]:
    """Round numbers that enclose `low` to `high`, about `wanted` steps of 1, 2, 2.5 or 5 times ten^n."""
    if high <= low:
        high = low + (abs(low) or 1.0)
    rough = (high - low) / wanted
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(f * power for f in (1.0, 2.0, 2.5, 5.0, 10.0) if f * power >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return tuple(round(i * step, 10) for i in range(first, last + 1))


@dataclass(frozen=True)
class _Scale:
    """From index and value to percent of the plot; `edge` puts the ends on the border."""

    low: float
    high: float
    count: int
    edge: bool = field(default=False)

    def x(self, index: int) -> float:
        return _at(index, self.count - 1) if self.count > 1 else 50.0

    def y(self, value: float | None) -> float:
        if value is None or self.high == self.low:
            return 50.0
        return round(100 - _at(value - self.low, self.high - self.low), 3)

    def path(self, places: Sequence[tuple[int, float | None]]) -> str:
        steps = [f"{self.x(i):g} {self.y(value):g}" for i, value in places]
        return "M" + " L".join(steps) if steps else ""

    def band(self, run: Sequence[tuple[int, Point]]) -> str:
        held = [(i, p) for i, p in run if p.low is not None and p.high is not None]
        if len(held) < 2:
            return ""
        there = self.path([(i, p.high) for i, p in held])
        back = self.path([(i, p.low) for i, p in reversed(held)])
        return f"{there} L{back[1:]} Z"


def _runs(points: Sequence[Point]) -> list[list[tuple[int, Point]]]:
    runs: list[list[tuple[int, Point]]] = [[]]
    for index, point in enumerate(points):
        if point.value is None:
            runs.append([])
        else:
            runs[-1].append((index, point))
    return [run for run in runs if run]


def _labels(points: Sequence[Point], scale: _Scale) -> tuple[Tick, ...]:
    every = max(1, math.ceil((len(points) - 1) / 5))
    last = len(points) - 1
    return tuple(
        Tick(scale.x(i), p.label, "start" if i == 0 and last else "end" if i == last and i else "middle")
        for i, p in enumerate(points)
        if i % every == 0
    )  # fmt: skip


def _ends(values: Sequence[float], floor: float | None, roof: float | None) -> tuple[float, float]:
    low = min(values, default=0.0) if floor is None else floor
    high = max(values, default=1.0) if roof is None else roof
    return low, high


def _range(point: Point, form: Format) -> str:
    return "" if point.low is None or point.high is None else f"{form(point.low)} to {form(point.high)}"


def _running(values: Sequence[float]) -> list[float]:
    whole, total, shares = math.fsum(values) or 1.0, 0.0, []
    for value in values:
        total += value
        shares.append(total / whole)
    return shares


def _at(value: float, whole: float) -> float:
    return round(min(100.0, max(0.0, value / whole * 100)), 3) if whole else 0.0


def _check(title: str, values: Sequence[float], floor: float = -math.inf) -> None:
    for value in values:
        if not math.isfinite(value) or value < floor:
            raise ValueError(f"{title}: {value} cannot be drawn")
