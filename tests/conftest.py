"""Fixtures for every test: the cast, and the model providers."""

from __future__ import annotations

from tests.cast import (
    ada,
    ann,
    bo,
    cy,
    elsewhere,
    environment,
    eve,
    lee,
    project,
    prompt_version,
    rubric_version,
    vi,
)
from tests.llm import model, script, simulator

__all__ = [
    "ada",
    "ann",
    "bo",
    "cy",
    "elsewhere",
    "environment",
    "eve",
    "lee",
    "model",
    "project",
    "prompt_version",
    "rubric_version",
    "script",
    "simulator",
    "vi",
]
