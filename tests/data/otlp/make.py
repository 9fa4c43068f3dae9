"""Writes the OTLP bodies beside this file: what clients of several dialects would send.

All texts are invented, about a bank that does not exist. Run it after a change and commit what
it writes; `test_otlp_bodies` fails while the files and this script disagree.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

HERE = Path(__file__).parent
START = 1_780_000_000_000_000_000
MS = 1_000_000
QUESTION = "Can I freeze my debit card from the app?"
ANSWER = "Yes. Open Cards, choose the card, then Freeze. You can undo it at any time."
SYSTEM = "You are the assistant of Harbour Bank. Answer from the documents."


def value_of(value: Any) -> AnyValue:
    """A Python value as protobuf's AnyValue."""
    result = AnyValue()
    if isinstance(value, bool):
        result.bool_value = value
    elif isinstance(value, int):
        result.int_value = value
    elif isinstance(value, float):
        result.double_value = value
    elif isinstance(value, bytes):
        result.bytes_value = value
    elif isinstance(value, list):
        result.array_value.values.extend(value_of(item) for item in value)
        result.array_value.SetInParent()
    elif isinstance(value, dict):
        result.kvlist_value.values.extend(pairs(value))
        result.kvlist_value.SetInParent()
    else:
        result.string_value = str(value)
    return result


def pairs(values: Mapping[str, Any]) -> list[KeyValue]:
    """Attributes as protobuf wants them."""
    return [KeyValue(key=key, value=value_of(value)) for key, value in values.items()]


def span(
    trace: int,
    number: int,
    name: str,
    attributes: Mapping[str, Any],
    *,
    parent: int = 0,
    start: int = 0,
    length: int = 10,
    status: int = 0,
    message: str = "",
) -> Span:
    """A span with easy ids; `start` and `length` in milliseconds."""
    result = Span(
        trace_id=trace.to_bytes(16, "big"),
        span_id=number.to_bytes(8, "big"),
        parent_span_id=parent.to_bytes(8, "big") if parent else b"",
        name=name,
        start_time_unix_nano=START + start * MS,
        end_time_unix_nano=START + (start + length) * MS,
        attributes=pairs(attributes),
    )
    result.status.code = status  # type: ignore[assignment]
    result.status.message = message
    return result


def request(*spans: Span, service: str = "harbour-assistant") -> ExportTraceServiceRequest:
    """One request of one resource."""
    result = ExportTraceServiceRequest()
    group = result.resource_spans.add()
    group.resource.attributes.extend(
        pairs(
            {
                "service.name": service,
                "service.version": "4.2.0",
                "deployment.environment.name": "production",
            }
        )
    )
    group.scope_spans.add().spans.extend(spans)
    return result


def openinference_rag() -> bytes:
    """Children before their root, a gap in the message indices, one absurdly high index."""
    model = {
        "openinference.span.kind": "LLM",
        "llm.model_name": "harbour-mini",
        "llm.provider": "OpenAI",
        "llm.invocation_parameters": '{"temperature": 0.1}',
        "llm.input_messages.0.message.role": "system",
        "llm.input_messages.0.message.content": SYSTEM,
        "llm.input_messages.34.message.role": "user",
        "llm.input_messages.34.message.contents.0.message_content.type": "text",
        "llm.input_messages.34.message.contents.0.message_content.text": QUESTION,
        "llm.input_messages.999999999.message.role": "user",
        "llm.input_messages.999999999.message.content": "Please be brief.",
        "llm.output_messages.0.message.role": "assistant",
        "llm.output_messages.0.message.content": ANSWER,
        "llm.token_count.prompt": 120,
        "llm.token_count.completion": 22,
        "llm.cost.prompt": 0.0002,
        "llm.cost.completion": 0.0001,
        "llm.prompt_template.template": SYSTEM,
        "llm.prompt_template.version": "12",
        "llm.prompt_template.variables": '{"bank": "Harbour Bank"}',
        "prompt.id": "card-help",
    }
    documents = {
        "openinference.span.kind": "RETRIEVER",
        "input.value": QUESTION,
        "retrieval.documents.0.document.id": "cards-7",
        "retrieval.documents.0.document.content": "Cards can be frozen and unfrozen in the app.",
        "retrieval.documents.0.document.score": 0.91,
        "retrieval.documents.0.document.metadata": '{"title": "Cards"}',
    }
    root = {
        "openinference.span.kind": "CHAIN",
        "input.value": QUESTION,
        "output.value": ANSWER,
        "session.id": "s-100",
        "user.id": "u-7",
        "tag.tags": ["cards", "app"],
        "metadata": '{"task": "support", "language": "en", "segment": "retail"}',
    }
    llm = span(1, 3, "chat", model, parent=1, start=40, length=400, status=1)
    llm.dropped_attributes_count = 75
    first_token = llm.events.add()
    first_token.name = "First Token Stream Event"
    first_token.time_unix_nano = START + 140 * MS
    score = llm.events.add()
    score.name = "gen_ai.evaluation.result"
    score.time_unix_nano = START + 430 * MS
    score.attributes.extend(
        pairs({"gen_ai.evaluation.name": "grounded", "gen_ai.evaluation.score.value": 0.75})
    )
    return request(
        span(1, 2, "search", documents, parent=1, start=5, length=30, status=1),
        llm,
        span(1, 1, "answer", root, length=450, status=1),
    ).SerializeToString(deterministic=True)


