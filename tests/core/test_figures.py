from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from core import figures

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (float("nan"), "–"), (1234.5, "1,234"), (-3.0, "−3"), (-0.2, "0")],
)
def test_plain_numbers(value: float | None, text: str) -> None:
    assert figures.plain(value) == text


def test_shares_as_percent() -> None:
    assert figures.percent(0.8243) == "82.4\u202f%"
    assert figures.interval(0.791, 0.852) == "79.1–85.2\u202f%"
    assert figures.interval(None, 0.5) == ""


@pytest.mark.parametrize(
    ("value", "text"), [(9999, "9,999"), (12345, "12.3k"), (2_500_000, "2.5M"), (3e9, "3.0G")]
)
def test_large_numbers_are_short(value: float, text: str) -> None:
    assert figures.compact(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.31, "310 ms"),
        (2.41, "2.4 s"),
        (45, "45 s"),
        (720, "12 min"),
        (11100, "3 h 5 min"),
        (10800, "3 h"),
        (187200, "2 d 4 h"),
    ],
)
def test_durations_in_their_two_largest_units(seconds: float, text: str) -> None:
    assert figures.span(seconds) == text


@pytest.mark.parametrize(
    ("minutes", "text"),
    [(134, "2 h 14 min left"), (-38, "38 min over"), (0.5, "due now"), (-0.5, "just over")],
)
def test_time_left(minutes: float, text: str) -> None:
    assert figures.left(NOW + timedelta(minutes=minutes), NOW) == text


@pytest.mark.parametrize(
    ("back", "text"),
    [
        (timedelta(seconds=3), "just now"),
        (timedelta(minutes=5), "5 min ago"),
        (timedelta(hours=3), "3 h ago"),
        (timedelta(days=12), "12 d ago"),
        (timedelta(days=59), "2 Jan 2026"),
        (timedelta(minutes=-5), "in 5 min"),
    ],
)
def test_time_since(back: timedelta, text: str) -> None:
    assert figures.ago(NOW - back, NOW) == text
