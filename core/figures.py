"""Numbers and times as people read them. Pure; pages, charts and reports share it."""

from __future__ import annotations

import math
from datetime import datetime

DASH = "–"
MINUS = "\u2212"
THIN = "\u202f"
MINUTE, HOUR, DAY = 60, 3600, 86400


def plain(value: float | None, digits: int = 0) -> str:
    """`1234.5` as `1,234` (or with `digits` decimals); an absent number is a dash."""
    if value is None or not math.isfinite(value):
        return DASH
    text = f"{abs(value):,.{digits}f}"
    return f"{MINUS}{text}" if value < 0 and float(text.replace(",", "")) else text


def percent(value: float | None, digits: int = 1) -> str:
    """A share from 0 to 1 as percent: `0.8243` is `82.4 %`."""
    if value is None or not math.isfinite(value):
        return DASH
    return f"{plain(value * 100, digits)}{THIN}%"


def compact(value: float | None) -> str:
    """`12345` as `12.3k`; below 10,000 the whole number."""
    if value is None or not math.isfinite(value):
        return DASH
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            return f"{plain(value / (1e3 if letter == 'k' else size), 1)}{letter}"
    return plain(value)


def interval(low: float | None, high: float | None, digits: int = 1) -> str:
    """Two shares as `79.1–85.2 %`; empty where either bound is absent."""
    if low is None or high is None:
        return ""
    return f"{plain(low * 100, digits)}–{plain(high * 100, digits)}{THIN}%"


def span(seconds: float) -> str:
    """A duration in its two largest useful units: `45 s`, `12 min`, `3 h 5 min`, `2 d 4 h`."""
    if seconds < 1:
        return f"{round(seconds * 1000)} ms"
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < MINUTE:
        return f"{int(seconds)} s"
    if seconds < HOUR:
        return f"{int(seconds // MINUTE)} min"
    large, small, names = (HOUR, MINUTE, "h min") if seconds < DAY else (DAY, HOUR, "d h")
    first, second = names.split()
    rest = int(seconds % large // small)
    return f"{int(seconds // large)} {first}" + (f" {rest} {second}" if rest else "")


def ago(moment: datetime, now: datetime) -> str:
    """How long since: `just now`, `5 min ago`, `3 h ago`, `12 d ago`, later the date."""
    seconds = (now - moment).total_seconds()
    if seconds < 0:
        return f"in {span(-seconds)}"
    if seconds < MINUTE:
        return "just now"
    if seconds < HOUR:
        return f"{int(seconds // MINUTE)} min ago"
    if seconds < DAY:
        return f"{int(seconds // HOUR)} h ago"
    if seconds < 30 * DAY:
        return f"{int(seconds // DAY)} d ago"
    return f"{moment:%-d %b %Y}"


def left(due: datetime, now: datetime) -> str:
    """Time to a due date: `2 h 14 min left`, `38 min over`."""
    seconds = (due - now).total_seconds()
    if abs(seconds) < MINUTE:
        return "due now" if seconds >= 0 else "just over"
    return f"{span(abs(seconds))} {'left' if seconds > 0 else 'over'}"
