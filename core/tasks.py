"""The bells of this floor, where Celery looks for them. Each lives in the room of its verb."""

from __future__ import annotations

from core.seals import check_task, seal_task

# Seconds between two sweeps: what a lost bell costs at most.
SWEEPS = {
    seal_task.name: 30,
    check_task.name: 3600,
}
