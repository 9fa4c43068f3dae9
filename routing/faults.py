"""Traces that break every batch they are in: set aside for a while, and counted."""

from __future__ import annotations

from core import clock
from core.db import command
from core.sweeps import PAUSE
from routing.models import Trace


@command
def set_aside(trace_id: int) -> None:
    """Nobody works on the trace for a while; then it is tried again. Acts as the system."""
    Trace.objects.filter(pk=trace_id).update(busy_until=clock.now() + PAUSE)
