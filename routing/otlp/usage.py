"""Token counts and costs from objects of any provider's or library's naming."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from routing.otlp.values import as_count, as_number
from routing.spans import Json, Tokens

_INPUT: Final = ("input", "input_tokens", "prompt_tokens", "inputTokens", "promptTokens")
_OUTPUT: Final = (
    "output",
    "output_tokens",
    "completion_tokens",
    "outputTokens",
    "completionTokens",
)
_CACHE: Final = (
    "cache_read.input_tokens",
    "cache_read_input_tokens",
    "input_cached_tokens",
    "cache_read_tokens",
    "details.cache_read_tokens",
    "cachedInputTokens",
    "input_cache_read",
    "prompt_tokens_details.cached_tokens",
    "input_tokens_details.cached_tokens",
)
_REASONING: Final = (
    "reasoning.output_tokens",
    "reasoning_tokens",
    "details.reasoning_tokens",
    "output_reasoning_tokens",
    "output_reasoning",
    "reasoningTokens",
    "completion_tokens_details.reasoning_tokens",
    "output_tokens_details.reasoning_tokens",
)


def read_tokens(usage: Mapping[str, Any]) -> Tokens:
    """The four counts; details may be nested objects or dotted names."""
    flat = _flat(usage)
    return Tokens(
        input=_count(flat, _INPUT),
        output=_count(flat, _OUTPUT),
        cache_read=_count(flat, _CACHE),
        reasoning=_count(flat, _REASONING),
    )


def read_cost(costs: Mapping[str, Any]) -> float | None:
    """US dollars: the total, else the sum of the parts, else None."""
    for name in ("total", "total_cost"):
        total = as_number(costs.get(name))
        if total is not None and total >= 0:
            return total
    # Dotted names detail a part that is already there.
    parts = [as_number(cost) for name, cost in costs.items() if "." not in name]
    known = [part for part in parts if part is not None and part >= 0]
    return round(sum(known), 10) if known else None


def _flat(usage: Mapping[str, Any]) -> Json:
    flat = dict(usage)
    for name, value in usage.items():
        if isinstance(value, dict):
            flat |= {f"{name}.{inner}": number for inner, number in value.items()}
    return flat


def _count(usage: Json, names: tuple[str, ...]) -> int | None:
    for name in names:
        count = as_count(usage.get(name))
        if count is not None:
            return count
    return None
