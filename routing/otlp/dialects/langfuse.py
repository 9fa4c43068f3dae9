"""Langfuse's attributes (SDK 3 to 5)."""

from __future__ import annotations

from typing import Any, Final

from routing.otlp.documents import read_documents
from routing.otlp.found import Found
from routing.otlp.messages import read_arguments, read_messages
from routing.otlp.usage import read_cost, read_tokens
from routing.otlp.values import (
    as_label,
    as_labels,
    as_moment,
    as_text,
    first,
    moment,
    read_object,
    read_structure,
    under,
)
from routing.otlp.wire import RawSpan
from routing.spans import Json, PromptRef

_KINDS: Final = {
    "generation": "LLM",
    "embedding": "EMBEDDING",
    "agent": "AGENT",
    "tool": "TOOL",
    "chain": "CHAIN",
    "retriever": "RETRIEVER",
    "evaluator": "EVALUATOR",
    "guardrail": "GUARDRAIL",
    "span": "SPAN",
    "event": "SPAN",
}
_OBSERVATION: Final = "langfuse.observation"


def read(span: RawSpan) -> Found | None:
    """What Langfuse's attributes say; `langfuse.trace.*` stands on every span."""
    attributes = span.attributes
    if not any(key.startswith("langfuse.") for key in attributes):
        return None
    observed = under(attributes, _OBSERVATION)
    kind = _KINDS.get(as_label(observed.get("type")), "")
    found = Found(dialect="langfuse", kind=kind)
    _read_content(found, observed, span)
    _read_trace(found, attributes)
    found.model = as_label(first(observed, "model.name", "model"))
    found.params = read_object(observed.get("model.parameters"))
    found.tokens = read_tokens(read_object(observed.get("usage_details")))
    found.cost_usd = read_cost(read_object(observed.get("cost_details")))
    found.ttft_ms = _ttft(observed, span)
    found.prompt = PromptRef(
        name=as_label(observed.get("prompt.name")), version=as_label(observed.get("prompt.version"))
    )
    found.metadata = _metadata(attributes)
    _read_level(found, observed)
    return found


def _read_content(found: Found, observed: Json, span: RawSpan) -> None:
    sent, answered = observed.get("input"), observed.get("output")
    found.input_text = _unquoted(first(span.attributes, f"{_OBSERVATION}.input"))
    found.output_text = _unquoted(first(span.attributes, f"{_OBSERVATION}.output"))
    if found.kind == "LLM":
        found.messages_in = read_messages(sent, role="user")
        found.messages_out = read_messages(answered, role="assistant")
    elif found.kind == "RETRIEVER":
        found.documents = read_documents(answered)
    elif found.kind == "TOOL":
        found.tool = {
            "name": span.name,
            "arguments": read_arguments(sent),
            "result": found.output_text,
        }


def _unquoted(value: object) -> str:
    found = read_structure(value)
    return found if isinstance(found, str) else as_text(value)


def _read_trace(found: Found, attributes: Json) -> None:
    found.trace_name = as_label(attributes.get("langfuse.trace.name"))
    found.session = as_label(first(attributes, "session.id", "langfuse.session.id"))
    found.user = as_label(first(attributes, "user.id", "langfuse.user.id"))
    found.tags = as_labels(first(attributes, "langfuse.trace.tags"))
    found.environment = as_label(attributes.get("langfuse.environment"))
    found.release = as_label(first(attributes, "langfuse.release", "langfuse.version"))


def _metadata(attributes: Json) -> Json:
    kept: Json = {}
    for prefix in ("langfuse.trace.metadata", f"{_OBSERVATION}.metadata"):
        kept |= read_object(attributes.get(prefix))
        kept |= {name: _plain(value) for name, value in under(attributes, prefix).items()}
    return kept


def _plain(value: object) -> Any:
    # SDK 5 JSON-quotes each value, 3 and 4 do not.
    return read_structure(value)


def _ttft(observed: Json, span: RawSpan) -> float | None:
    first_token, start = as_moment(observed.get("completion_start_time")), moment(span.start)
    if first_token is None or start is None or first_token < start:
        return None
    return (first_token - start).total_seconds() * 1000


def _read_level(found: Found, observed: Json) -> None:
    message = as_text(observed.get("status_message"))
    if as_label(observed.get("level")) == "ERROR":
        found.status = "error"
        found.error = message
