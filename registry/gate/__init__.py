"""The gate: a candidate against its baseline on the golden cases, paired, with three verdicts."""

from registry.gate.runs import LEASE, enqueue, live_version, request, run, run_due, run_task
from registry.gate.verdict import ALPHA, MARGIN, Outcome, Verdict, decide

__all__ = [
    "ALPHA",
    "LEASE",
    "MARGIN",
    "Outcome",
    "Verdict",
    "decide",
    "enqueue",
    "live_version",
    "request",
    "run",
    "run_due",
    "run_task",
]
