"""The Vercel AI SDK: `ai.*` on wrapper, call and tool spans."""

from __future__ import annotations

from typing import Any

from routing.otlp.found import Found
from routing.otlp.messages import read_arguments, read_messages
from routing.otlp.usage import read_tokens
from routing.otlp.values import (
    as_label,
    as_number,
    as_text,
    first,
    read_object,
    read_structure,
    under,
)
from routing.otlp.wire import RawSpan
from routing.spans import Json


def read(span: RawSpan) -> Found | None:
    """What `ai.*` says. Only `doGenerate`, `doStream` and `doEmbed` spans are model calls."""
    fields = under(span.attributes, "ai")
    if not fields:
        return None
    found = Found(dialect="vercel", kind=_kind(as_label(fields.get("operationId")), fields))
    found.model = as_label(first(fields, "response.model", "model.id"))
    # It names the provider and its endpoint, as in "openai.chat".
    found.provider = as_label(fields.get("model.provider")).lower().partition(".")[0]
    found.params = under(fields, "settings")
    found.tokens = read_tokens(under(fields, "usage"))
    milliseconds = as_number(first(fields, "response.msToFirstChunk", "stream.msToFirstChunk"))
    found.ttft_ms = milliseconds if milliseconds is not None and milliseconds >= 0 else None
    _read_content(found, fields)
    _read_telemetry(found, fields)
    found.tool = _tool(fields)
    return found


def _kind(operation: str, fields: Json) -> str:
    if operation == "ai.toolCall" or "toolCall.name" in fields:
        return "TOOL"
    name = operation.rpartition(".")[2]
    if name.startswith("doEmbed"):
        return "EMBEDDING"
    if name.startswith("do"):
        return "LLM"
    return "CHAIN" if operation else ""


def _read_content(found: Found, fields: Json) -> None:
    prompt = first(fields, "prompt.messages", "prompt")
    found.messages_in = read_messages(_prompt(prompt))
    found.input_text = as_text(first(fields, "prompt", "value", "values"))
    text = as_text(first(fields, "response.text", "result.text", "response.object"))
    calls = read_structure(first(fields, "response.toolCalls", "result.toolCalls"))
    if text or calls:
        answer: Json = {"role": "assistant", "content": text, "tool_calls": calls}
        reason = first(fields, "response.finishReason", "finishReason")
        found.messages_out = read_messages([{**answer, "finish_reason": reason}])
    found.output_text = text


def _prompt(value: object) -> Any:
    """`{system, prompt}` of the wrapper span as messages; `{system, messages}` is one already."""
    whole = read_object(value)
    said = read_structure(whole.get("prompt"))
    if "messages" in whole or said is None:
        return value
    if isinstance(said, list):
        return {"system": whole.get("system"), "messages": said}
    asked = {"role": "user", "content": said}
    return {"system": whole.get("system"), "messages": [asked]}


def _read_telemetry(found: Found, fields: Json) -> None:
    metadata = under(fields, "telemetry.metadata")
    found.trace_name = as_label(fields.get("telemetry.functionId"))
    found.session = as_label(first(metadata, "sessionId", "session_id"))
    found.user = as_label(first(metadata, "userId", "user_id"))
    found.metadata = metadata


def _tool(fields: Json) -> Json:
    if "toolCall.name" not in fields:
        return {}
    return {
        "name": as_label(fields["toolCall.name"]),
        "arguments": read_arguments(first(fields, "toolCall.args", "toolCall.input")),
        "result": as_text(first(fields, "toolCall.result", "toolCall.output")),
    }
