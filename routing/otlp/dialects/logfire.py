"""Pydantic AI and Logfire: what they add to the GenAI conventions."""

from __future__ import annotations

from typing import Any, Final

from routing.otlp.dialects.genai import read_event
from routing.otlp.found import Found
from routing.otlp.messages import read_arguments, read_messages
from routing.otlp.values import (
    as_label,
    as_labels,
    as_number,
    as_text,
    first,
    read_structure,
)
from routing.otlp.wire import RawSpan
from routing.spans import Json

_MARKS: Final = (
    "logfire.msg",
    "pydantic_ai.all_messages",
    "all_messages_events",
    "final_result",
    "tool_response",
    "agent_name",
)


def read(span: RawSpan) -> Found | None:
    """What Logfire's names say, of Pydantic AI 1 and 2."""
    attributes = span.attributes
    if not any(mark in attributes for mark in _MARKS):
        return None
    found = Found(dialect="logfire", kind=_kind(attributes))
    # Logfire names spans by their template and keeps the filled-in text here.
    found.name = as_text(attributes.get("logfire.msg"))
    found.output_text = as_text(attributes.get("final_result"))
    found.tags = as_labels(attributes.get("logfire.tags"))
    found.model = as_label(attributes.get("model_name"))
    cost = as_number(attributes.get("operation.cost"))
    found.cost_usd = cost if cost is not None and cost >= 0 else None
    found.tool = _tool(attributes)
    _read_messages(found, attributes)
    return found


def _kind(attributes: Json) -> str:
    if "gen_ai.operation.name" in attributes:
        return ""
    if first(attributes, "tool_response", "tool_arguments", "gen_ai.tool.name") is not None:
        return "TOOL"
    return "AGENT" if "agent_name" in attributes else ""


def _tool(attributes: Json) -> Json:
    if first(attributes, "tool_response", "tool_arguments") is None:
        return {}
    return {
        "name": as_label(attributes.get("gen_ai.tool.name")),
        "arguments": read_arguments(attributes.get("tool_arguments")),
        "result": as_text(attributes.get("tool_response")),
    }


def _read_messages(found: Found, attributes: Json) -> None:
    messages = read_messages(attributes.get("pydantic_ai.all_messages"))
    if not messages:
        messages = _event_messages(first(attributes, "all_messages_events", "events"))
    if messages and messages[-1]["role"] == "assistant":
        found.messages_out = [messages.pop()]
    found.messages_in = messages


def _event_messages(value: object) -> list[Json]:
    """Pydantic AI 1 keeps each message as an event inside one JSON list."""
    events: Any = read_structure(value)
    messages: list[Json] = []
    for event in events if isinstance(events, list) else []:
        if isinstance(event, dict):
            sent, answered = read_event(as_label(event.get("event.name")), event, {})
            messages += sent + answered
    return messages
