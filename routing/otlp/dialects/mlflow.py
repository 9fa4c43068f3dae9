"""MLflow: every attribute is a JSON text, plain words included."""

from __future__ import annotations

from typing import Any, Final

from routing.otlp.documents import read_documents
from routing.otlp.found import Found
from routing.otlp.messages import read_arguments, read_messages
from routing.otlp.usage import read_cost, read_tokens
from routing.otlp.values import as_label, as_text, first, read_object, read_structure, under
from routing.otlp.wire import RawSpan
from routing.spans import KINDS, Json, PromptRef

_KINDS: Final = {
    **{kind: kind for kind in KINDS},
    "CHAT_MODEL": "LLM",
    "WORKFLOW": "CHAIN",
    "TASK": "CHAIN",
    "UNKNOWN": "SPAN",
}


def read(span: RawSpan) -> Found | None:
    """What MLflow's attributes say."""
    fields = under(span.attributes, "mlflow")
    if not fields:
        return None
    kind = _KINDS.get(as_label(fields.get("spanType")).upper(), "")
    found = Found(dialect="mlflow", kind=kind)
    asked = read_object(fields.get("spanInputs"))
    found.model = as_label(first(fields, "llm.model") or asked.get("model"))
    found.provider = as_label(fields.get("llm.provider")).lower()
    found.tokens = read_tokens(read_object(fields.get("chat.tokenUsage")))
    found.cost_usd = read_cost(_dollars(read_object(fields.get("llm.cost"))))
    found.session = as_label(first(fields, "trace.session", "traceSession"))
    found.user = as_label(first(fields, "trace.user", "traceUser"))
    found.prompt = _prompt(read_structure(fields.get("linkedPrompts")))
    _read_content(found, fields, span)
    return found


def _dollars(costs: Json) -> Json:
    return {name: cost for name, cost in costs.items() if name.endswith("_cost")}


def _read_content(found: Found, fields: Json, span: RawSpan) -> None:
    sent, answered = fields.get("spanInputs"), fields.get("spanOutputs")
    found.input_text, found.output_text = _text(sent), _text(answered)
    if found.kind == "LLM":
        found.messages_in = read_messages(sent, role="user")
        found.messages_out = read_messages(answered, role="assistant")
    elif found.kind in ("RETRIEVER", "RERANKER"):
        found.documents = read_documents(answered)
    elif found.kind == "TOOL":
        found.tool = {
            "name": span.name,
            "arguments": read_arguments(sent),
            "result": found.output_text,
        }


def _text(value: object) -> str:
    found: Any = read_structure(value)
    return found if isinstance(found, str) else as_text(value)


def _prompt(linked: object) -> PromptRef:
    ref = linked[0] if isinstance(linked, list) and linked else None
    if not isinstance(ref, dict):
        return PromptRef()
    return PromptRef(name=as_label(ref.get("name")), version=as_label(ref.get("version")))
