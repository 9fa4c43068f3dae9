"""The dialects in their order of precedence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from routing.otlp.dialects import (
    genai,
    langfuse,
    legacy,
    logfire,
    mlflow,
    openinference,
    traceloop,
    vercel,
)
from routing.otlp.found import Found
from routing.otlp.wire import RawSpan

DIALECTS: Final[tuple[Callable[[RawSpan], Found | None], ...]] = (
    langfuse.read,
    openinference.read,
    genai.read,
    logfire.read,
    traceloop.read,
    vercel.read,
    mlflow.read,
    legacy.read,
)
