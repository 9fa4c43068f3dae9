"""Bodies of our own making: every dialect, every trap, without any file from elsewhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from routing.otlp import inflate, parse, parse_logs
from routing.spans import Tokens, patch, span_as_json, span_from_json
from routing.summary import summarise
from tests.data.otlp import make

BODIES = Path(make.__file__).parent
PROTOBUF = "application/x-protobuf"


def read(name: str) -> bytes:
    encoding = {".gz": "gzip"}.get(Path(name).suffix, "")
    return inflate([(BODIES / name).read_bytes()], encoding=encoding, limit=1 << 20)


def spans_of(name: str):
    return parse(read(name), content_type=PROTOBUF).spans


@pytest.mark.parametrize("name", sorted(make.BODIES))
def test_the_files_are_what_their_script_makes(name: str) -> None:
    encoding = {".gz": "gzip"}.get(Path(name).suffix, "")

    assert read(name) == inflate([make.BODIES[name]()], encoding=encoding, limit=1 << 20)


def test_openinference_survives_gaps_and_huge_indices() -> None:
    trace = summarise(spans_of("openinference-rag.bin"))

    assert [m["content"] for m in trace.messages] == [
        make.SYSTEM,
        make.QUESTION,
        "Please be brief.",
    ]
    assert trace.output == make.ANSWER
    assert (trace.prompt_name, trace.prompt_version) == ("card-help", "12")
    assert trace.variables == {"bank": "Harbour Bank"}
    assert (trace.task, trace.language, trace.tags) == ("support", "en", ["cards", "app"])
    assert trace.documents[0]["title"] == "Cards"
    assert (trace.cost_usd, trace.ttft_ms, trace.latency_ms) == (0.0003, 100.0, 450.0)
    assert trace.scores == {"grounded": 0.75}
    assert max(span.dropped_attributes for span in spans_of("openinference-rag.bin")) == 75


def test_genai_agent_with_a_tool() -> None:
    spans = spans_of("genai-agent.bin")
    trace = summarise(spans)

    assert [step["kind"] for step in trace.steps] == ["AGENT", "LLM", "TOOL", "LLM"]
    assert spans[0].messages_in[0] == {"role": "system", "content": make.SYSTEM}
    assert trace.messages[1]["tool_calls"] == [
        {"id": "c1", "name": "card_limit", "arguments": {"card": "debit"}}
    ]
    assert trace.messages[2] == {
        "role": "tool",
        "content": '{"limit": 900}',
        "tool_call_id": "c1",
    }
    assert (trace.tokens_in, trace.tokens_out, trace.ttft_ms) == (120, 17, 250.0)
    assert (trace.prompt_name, trace.prompt_version, trace.session) == ("limits", "3", "s-200")
    assert trace.output == "Your limit is 900."


def test_logs_old_and_new_and_alien() -> None:
    parsed = parse_logs(read("genai-logs.bin"), content_type=PROTOBUF)

    assert [log.span_id for log in parsed.logs] == [f"{21:016x}", f"{22:016x}"]
    assert parsed.logs[0].messages_in == [{"role": "user", "content": make.QUESTION}]
    assert [m["role"] for m in parsed.logs[1].messages_in] == ["system", "user"]
    assert parsed.logs[1].messages_out == [{"role": "assistant", "content": make.ANSWER}]
    assert parsed.rejected == 0


def test_a_log_that_is_sent_twice_counts_once() -> None:
    log = parse_logs(read("genai-logs.bin"), content_type=PROTOBUF).logs[1]
    (span,) = spans_of("traceloop-legacy.bin")
    (bare,) = parse(
        make.request(make.span(9, 1, "chat", {})).SerializeToString(), content_type=PROTOBUF
    ).spans

    assert patch(bare, [log, log]).messages_in == log.messages_in
    assert patch(span, [log]).messages_in == span.messages_in


def test_langfuse() -> None:
    trace = summarise(spans_of("langfuse-chain.bin.gz"))

    assert trace.output == make.ANSWER
    assert (trace.name, trace.environment, trace.user) == ("card-help", "staging", "u-9")
    assert trace.metadata["branch"] == "north"
    assert (trace.cost_usd, trace.ttft_ms) == (0.004, 150.0)
    assert trace.prompt_version == "4"
    assert spans_of("langfuse-chain.bin.gz")[0].tokens == Tokens(input=30, output=12, cache_read=6)


def test_old_indexed_names() -> None:
    (span,) = spans_of("traceloop-legacy.bin")

    assert (span.kind, span.provider, span.user) == ("LLM", "openai", "u-11")
    assert span.messages_out[0]["tool_calls"][0]["arguments"] == {"card": "debit"}
    assert span.metadata == {"channel": "app"}
    assert summarise([span]).output == 'freeze_card({"card": "debit"})'


def test_vercel_wrapper_tokens_count_once() -> None:
    trace = summarise(spans_of("vercel-tools.bin"))

    assert [step["kind"] for step in trace.steps] == ["CHAIN", "LLM", "TOOL"]
    assert (trace.tokens_in, trace.tokens_out) == (40, 18)
    assert (trace.session, trace.user, trace.provider) == ("s-500", "u-5", "openai")
    assert trace.messages[0] == {"role": "system", "content": make.SYSTEM}
    assert trace.steps[2]["output"] == "frozen"


def test_mlflow() -> None:
    (span,) = spans_of("mlflow-chat.bin")

    assert (span.kind, span.session, span.cost_usd) == ("LLM", "s-600", 0.003)
    assert (span.prompt.name, span.prompt.version) == ("card-help", "2")
    assert span.messages_out == [{"role": "assistant", "content": make.ANSWER}]


def test_pydantic_ai_of_the_first_version() -> None:
    trace = summarise(spans_of("pydantic-tool-v1.bin"))
    (tool,) = [span.tool for span in spans_of("pydantic-tool-v1.bin") if span.tool]

    assert [step["kind"] for step in trace.steps] == ["AGENT", "TOOL"]
    assert tool == {"name": "freeze_card", "arguments": {"card": "debit"}, "result": "frozen"}
    assert (trace.name, trace.output) == ("cards run", make.ANSWER)
    assert trace.messages == [{"role": "user", "content": make.QUESTION}]


def test_one_hostile_span_spoils_nothing() -> None:
    parsed = parse(read("hostile.json"), content_type="application/json")
    (span,) = parsed.spans

    assert parsed.rejected == 4
    assert len(parsed.reasons) == 2
    assert "trace id" in parsed.reasons[0]
    assert (span.name, span.kind, span.status) == ("freeze \ufffd", "LLM", "unset")
    assert span.trace_id == "0" * 31 + "a"
    assert span.started_at.year == 2100
    assert span.ended_at == span.started_at


def test_values_of_unexpected_types_are_kept_raw() -> None:
    (span,) = parse(read("hostile.json"), content_type="application/json").spans

    assert span.attributes["nulkey"] == "ab"
    assert span.attributes["ratio"] == "NaN"
    assert span.attributes["big"] == 9007199254740993
    assert span.attributes["huge"] == str(2**70)
    assert span.attributes["odd"] == "twelve"
    assert span.attributes["raw"] == 17
    assert span.attributes["llm.token_count.prompt"] == "many"
    assert span.tokens == Tokens()
    assert span.input_text == make.QUESTION


@pytest.mark.parametrize(
    "name", sorted(name for name in make.BODIES if name not in ("hostile.json", "genai-logs.bin"))
)
def test_a_span_goes_through_json_and_back(name: str) -> None:
    for span in spans_of(name):
        assert span_from_json(json.loads(json.dumps(span_as_json(span)))) == span
