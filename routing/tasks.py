"""The bells of this floor, where Celery looks for them. Each lives in the room of its verb."""

from __future__ import annotations

from routing.decide import decide_task
from routing.ingest import settle_task
from routing.retention import make_partitions_task
from routing.scoring import judge_task, score_task
from routing.sla import sweep_task

# Seconds between two sweeps: what a lost bell costs at most.
SWEEPS = {
    settle_task.name: 2,
    score_task.name: 5,
    judge_task.name: 5,
    decide_task.name: 5,
    sweep_task.name: 30,
    make_partitions_task.name: 3600,
}
