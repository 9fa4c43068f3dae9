"""The worker's side of the fill: nobody may work in the demo's past, and no bell of it is left."""

from __future__ import annotations

from typing import Any, Final

from celery import current_app
from kombu.exceptions import OperationalError

PATIENCE: Final = 0.5


def find_worker() -> str:
    """The name of a worker that runs, or nothing. It would date what it finds at this moment."""
    try:
        answers: list[dict[str, Any]] = current_app.control.ping(timeout=PATIENCE) or []
    except (OperationalError, OSError):
        return ""
    return next((name for answer in answers for name in answer), "")


def drop() -> None:
    """Forget the bells that the fill has rung: what they tell of has been done, and what waits is
    found by the sweeps all the same."""
    try:
        current_app.control.purge()
    except (OperationalError, OSError):
        return
