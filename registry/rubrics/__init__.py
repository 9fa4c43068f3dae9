"""Rubrics: editions of what can be wrong, and the Scorecard, the one currency of judgement."""

from __future__ import annotations

from registry.rubrics.editions import (
    Criterion,
    Mode,
    create_rubric,
    current,
    modes_of,
    publish_version,
)
from registry.rubrics.scorecard import Finding, Scorecard, Span, Verdict, check, complete
from registry.rubrics.starter import STARTER

__all__ = [
    "STARTER",
    "Criterion",
    "Finding",
    "Mode",
    "Scorecard",
    "Span",
    "Verdict",
    "check",
    "complete",
    "create_rubric",
    "current",
    "modes_of",
    "publish_version",
]
