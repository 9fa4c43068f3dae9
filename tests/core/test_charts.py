from __future__ import annotations

import math
from itertools import pairwise

import pytest
from django.template import Context, Template
from hypothesis import given
from hypothesis import strategies as st

from core import charts
from core.figures import percent

BARS = [charts.Bar("few", 1), charts.Bar("many", 3), charts.Bar("some", 2, low=1, high=2.5)]


def draw(chart: charts.Chart) -> str:
    return Template("{% load ui %}{% chart c %}").render(Context({"c": chart}))


def test_a_pareto_sorts_downwards_and_sums_to_all() -> None:
    chart = charts.bars("p", "Modes", BARS[:2], pareto=True)
    assert [(m.bar.label, m.text, m.total) for m in chart.marks] == [
        ("many", "3", "75\u202f%"),
        ("few", "1", "100\u202f%"),
    ]


def test_bars_are_scaled_to_the_largest_whisker_or_to_the_given_whole() -> None:
    wide = [charts.Bar("a", 1, low=0.5, high=2)]
    assert charts.bars("a", "t", wide).marks[0].width == 50.0
    assert charts.bars("a", "t", wide, full=4.0).marks[0].width == 25.0


def test_a_line_breaks_where_a_value_is_missing() -> None:
    points = [charts.Point(str(i), v) for i, v in enumerate([1.0, 2.0, None, 4.0])]
    chart = charts.line("l", "t", points)
    assert len(chart.lines) == 2
    assert len(chart.dots) == 3
    assert chart.rows[2] == ("2", "–", "")


def test_a_band_needs_two_neighbours_with_intervals() -> None:
    one = charts.line("l", "t", [charts.Point("a", 1.0, 0.5, 1.5), charts.Point("b", 2.0)])
    two = charts.line("l", "t", [charts.Point(x, 1.0, 0.5, 1.5) for x in "ab"])
    assert (len(one.bands), len(two.bands)) == (0, 1)


def test_parts_of_a_share_bar_fill_it() -> None:
    chart = charts.stacked("s", "t", [("x", 1), ("y", 2)], [("a", (1, 3)), ("b", (0, 5))])
    assert [(p.x, p.width) for p in chart.stacks[0].parts] == [(0.0, 25.0), (25.0, 75.0)]
    assert [(p.x, p.width) for p in chart.stacks[1].parts] == [(0.0, 100.0)]


def test_parts_must_match_the_series() -> None:
    with pytest.raises(ValueError, match="a has 1 parts, not 2"):
        charts.stacked("s", "t", [("x", 1), ("y", 2)], [("a", (1,))])


def test_histogram_bars_stand_on_the_axis() -> None:
    chart = charts.histogram("h", "t", [charts.Bin(0, 1, 4), charts.Bin(1, 2, 2)])
    assert [(m.x, m.y, m.height) for m in chart.marks] == [(0.0, 0.0, 100.0), (50.0, 50.0, 50.0)]


def test_a_spark_of_counts_stands_on_nought() -> None:
    assert charts.spark([5, 10], floor=0).path == "M0 50 L100 0"
    assert charts.spark([5, 10]).path == "M0 100 L100 0"
    assert charts.spark([]).text == "no data"


@pytest.mark.parametrize("value", [math.nan, math.inf, -1.0])
def test_a_number_without_a_place_is_refused_by_name(value: float) -> None:
    with pytest.raises(ValueError, match="Modes"):
        charts.bars("p", "Modes", [charts.Bar("x", value)])


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_ticks_enclose_their_range_in_few_even_steps(a: float, b: float) -> None:
    low, high = min(a, b), max(a, b)
    steps = charts.ticks(low, high)
    slack = (steps[-1] - steps[0]) * 1e-6
    assert steps[0] <= low + slack
    assert high <= steps[-1] + slack
    assert 2 <= len(steps) <= 8


@given(st.lists(st.integers(0, 2000), min_size=1, max_size=8))
def test_an_axis_of_counts_says_what_it_marks(counts: list[int]) -> None:
    points = [charts.Point(str(place), count) for place, count in enumerate(counts)]
    marked = charts.line("l", "Counts", points, floor=0).y_ticks
    numbers = [int(tick.text.replace(",", "")) for tick in marked]
    gaps = {later - earlier for earlier, later in pairwise(numbers)}
    assert len(gaps) == 1


@pytest.mark.parametrize(
    "chart",
    [
        charts.bars("b", "Bars", BARS, desc="Said", pareto=True),
        charts.line("l", "Line", [charts.Point("<w1>", 0.5, 0.4, 0.6)], form=percent),
        charts.stacked("s", "Stack", [("x", 1)], [("a", (1,))]),
        charts.histogram("h", "Histogram", [charts.Bin(0, 1, 4)], mark=(0.5, "due")),
    ],
    ids=lambda chart: chart.title,
)
def test_every_chart_names_itself_and_shows_its_numbers(chart: charts.Chart) -> None:
    html = draw(chart)
    assert f'aria-labelledby="{chart.key}-title"' in html
    assert html.count("<tr>") == len(chart.rows) + 1
    assert "<w1>" not in html
    assert "style=" not in html


def test_a_chart_without_numbers_says_so() -> None:
    html = draw(charts.bars("b", "Bars", []))
    assert "Nothing to draw yet" in html
    assert "<table" not in html
