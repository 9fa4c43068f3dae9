"""OpenTelemetry's GenAI conventions: attributes on spans, and content in events."""

from __future__ import annotations

from typing import Any, Final

from routing.otlp.documents import read_documents
from routing.otlp.found import Found
from routing.otlp.messages import read_arguments, read_messages, text_of
from routing.otlp.usage import read_tokens
from routing.otlp.values import as_label, as_number, as_text, first, read_structure, under
from routing.otlp.wire import RawSpan
from routing.spans import Json, PromptRef

_KINDS: Final = {
    "chat": "LLM",
    "text_completion": "LLM",
    "completion": "LLM",
    "generate_content": "LLM",
    "embeddings": "EMBEDDING",
    "retrieval": "RETRIEVER",
    "rerank": "RERANKER",
    "execute_tool": "TOOL",
    "invoke_agent": "AGENT",
    "create_agent": "AGENT",
    "invoke_workflow": "CHAIN",
}
_DETAILS: Final = "gen_ai.client.inference.operation.details"
_ROLES: Final = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
}


def read(span: RawSpan) -> Found | None:
    """What the GenAI attributes say. By default clients send no message content at all."""
    fields = under(span.attributes, "gen_ai")
    if not fields:
        return None
    found = Found(dialect="genai", kind=_kind(fields))
    found.messages_in, found.messages_out = read_content(span.attributes)
    if not (found.messages_in or found.messages_out):
        _read_events(found, span)
    _read_model(found, fields)
    found.tool = _tool(fields, span)
    found.documents = read_documents(fields.get("retrieval.documents"))
    found.input_text = as_text(fields.get("retrieval.query.text"))
    found.session = as_label(fields.get("conversation.id"))
    found.prompt = _prompt(fields)
    found.output_text = text_of(found.messages_out)
    return found


def _kind(fields: Json) -> str:
    operation = as_label(fields.get("operation.name"))
    if operation:
        return _KINDS.get(operation, "")
    if "tool.name" in fields:
        return "TOOL"
    return "LLM" if first(fields, "request.model", "response.model") else ""


def read_content(attributes: Json) -> tuple[list[Json], list[Json]]:
    """Messages in and out of one span, one event or one log record."""
    sent = read_messages(attributes.get("gen_ai.input.messages"), role="user")
    system = read_structure(attributes.get("gen_ai.system_instructions"))
    if system and not any(message["role"] == "system" for message in sent):
        parts = {"role": "system", "content": system}
        sent = read_messages([parts]) + sent
    answered = read_messages(attributes.get("gen_ai.output.messages"), role="assistant")
    return sent, answered


def read_event(name: str, body: Any, attributes: Json) -> tuple[list[Json], list[Json]]:
    """Messages in and out of one event, in its newest form and in those of 2024.

    The older forms: one event per message, its content in the body (or in the attributes), and
    `gen_ai.content.prompt` / `.completion` with everything as one JSON text.
    """
    if name == _DETAILS:
        whole = (
            body if isinstance(body, dict) and not attributes.get("gen_ai.input.messages") else {}
        )
        return read_content({**whole, **attributes})
    content = body if isinstance(body, dict) and body else attributes
    if name in _ROLES:
        return _said(content, _ROLES[name]), []
    if name == "gen_ai.choice":
        return [], read_messages([content], role="assistant")
    sent = read_messages(attributes.get("gen_ai.prompt"), role="user")
    answered = read_messages(attributes.get("gen_ai.completion"), role="assistant")
    return sent, answered


def _said(content: Json, role: str) -> list[Json]:
    message = {**content, "role": content.get("role") or role}
    if role == "tool" and "id" in content:
        message["tool_call_id"] = content["id"]
    return read_messages([message])


def _read_events(found: Found, span: RawSpan) -> None:
    for event in span.events:
        if event.name.startswith("gen_ai."):
            sent, answered = read_event(event.name, None, event.attributes)
            found.messages_in += sent
            found.messages_out += answered


def _read_model(found: Found, fields: Json) -> None:
    found.model = as_label(first(fields, "response.model", "request.model"))
    found.provider = as_label(first(fields, "provider.name", "system")).lower()
    found.params = {
        name: value for name, value in under(fields, "request").items() if name != "model"
    }
    found.tokens = read_tokens(under(fields, "usage"))
    seconds = as_number(first(fields, "response.time_to_first_chunk", "server.time_to_first_token"))
    found.ttft_ms = seconds * 1000 if seconds is not None and seconds >= 0 else None


def _tool(fields: Json, span: RawSpan) -> Json:
    if "tool.name" not in fields and fields.get("operation.name") != "execute_tool":
        return {}
    return {
        "name": as_label(fields.get("tool.name")) or span.name,
        "arguments": read_arguments(fields.get("tool.call.arguments")),
        "result": as_text(fields.get("tool.call.result")),
    }


def _prompt(fields: Json) -> PromptRef:
    return PromptRef(
        name=as_label(fields.get("prompt.name")),
        version=as_label(fields.get("prompt.version")),
        variables=under(fields, "prompt.variable"),
    )
