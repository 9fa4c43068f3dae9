"""Names that older instrumentations still send: indexed prompts, `llm.*` and early `gen_ai.*`."""

from __future__ import annotations

from typing import Final

from routing.otlp.found import Found
from routing.otlp.messages import read_message
from routing.otlp.usage import read_tokens
from routing.otlp.values import as_label, first, rows_of, under
from routing.otlp.wire import RawSpan
from routing.spans import Json, Tokens

_KINDS: Final = {
    "chat": "LLM",
    "completion": "LLM",
    "embedding": "EMBEDDING",
    "embeddings": "EMBEDDING",
    "rerank": "RERANKER",
}
_MARKS: Final = ("llm.request.type", "llm.request.model", "llm.vendor")
_PREFIXES: Final = ("gen_ai.prompt.", "gen_ai.completion.", "llm.completions.", "llm.usage.")


def read(span: RawSpan) -> Found | None:
    """What the old names say."""
    attributes = span.attributes
    marked = any(mark in attributes for mark in _MARKS)
    if not marked and not any(key.startswith(_PREFIXES) for key in attributes):
        return None
    found = Found(dialect="legacy")
    found.kind = _KINDS.get(as_label(attributes.get("llm.request.type")).lower(), "")
    found.model = as_label(first(attributes, "llm.response.model", "llm.request.model"))
    found.provider = as_label(attributes.get("llm.vendor")).lower()
    found.messages_in = _messages(attributes, "gen_ai.prompt", "llm.prompts", "user")
    found.messages_out = _messages(attributes, "gen_ai.completion", "llm.completions", "assistant")
    found.tokens = _tokens(attributes)
    return found


def _messages(attributes: Json, newer: str, older: str, role: str) -> list[Json]:
    rows = rows_of(attributes, newer) or rows_of(attributes, older)
    messages: list[Json] = []
    for row in rows:
        if "role" in row or "content" in row or "tool_calls.0.name" in row:
            calls = rows_of(row, "tool_calls")
            messages += read_message({"role": role, **row, "tool_calls": calls})
    return messages


def _tokens(attributes: Json) -> Tokens:
    return read_tokens(under(attributes, "llm.usage"))