def genai_agent() -> bytes:
    """An agent that calls a tool; its wrapper repeats the tokens of its children."""
    asked = [{"role": "user", "parts": [{"type": "text", "content": "What is my limit?"}]}]
    call = {
        "type": "tool_call",
        "id": "c1",
        "name": "card_limit",
        "arguments": '{"card": "debit"}',
    }
    result = {"type": "tool_call_response", "id": "c1", "result": {"limit": 900}}
    said = {"role": "assistant", "parts": [{"type": "text", "content": "Your limit is 900."}]}
    called = {"role": "assistant", "parts": [call], "finish_reason": "tool_call"}
    common = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "harbour-mini",
        "gen_ai.request.temperature": 0.3,
    }
    first = {
        **common,
        "gen_ai.system_instructions": json.dumps([{"type": "text", "content": SYSTEM}]),
        "gen_ai.input.messages": json.dumps(asked),
        "gen_ai.output.messages": json.dumps([called]),
        "gen_ai.usage.input_tokens": 50,
        "gen_ai.usage.output_tokens": 9,
    }
    second = {
        **common,
        "gen_ai.input.messages": json.dumps([*asked, called, {"role": "user", "parts": [result]}]),
        "gen_ai.output.messages": json.dumps([said]),
        "gen_ai.usage.input_tokens": 70,
        "gen_ai.usage.output_tokens": 8,
        "gen_ai.response.time_to_first_chunk": 0.25,
        "gen_ai.prompt.name": "limits",
        "gen_ai.prompt.version": "3",
        "gen_ai.prompt.variable.bank": "Harbour Bank",
    }
    agent = {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.conversation.id": "s-200",
        "gen_ai.aggregated_usage.input_tokens": 120,
        "gen_ai.usage.input_tokens": 120,
        "gen_ai.usage.output_tokens": 17,
    }
    tool = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "card_limit",
        "gen_ai.tool.call.arguments": {"card": "debit"},
        "gen_ai.tool.call.result": '{"limit": 900}',
    }
    return request(
        span(2, 12, "chat harbour-mini", first, parent=11, start=1),
        span(2, 13, "execute_tool card_limit", tool, parent=11, start=20),
        span(2, 14, "chat harbour-mini", second, parent=11, start=40, length=300),
        span(2, 11, "invoke_agent cards", agent, length=350),
    ).SerializeToString(deterministic=True)


def genai_logs() -> bytes:
    """Content of one span in the newest form, of another in the form of 2024, and an alien."""
    result = ExportLogsServiceRequest()
    records = result.resource_logs.add().scope_logs.add().log_records
    details = records.add(
        trace_id=(3).to_bytes(16, "big"),
        span_id=(21).to_bytes(8, "big"),
        time_unix_nano=START,
        event_name="gen_ai.client.inference.operation.details",
    )
    parts = [{"type": "text", "content": QUESTION}]
    details.attributes.extend(pairs({"gen_ai.input.messages": [{"role": "user", "parts": parts}]}))
    for position, (name, body) in enumerate(
        [
            ("gen_ai.system.message", {"content": SYSTEM}),
            ("gen_ai.user.message", {"content": QUESTION}),
            ("gen_ai.choice", {"index": 0, "message": {"role": "assistant", "content": ANSWER}}),
            ("app.started", {"content": "not ours"}),
        ]
    ):
        record = records.add(
            trace_id=(3).to_bytes(16, "big"),
            span_id=(22).to_bytes(8, "big"),
            time_unix_nano=START + position * MS,
            body=value_of(body),
        )
        record.attributes.extend(pairs({"event.name": name}))
    return result.SerializeToString(deterministic=True)


