"""OpenLLMetry (Traceloop): workflows, tasks and association properties.

Its model calls speak the GenAI conventions, which `genai` and `legacy` read.
"""

from __future__ import annotations

from typing import Final

from routing.otlp.found import Found
from routing.otlp.messages import read_arguments
from routing.otlp.values import as_label, as_text, first, moment, under
from routing.otlp.wire import RawSpan
from routing.spans import Json, PromptRef

_KINDS: Final = {"workflow": "CHAIN", "task": "CHAIN", "agent": "AGENT", "tool": "TOOL"}
_CHUNKS: Final = frozenset({"gen_ai.content.completion.chunk", "llm.content.completion.chunk"})


def read(span: RawSpan) -> Found | None:
    """What Traceloop's own attributes say."""
    fields = under(span.attributes, "traceloop")
    ttft = _ttft(span)
    if not fields and ttft is None:
        return None
    found = Found(dialect="traceloop", ttft_ms=ttft)
    found.kind = _KINDS.get(as_label(fields.get("span.kind")), "")
    found.trace_name = as_label(fields.get("workflow.name"))
    found.input_text = as_text(fields.get("entity.input"))
    found.output_text = as_text(fields.get("entity.output"))
    found.tool = _tool(found, fields, span)
    found.prompt = _prompt(under(fields, "prompt"))
    _read_associations(found, under(fields, "association.properties"))
    return found


def _tool(found: Found, fields: Json, span: RawSpan) -> Json:
    if found.kind != "TOOL":
        return {}
    return {
        "name": as_label(fields.get("entity.name")) or span.name,
        "arguments": read_arguments(found.input_text),
        "result": found.output_text,
    }


def _prompt(fields: Json) -> PromptRef:
    return PromptRef(
        name=as_label(fields.get("key")),
        version=as_label(first(fields, "version", "version_name", "version_hash")),
        template=as_text(fields.get("template")),
        variables=under(fields, "template_variables"),
    )


def _read_associations(found: Found, properties: Json) -> None:
    found.session = as_label(first(properties, "session_id", "thread_id", "chat_id"))
    found.user = as_label(properties.get("user_id"))
    found.metadata = {
        name: value for name, value in properties.items() if name not in ("session_id", "user_id")
    }


def _ttft(span: RawSpan) -> float | None:
    start = moment(span.start)
    times = [moment(event.at) for event in span.events if event.name in _CHUNKS]
    known = [at for at in times if at is not None and start is not None and at >= start]
    if not known or start is None:
        return None
    return (min(known) - start).total_seconds() * 1000
