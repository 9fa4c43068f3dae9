"""The envelope: compression, media types, answers, and bodies that are not what they claim."""

from __future__ import annotations

import gzip
import json
import zlib
from datetime import UTC, datetime

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from routing.otlp import (
    BadEncoding,
    Malformed,
    TooLarge,
    Unsupported,
    encode_error,
    encode_success,
    inflate,
    parse,
    parse_logs,
)
from tests.data.otlp import make

PROTOBUF = "application/x-protobuf"
JSON = "application/json"
BODY = b"harbour bank " * 1000


def pieces(data: bytes, size: int = 7) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


def raw_deflate(data: bytes) -> bytes:
    state = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return state.compress(data) + state.flush()


@pytest.mark.parametrize(
    ("encoding", "sent"),
    [
        ("", BODY),
        ("identity", BODY),
        ("gzip", gzip.compress(BODY, mtime=0)),
        (" GZIP ", gzip.compress(BODY[:5000]) + gzip.compress(BODY[5000:])),
        ("deflate", zlib.compress(BODY)),
        ("deflate", raw_deflate(BODY)),
    ],
)
def test_inflate_gives_the_body_whatever_the_pieces(encoding: str, sent: bytes) -> None:
    assert inflate(pieces(sent), encoding=encoding, limit=len(BODY)) == BODY
    assert inflate([sent], encoding=encoding, limit=len(BODY)) == BODY


@pytest.mark.parametrize("encoding", ["", "gzip", "deflate"])
def test_an_empty_body_is_empty(encoding: str) -> None:
    assert inflate([], encoding=encoding, limit=10) == b""
    assert inflate([b""], encoding=encoding, limit=10) == b""


@pytest.mark.parametrize(
    ("encoding", "sent"),
    [("", BODY), ("gzip", gzip.compress(BODY, mtime=0)), ("deflate", zlib.compress(BODY))],
)
def test_one_byte_too_many_is_refused(encoding: str, sent: bytes) -> None:
    with pytest.raises(TooLarge, match="12999 bytes"):
        inflate([sent], encoding=encoding, limit=len(BODY) - 1)


def test_a_bomb_is_stopped_while_it_inflates() -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)
    taken: list[int] = []

    def chunks():
        for piece in pieces(bomb, 1000):
            taken.append(len(piece))
            yield piece

    with pytest.raises(TooLarge):
        inflate(chunks(), encoding="gzip", limit=100_000)
    assert sum(taken) < len(bomb) / 10


@pytest.mark.parametrize(
    ("encoding", "sent"),
    [
        ("gzip", b"no gzip at all"),
        ("gzip", gzip.compress(BODY, mtime=0)[:-9]),
        ("gzip", gzip.compress(BODY, mtime=0) + b"rubbish"),
        ("deflate", zlib.compress(BODY)[:-5]),
        ("deflate", b"\xff\xff\xff"),
    ],
)
def test_corrupt_or_cut_data_is_malformed(encoding: str, sent: bytes) -> None:
    with pytest.raises(BadEncoding) as caught:
        inflate([sent], encoding=encoding, limit=1 << 20)
    assert caught.value.status == 400


def test_unknown_encoding_and_type_are_415() -> None:
    with pytest.raises(Unsupported, match="br"):
        inflate([b""], encoding="br", limit=10)
    with pytest.raises(Unsupported, match="text/plain") as caught:
        parse(b"", content_type="text/plain")
    assert caught.value.status == 415


@pytest.mark.parametrize("content_type", [PROTOBUF, JSON, "Application/JSON; charset=utf-8"])
def test_an_empty_request_holds_nothing(content_type: str) -> None:
    assert parse(b"", content_type=content_type).spans == []
    assert parse_logs(b"", content_type=content_type).logs == []


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (PROTOBUF, b"\xff\xff\xff"),
        (PROTOBUF, b'{"resourceSpans": []}'),
        (JSON, b"{"),
        (JSON, b"[]"),
        (JSON, b"\xff\xfe\xfd"),
        (JSON, b'{"resourceSpans": 5}'),
        (JSON, b'{"resourceSpans": [{"scopeSpans": {}}]}'),
        (JSON, b"[" * 100_000),
    ],
)
def test_what_is_not_otlp_is_malformed(content_type: str, body: bytes) -> None:
    with pytest.raises(Malformed):
        parse(body, content_type=content_type)


def test_snake_case_names_are_read_and_not_lost() -> None:
    span = {
        "trace_id": "ab" * 16,
        "span_id": "cd" * 8,
        "start_time_unix_nano": str(make.START),
        "attributes": [{"key": "k", "value": {"string_value": "v"}}],
    }
    body = json.dumps({"resource_spans": [{"scope_spans": [{"spans": [span]}]}]}).encode()
    (found,) = parse(body, content_type=JSON).spans

    assert found.attributes == {"k": "v"}
    assert found.started_at.year == 2026


def test_deep_values_are_cut_and_not_fatal() -> None:
    value: dict[str, object] = {"stringValue": "deep"}
    for _ in range(150):
        value = {"arrayValue": {"values": [value]}}
    span = {
        "traceId": "ab" * 16,
        "spanId": "cd" * 8,
        "attributes": [{"key": "deep", "value": value}],
    }
    body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).encode()
    (found,) = parse(body, content_type=JSON).spans

    assert "nested too deeply" in json.dumps(found.attributes)


def test_a_span_without_time_takes_the_time_of_its_arrival() -> None:
    now = datetime(2026, 11, 20, 9, tzinfo=UTC)
    span = make.span(1, 1, "timeless", {})
    span.start_time_unix_nano = span.end_time_unix_nano = 0
    (found,) = parse(make.request(span).SerializeToString(), content_type=PROTOBUF, now=now).spans

    assert found.started_at == now
    assert found.ended_at is None


def test_success_is_empty_in_the_encoding_of_the_request() -> None:
    assert encode_success(PROTOBUF) == b""
    assert encode_success(JSON) == b"{}"


def test_partial_success_says_how_many_and_why() -> None:
    answer = ExportTraceServiceResponse.FromString(encode_success(PROTOBUF, 2, "bad ids"))
    logs = ExportLogsServiceResponse.FromString(
        encode_success(PROTOBUF, 3, "no span", signal="logs")
    )

    assert answer.partial_success.rejected_spans == 2
    assert answer.partial_success.error_message == "bad ids"
    assert logs.partial_success.rejected_log_records == 3
    assert json.loads(encode_success(JSON, 2, "bad ids")) == {
        "partialSuccess": {"rejectedSpans": "2", "errorMessage": "bad ids"}
    }
    assert (
        "rejectedLogRecords"
        in json.loads(encode_success(JSON, 1, "x", signal="logs"))["partialSuccess"]
    )


def test_errors_are_a_status_with_a_message() -> None:
    # google.rpc.Status: the message is field 2, length-delimited.
    assert encode_error(PROTOBUF, "no") == b"\x12\x02no"
    assert json.loads(encode_error(JSON, "no")) == {"message": "no"}
    assert json.loads(encode_error("text/plain", "no")) == {"message": "no"}
