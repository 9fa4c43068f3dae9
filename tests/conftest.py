"""Fixtures for every test: the cast."""

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

__all__ = [
    "ada",
    "ann",
    "bo",
    "cy",
    "elsewhere",
    "environment",
    "eve",
    "lee",
    "project",
    "prompt_version",
    "rubric_version",
    "vi",
]
