"""The bells of this floor, where Celery looks for them. Each lives in the room of its verb."""

from __future__ import annotations

from annotation.consensus import settle_task

# Seconds between two sweeps: what a lost bell costs at most.
SWEEPS = {settle_task.name: 15}