def langfuse_chain() -> bytes:
    """Langfuse 5: JSON-quoted metadata, a first-token time, costs without a total."""
    shared = {
        "langfuse.trace.name": "card-help",
        "langfuse.trace.tags": ["cards"],
        "langfuse.trace.metadata.branch": '"north"',
        "langfuse.environment": "staging",
        "session.id": "s-300",
        "user.id": "u-9",
        "langfuse.observation.prompt.name": "card-help",
        "langfuse.observation.prompt.version": 4,
    }
    generation = {
        **shared,
        "langfuse.observation.type": "generation",
        "langfuse.observation.model.name": "harbour-large",
        "langfuse.observation.input": json.dumps([{"role": "user", "content": QUESTION}]),
        "langfuse.observation.output": json.dumps(ANSWER),
        "langfuse.observation.usage_details": json.dumps(
            {
                "prompt_tokens": 30,
                "completion_tokens": 12,
                "prompt_tokens_details": {"cached_tokens": 6},
            }
        ),
        "langfuse.observation.cost_details": '{"input": 0.003, "output": 0.001}',
        "langfuse.observation.completion_start_time": '"2026-05-28T20:26:40.150000Z"',
    }
    root = {
        **shared,
        "langfuse.observation.type": "chain",
        "langfuse.observation.input": json.dumps({"question": QUESTION}),
        "langfuse.observation.output": json.dumps(ANSWER),
    }
    body = request(
        span(4, 32, "generate", generation, parent=31, length=200),
        span(4, 31, "card-help", root, length=220),
    ).SerializeToString(deterministic=True)
    return gzip.compress(body, mtime=0)


def traceloop_legacy() -> bytes:
    """The indexed names of old OpenLLMetry, with a tool call."""
    attributes = {
        "llm.request.type": "chat",
        "gen_ai.system": "OpenAI",
        "gen_ai.request.model": "harbour-mini",
        "gen_ai.prompt.0.role": "user",
        "gen_ai.prompt.0.content": QUESTION,
        "gen_ai.completion.0.role": "assistant",
        "gen_ai.completion.0.tool_calls.0.id": "c9",
        "gen_ai.completion.0.tool_calls.0.name": "freeze_card",
        "gen_ai.completion.0.tool_calls.0.arguments": '{"card": "debit"}',
        "gen_ai.usage.prompt_tokens": 14,
        "gen_ai.usage.completion_tokens": 6,
        "traceloop.association.properties.user_id": "u-11",
        "traceloop.association.properties.channel": "app",
    }
    return request(span(5, 41, "openai.chat", attributes)).SerializeToString(deterministic=True)


def vercel_tools() -> bytes:
    """Vercel AI SDK: the wrapper repeats the tokens of the call below it."""
    prompt = {"system": SYSTEM, "prompt": QUESTION}
    messages = [
        {"role": "system", "content": SYSTEM},
        {"role": "user", "content": [{"type": "text", "text": QUESTION}]},
    ]
    wrapper = {
        "ai.operationId": "ai.generateText",
        "ai.prompt": json.dumps(prompt),
        "ai.response.text": ANSWER,
        "ai.usage.inputTokens": 40,
        "ai.usage.outputTokens": 18,
        "ai.telemetry.functionId": "card-help",
        "ai.telemetry.metadata.sessionId": "s-500",
        "ai.telemetry.metadata.userId": "u-5",
    }
    call = {
        "ai.operationId": "ai.generateText.doGenerate",
        "ai.prompt.messages": json.dumps(messages),
        "ai.response.text": ANSWER,
        "ai.model.id": "harbour-mini",
        "ai.model.provider": "openai.chat",
        "ai.usage.inputTokens": 40,
        "ai.usage.outputTokens": 18,
        "ai.response.msToFirstChunk": 80,
    }
    tool = {
        "ai.operationId": "ai.toolCall",
        "ai.toolCall.name": "freeze_card",
        "ai.toolCall.args": '{"card": "debit"}',
        "ai.toolCall.result": '"frozen"',
    }
    return request(
        span(6, 52, "ai.generateText.doGenerate", call, parent=51, start=1, length=150),
        span(6, 53, "ai.toolCall", tool, parent=51, start=160),
        span(6, 51, "ai.generateText", wrapper, length=180),
    ).SerializeToString(deterministic=True)


