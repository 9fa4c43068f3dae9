"""The one clock. Demo and tests travel by `at`; nothing else asks for the time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime

from django.utils import timezone

_fixed: ContextVar[datetime | None] = ContextVar("whetstone_clock", default=None)


def now() -> datetime:
    """The present moment, aware, in UTC; or the moment that `at` has set."""
    return _fixed.get() or timezone.now()


@contextmanager
def at(moment: datetime) -> Iterator[datetime]:
    """Within the block, `now()` is `moment` (this thread or task only)."""
    if timezone.is_naive(moment):
        raise ValueError("moment must carry a time zone")
    token = _fixed.set(moment)
    try:
        yield moment
    finally:
        _fixed.reset(token)
