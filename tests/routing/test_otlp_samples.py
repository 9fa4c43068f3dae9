"""Bytes captured from real clients: each must show what its caller did."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from routing.otlp import Parsed, inflate, parse, parse_logs
from routing.spans import SpanIn, patch
from routing.summary import summarise

SAMPLES = Path(__file__).parents[3] / "shared" / "otlp-samples"
pytestmark = pytest.mark.skipif(
    not SAMPLES.is_dir(),
    reason="the captured samples lie in ../shared/otlp-samples, which this clone does not have; "
    "tests/data/otlp is tested all the same",
)


def _index() -> list[dict[str, Any]]:
    path = SAMPLES / "index.json"
    return json.loads(path.read_text()) if path.is_file() else []


TRACES = [entry for entry in _index() if entry["signal"] == "traces"]


def _expecting(name: str) -> list[Any]:
    return [
        pytest.param(entry, id=f"{entry['client']}-{entry['case']}")
        for entry in TRACES
        if name in entry["expect"]
    ]


def _body(entry: dict[str, Any]) -> bytes:
    body = (SAMPLES / entry["file"]).read_bytes()
    return inflate([body], encoding=entry["headers"].get("content-encoding", ""), limit=1 << 20)


def _parsed(entry: dict[str, Any]) -> Parsed:
    return parse(_body(entry), content_type=entry["headers"]["content-type"])


def _spans(entry: dict[str, Any]) -> list[SpanIn]:
    return _parsed(entry).spans


def _everything_said(spans: list[SpanIn]) -> str:
    return json.dumps([[s.messages_in, s.messages_out, s.input_text] for s in spans])


@pytest.mark.parametrize("entry", [pytest.param(e, id=e["file"]) for e in TRACES])
def test_the_json_twin_reads_as_the_bytes_do(entry: dict[str, Any]) -> None:
    twin = (SAMPLES / entry["file"].replace(".bin", ".json")).read_bytes()

    assert parse(twin, content_type="application/json; charset=utf-8") == _parsed(entry)
    assert _parsed(entry).rejected == 0


@pytest.mark.parametrize("entry", _expecting("kinds"))
def test_kinds(entry: dict[str, Any]) -> None:
    found = Counter(span.kind for span in _spans(entry))
    expected = Counter(entry["expect"]["kinds"])

    assert set(found) == set(expected)
    # LangChain sends two inner chains that the sample's index does not list.
    assert found - expected <= Counter({"CHAIN": 2})
    assert expected <= found


@pytest.mark.parametrize("entry", _expecting("user_text"))
def test_what_the_user_said_leads_the_summary(entry: dict[str, Any]) -> None:
    asked = [m["content"] for m in summarise(_spans(entry)).messages if m["role"] == "user"]

    assert any(entry["expect"]["user_text"] in text for text in asked)


@pytest.mark.parametrize(
    ("field", "attribute"),
    [
        ("model", "model"),
        ("session", "session"),
        ("user", "user"),
        ("prompt_name", "prompt_name"),
        ("prompt_version", "prompt_version"),
    ],
)
def test_fields_of_the_summary(field: str, attribute: str) -> None:
    entries = [entry for entry in TRACES if field in entry["expect"]]
    shown = [getattr(summarise(_spans(entry)), attribute) for entry in entries]

    assert entries
    assert shown == [entry["expect"][field] for entry in entries]


@pytest.mark.parametrize("entry", _expecting("documents"))
def test_documents(entry: dict[str, Any]) -> None:
    documents = summarise(_spans(entry)).documents
    known = {text for document in documents for text in (document["id"], document["text"])}

    assert set(entry["expect"]["documents"]) <= known


@pytest.mark.parametrize("entry", _expecting("status"))
def test_errors_carry_their_account(entry: dict[str, Any]) -> None:
    trace = summarise(_spans(entry))

    assert trace.status == entry["expect"]["status"].lower()
    assert len(trace.error) > 5


@pytest.mark.parametrize("entry", _expecting("tool"))
def test_the_tool_call_shows_arguments_and_result(entry: dict[str, Any]) -> None:
    tools = [span.tool for span in _spans(entry) if span.kind == "TOOL"]

    assert [tool["name"] for tool in tools] == [entry["expect"]["tool"]]
    assert tools[0]["arguments"] == {"order_id": "text for order_id"}
    assert tools[0]["result"] == "shipped sample"


@pytest.mark.parametrize("entry", _expecting("absent_text"))
def test_content_that_was_not_sent_is_not_invented(entry: dict[str, Any]) -> None:
    assert entry["expect"]["absent_text"] not in _everything_said(_spans(entry))
    assert summarise(_spans(entry)).messages == []


def test_content_that_comes_as_a_log_joins_its_span() -> None:
    logs = next(entry for entry in _index() if entry["signal"] == "logs")
    owner = next(entry for entry in TRACES if "logs_text" in entry["expect"])
    (log,) = parse_logs(_body(logs), content_type=logs["headers"]["content-type"]).logs
    (span,) = _spans(owner)
    asked = owner["expect"]["logs_text"]

    assert asked not in _everything_said([span])
    assert (log.trace_id, log.span_id) == (span.trace_id, span.span_id)
    assert summarise([patch(span, [log])]).messages[-1] == {"role": "user", "content": asked}
    assert summarise([patch(span, [log])]).output == f"Echo: {asked}"


def test_an_agent_s_aggregated_tokens_are_not_added_again() -> None:
    entry = next(entry for entry in TRACES if entry["client"] == "pydanticai")
    trace = summarise(_spans(entry))

    assert (trace.tokens_in, trace.tokens_out) == (10 + 14, 34 + 8)


def test_langchain_keeps_its_user_in_metadata() -> None:
    entry = next(entry for entry in TRACES if entry["client"] == "langchain")

    assert summarise(_spans(entry)).user == "user-sample"


def test_all_raw_attributes_are_kept() -> None:
    entry = next(entry for entry in TRACES if entry["client"] == "js")
    twin = json.loads((SAMPLES / entry["file"].replace(".bin", ".json")).read_text())
    sent = twin["resourceSpans"][0]["scopeSpans"][0]["spans"]

    assert [set(span.attributes) for span in _spans(entry)] == [
        {pair["key"] for pair in span["attributes"]} for span in sent
    ]
    assert _spans(entry)[0].attributes["big.int"] == 9007199254740991
