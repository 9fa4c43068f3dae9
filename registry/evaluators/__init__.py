"""Evaluators: what a machine can say about an output, and how sure it is."""

from registry.evaluators.base import Check, Evaluator, Signal, Step, Subject
from registry.evaluators.catalog import CATALOG, deterministic
from registry.evaluators.model_judge import ModelJudge, Opinion

__all__ = [
    "CATALOG",
    "Check",
    "Evaluator",
    "ModelJudge",
    "Opinion",
    "Signal",
    "Step",
    "Subject",
    "deterministic",
]
