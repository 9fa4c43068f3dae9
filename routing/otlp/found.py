"""What one dialect could read from a span, and how several readings become one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import Final

from routing.spans import Json, PromptRef, Tokens


@dataclass(slots=True, kw_only=True)
class Found:
    """A partial reading; a field that a dialect knows nothing of stays empty."""

    dialect: str = ""
    kind: str = ""
    name: str = ""
    trace_name: str = ""
    model: str = ""
    provider: str = ""
    params: Json = field(default_factory=dict)
    messages_in: list[Json] = field(default_factory=list)
    messages_out: list[Json] = field(default_factory=list)
    input_text: str = ""
    output_text: str = ""
    documents: list[Json] = field(default_factory=list)
    tool: Json = field(default_factory=dict)
    tokens: Tokens = field(default_factory=Tokens)
    cost_usd: float | None = None
    ttft_ms: float | None = None
    prompt: PromptRef = field(default_factory=PromptRef)
    session: str = ""
    user: str = ""
    environment: str = ""
    release: str = ""
    tags: list[str] = field(default_factory=list)
    metadata: Json = field(default_factory=dict)
    status: str = ""
    error: str = ""


_JOINED: Final = frozenset({"params", "metadata", "tool", "tags", "tokens", "prompt"})
_ALONE: Final = tuple(f.name for f in fields(Found) if f.name not in _JOINED)


def merge(readings: Iterable[Found]) -> Found:
    """One reading out of several, given in order of precedence.

    The first that knows a field wins; objects, tags, token counts and prompt references are
    joined part by part, so that a second dialect may fill what the first left open.
    """
    many = list(readings)
    if len(many) == 1:
        return many[0]
    whole = Found()
    for found in many:
        _fill(whole, found)
    return whole


def _fill(whole: Found, found: Found) -> None:
    for name in _ALONE:
        if getattr(whole, name) in (None, "", []):
            setattr(whole, name, getattr(found, name))
    whole.params = {**found.params, **whole.params}
    whole.metadata = {**found.metadata, **whole.metadata}
    whole.tool = {**whole.tool, **found.tool, **_known(whole.tool)}
    whole.tags = list(dict.fromkeys([*whole.tags, *found.tags]))
    whole.tokens = _joined_tokens(whole.tokens, found.tokens)
    whole.prompt = _joined_prompt(whole.prompt, found.prompt)


def _known(tool: Json) -> Json:
    return {name: value for name, value in tool.items() if value not in ("", {}, None)}


def _joined_tokens(mine: Tokens, other: Tokens) -> Tokens:
    return Tokens(
        input=other.input if mine.input is None else mine.input,
        output=other.output if mine.output is None else mine.output,
        cache_read=other.cache_read if mine.cache_read is None else mine.cache_read,
        reasoning=other.reasoning if mine.reasoning is None else mine.reasoning,
    )


def _joined_prompt(mine: PromptRef, other: PromptRef) -> PromptRef:
    return PromptRef(
        name=mine.name or other.name,
        version=mine.version or other.version,
        template=mine.template or other.template,
        variables=mine.variables or other.variables,
    )
