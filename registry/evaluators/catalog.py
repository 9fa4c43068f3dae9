"""The evaluators by name: what settings, policies and pages may ask for."""

from __future__ import annotations

from registry.evaluators.base import Check, Evaluator
from registry.evaluators.grounding import Citations, ForeignNames, ForeignNumbers, Groundedness
from registry.evaluators.guardrails import Injection, PersonalData
from registry.evaluators.model_judge import ModelJudge
from registry.evaluators.rules import (
    Budget,
    EmptyOutput,
    JsonValidity,
    LanguageMismatch,
    Length,
    Refusal,
    Repetition,
    ToolErrors,
)

_CHECKS: tuple[type[Check], ...] = (
    EmptyOutput,
    Length,
    JsonValidity,
    Repetition,
    Refusal,
    LanguageMismatch,
    Citations,
    Groundedness,
    ForeignNumbers,
    ForeignNames,
    PersonalData,
    Injection,
    Budget,
    ToolErrors,
)
CATALOG: dict[str, type] = {
    **{check.name: check for check in _CHECKS},
    ModelJudge.name: ModelJudge,
}


def deterministic() -> list[Evaluator]:
    """A fresh set of the checks that need no model, in the order of the catalog."""
    return [check() for check in _CHECKS]
