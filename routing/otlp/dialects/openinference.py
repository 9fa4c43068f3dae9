"""OpenInference: Phoenix, and its instrumentations of OpenAI, LangChain, LlamaIndex and others."""

from __future__ import annotations

from typing import Any, Final

from routing.otlp.documents import read_document
from routing.otlp.found import Found
from routing.otlp.messages import read_arguments, read_message
from routing.otlp.usage import read_cost
from routing.otlp.values import (
    as_count,
    as_label,
    as_labels,
    as_text,
    first,
    moment,
    read_object,
    rows_of,
    under,
)
from routing.otlp.wire import RawSpan
from routing.spans import KINDS, Json, PromptRef, Tokens

# A decision is a step of the application itself, which is what a chain is.
_KINDS: Final = {**{kind: kind for kind in KINDS}, "DECISION": "CHAIN", "UNKNOWN": "SPAN"}
_MARKS: Final = (
    "openinference.span.kind",
    "input.value",
    "output.value",
    "llm.model_name",
    "llm.invocation_parameters",
    "llm.token_count.prompt",
    "embedding.model_name",
    "tag.tags",
)
_INDEXED: Final = ("llm.input_messages.", "llm.output_messages.", "retrieval.documents.")
_FIRST_TOKEN: Final = "First Token Stream Event"  # noqa: S105 - the name of an event


def read(span: RawSpan) -> Found | None:
    """What OpenInference's attributes say, also where the oldest of them were dropped."""
    attributes = span.attributes
    if not any(mark in attributes for mark in _MARKS) and not _is_indexed(attributes):
        return None
    kind = _KINDS.get(as_label(attributes.get("openinference.span.kind")).upper(), "")
    found = Found(dialect="openinference", kind=kind or _guess(attributes))
    _read_content(found, attributes)
    _read_model(found, attributes)
    _read_context(found, attributes)
    found.documents = _documents(attributes)
    found.tool = _tool(found, span)
    found.prompt = _prompt(attributes)
    found.ttft_ms = _ttft(span)
    return found


def _is_indexed(attributes: Json) -> bool:
    return any(key.startswith(_INDEXED) for key in attributes)


def _guess(attributes: Json) -> str:
    """A kind for a span that lost its own to the 128-attribute limit."""
    if any(key.startswith("llm.") for key in attributes):
        return "LLM"
    if any(key.startswith("retrieval.documents.") for key in attributes):
        return "RETRIEVER"
    return ""


def _read_content(found: Found, attributes: Json) -> None:
    found.input_text = as_text(attributes.get("input.value"))
    found.output_text = as_text(attributes.get("output.value"))
    found.messages_in = _messages(attributes, "llm.input_messages")
    found.messages_out = _messages(attributes, "llm.output_messages")
    if not found.messages_in:
        found.messages_in = _completions(attributes, "llm.prompts", "prompt.text", "user")
    if not found.messages_out:
        found.messages_out = _completions(attributes, "llm.choices", "completion.text", "assistant")
    texts = rows_of(attributes, "embedding.embeddings")
    if found.kind == "EMBEDDING" and any("embedding.text" in text for text in texts):
        found.input_text = "\n".join(as_text(text.get("embedding.text")) for text in texts)


def _completions(attributes: Json, prefix: str, name: str, role: str) -> list[Json]:
    rows = rows_of(attributes, prefix)
    return [{"role": role, "content": as_text(row[name])} for row in rows if name in row]


def _messages(attributes: Json, prefix: str) -> list[Json]:
    messages: list[Json] = []
    for row in rows_of(attributes, prefix):
        fields = under(row, "message")
        if fields:
            messages += read_message(_message(fields))
    return messages


def _message(fields: Json) -> Json:
    """The attributes of one message as the object they were flattened from."""
    message: Json = {
        # Without its role a message may still be read; the role may be what was dropped.
        "role": first(fields, "role") or "unknown",
        "content": fields.get("content"),
        "name": fields.get("name"),
        "tool_call_id": fields.get("tool_call_id"),
        "tool_calls": [_tool_call(row) for row in rows_of(fields, "tool_calls")],
    }
    parts = [_part(under(row, "message_content")) for row in rows_of(fields, "contents")]
    if parts:
        message["content"] = parts + ([message["content"]] if message["content"] else [])
    if fields.get("function_call_name"):
        call = {"name": fields["function_call_name"]}
        call["arguments"] = fields.get("function_call_arguments_json")
        message["tool_calls"].append(call)
    return message


def _part(fields: Json) -> Json:
    where = first(fields, "image.image.url", "audio.audio.url")
    return {**fields, "url": where} if where else fields


def _tool_call(row: Json) -> Json:
    call = under(row, "tool_call")
    return {
        "id": call.get("id"),
        "name": call.get("function.name"),
        "arguments": call.get("function.arguments"),
    }


def _read_model(found: Found, attributes: Json) -> None:
    found.provider = as_label(first(attributes, "llm.provider", "llm.system")).lower()
    found.params = read_object(
        first(attributes, "llm.invocation_parameters", "embedding.invocation_parameters")
    )
    # A call that failed has no answer to take the model's name from: then the one asked for.
    answered = first(attributes, "llm.model_name", "embedding.model_name", "reranker.model_name")
    found.model = as_label(answered or first(found.params, "model", "model_name"))
    counts = under(attributes, "llm.token_count")
    found.tokens = Tokens(
        input=as_count(counts.get("prompt")),
        output=as_count(counts.get("completion")),
        cache_read=as_count(counts.get("prompt_details.cache_read")),
        reasoning=as_count(counts.get("completion_details.reasoning")),
    )
    found.cost_usd = read_cost(under(attributes, "llm.cost"))


def _read_context(found: Found, attributes: Json) -> None:
    metadata = read_object(attributes.get("metadata"))
    found.metadata = metadata
    found.session = as_label(
        first(attributes, "session.id") or first(metadata, "session_id", "thread_id")
    )
    found.user = as_label(first(attributes, "user.id") or first(metadata, "user_id"))
    found.tags = as_labels(first(attributes, "tag.tags"))


def _documents(attributes: Json) -> list[Json]:
    rows = rows_of(attributes, "reranker.output_documents") or rows_of(
        attributes, "retrieval.documents"
    )
    found = [read_document(under(row, "document")) for row in rows]
    return [document for document in found if document]


def _tool(found: Found, span: RawSpan) -> Json:
    name = span.attributes.get("tool.name")
    if found.kind != "TOOL" and name is None:
        return {}
    arguments: Any = first(span.attributes, "tool.parameters", "input.value")
    return {
        "name": as_label(name) or span.name,
        "arguments": read_arguments(arguments),
        "result": found.output_text,
    }


def _prompt(attributes: Json) -> PromptRef:
    template = under(attributes, "llm.prompt_template")
    return PromptRef(
        name=as_label(first(attributes, "prompt.name", "prompt.id")),
        version=as_label(template.get("version")),
        template=as_text(template.get("template")),
        variables=read_object(template.get("variables")),
    )


def _ttft(span: RawSpan) -> float | None:
    start = moment(span.start)
    for event in span.events:
        at = moment(event.at)
        if event.name == _FIRST_TOKEN and start and at and at >= start:
            return (at - start).total_seconds() * 1000
    return None