def mlflow_chat() -> bytes:
    """MLflow: everything is a JSON text."""
    chat = {
        "mlflow.spanType": '"CHAT_MODEL"',
        "mlflow.spanInputs": json.dumps({"messages": [{"role": "user", "content": QUESTION}]}),
        "mlflow.spanOutputs": json.dumps(
            {"choices": [{"message": {"role": "assistant", "content": ANSWER}}]}
        ),
        "mlflow.chat.tokenUsage": '{"input_tokens": 11, "output_tokens": 19, "total_tokens": 30}',
        "mlflow.llm.cost": '{"input_cost": 0.001, "output_cost": 0.002, "total_cost": 0.003}',
        "mlflow.linkedPrompts": '[{"name": "card-help", "version": "2"}]',
        "mlflow.trace.session": "s-600",
    }
    return request(span(7, 61, "predict", chat)).SerializeToString(deterministic=True)


def pydantic_tool_v1() -> bytes:
    """Pydantic AI 1: a tool span without an operation name, messages as a list of events."""
    events = [
        {"event.name": "gen_ai.user.message", "role": "user", "content": QUESTION},
        {
            "event.name": "gen_ai.choice",
            "index": 0,
            "message": {"role": "assistant", "content": ANSWER},
        },
    ]
    tool = {
        "gen_ai.tool.name": "freeze_card",
        "tool_arguments": '{"card": "debit"}',
        "tool_response": "frozen",
        "logfire.msg": "running tool: freeze_card",
    }
    agent = {
        "agent_name": "cards",
        "model_name": "harbour-mini",
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 20,
        "all_messages_events": json.dumps(events),
        "final_result": ANSWER,
        "logfire.msg": "cards run",
    }
    return request(
        span(8, 72, "running tool", tool, parent=71, start=1),
        span(8, 71, "agent run", agent, length=40),
    ).SerializeToString(deterministic=True)


def hostile_json() -> bytes:
    """Every trap in one JSON body: bad ids, wrong types, NUL, surrogates, numbers beyond JSON."""
    good = {
        "traceId": "0000000000000000000000000000000A",
        "spanId": "000000000000005B",
        "name": "free\0ze \ud800",
        "startTimeUnixNano": "18446744073709551615",
        "endTimeUnixNano": 12,
        "status": {"code": 7, "message": 5},
        "unknownField": {"a": 1},
        "attributes": [
            {"key": "openinference.span.kind", "value": {"stringValue": "LLM"}},
            {"key": "input.value", "value": {"stringValue": QUESTION}},
            {"key": "nul\0key", "value": {"stringValue": "a\0b"}},
            {"key": "ratio", "value": {"doubleValue": float("nan")}},
            {"key": "big", "value": {"intValue": "9007199254740993"}},
            {"key": "huge", "value": {"intValue": 2**70}},
            {"key": "odd", "value": {"intValue": "twelve"}},
            {"key": "raw", "value": 17},
            {"key": "llm.token_count.prompt", "value": {"stringValue": "many"}},
            {"key": "tag.tags", "value": {"kvlistValue": {"values": []}}},
            {"key": "metadata", "value": {"arrayValue": {"values": [{"intValue": "1"}]}}},
            {"key": "llm.input_messages.0.message.content", "value": {"boolValue": True}},
        ],
        "events": [{"name": "exception", "attributes": "none"}, 5],
    }
    bad = [
        {**good, "traceId": "0" * 32},
        {**good, "spanId": "0" * 16},
        {**good, "traceId": "zz"},
        "not a span",
    ]
    scope = {"scope": {"name": "hand"}, "spans": [good, *bad]}
    return json.dumps({"resourceSpans": [{"scopeSpans": [scope]}]}).encode()


BODIES = {
    "openinference-rag.bin": openinference_rag,
    "genai-agent.bin": genai_agent,
    "genai-logs.bin": genai_logs,
    "langfuse-chain.bin.gz": langfuse_chain,
    "traceloop-legacy.bin": traceloop_legacy,
    "vercel-tools.bin": vercel_tools,
    "mlflow-chat.bin": mlflow_chat,
    "pydantic-tool-v1.bin": pydantic_tool_v1,
    "hostile.json": hostile_json,
}


if __name__ == "__main__":
    for file_name, build in BODIES.items():
        (HERE / file_name).write_bytes(build())
