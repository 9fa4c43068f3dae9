"""The bells of this floor, where Celery looks for them. Each lives in the room of its verb."""

from __future__ import annotations

from registry import gate, optimize
from registry.release import judge_canaries
from registry.surfaces import weigh_due

# Seconds between two sweeps: what a lost bell costs at most.
SWEEPS = {
    judge_canaries.name: 5,
    weigh_due.name: 60,
    optimize.run_task.name: 60,
    gate.run_task.name: 60,
}
