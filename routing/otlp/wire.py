"""Protobuf bodies as plain records, the same that `wire_json` makes of JSON bodies."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from routing.otlp.errors import Malformed
from routing.otlp.values import MAX_KEY, clean, clean_text
from routing.spans import Json

_UNFIT: Final = ""


@dataclass(slots=True, kw_only=True)
class RawEvent:
    """Something that happened inside a span, `at` in nanoseconds since 1970."""

    name: str
    at: int
    attributes: Json


@dataclass(slots=True, kw_only=True)
class RawSpan:
    """A span as sent, cleaned but not yet understood. An id that is not valid is ""."""

    trace_id: str
    span_id: str
    parent_id: str
    name: str
    start: int
    end: int
    status: int
    status_text: str
    attributes: Json
    events: list[RawEvent] = field(default_factory=list)
    links: list[Json] = field(default_factory=list)
    dropped: int = 0
    resource: Json = field(default_factory=dict)
    scope: Json = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class RawLog:
    """A log record as sent. `at` is in nanoseconds since 1970."""

    trace_id: str
    span_id: str
    name: str
    at: int
    body: Any
    attributes: Json


def read_spans(body: bytes) -> Iterator[RawSpan]:
    """Every span of an ExportTraceServiceRequest. Raises `Malformed`."""
    request = ExportTraceServiceRequest()
    _decode(request.ParseFromString, body)
    for group in request.resource_spans:
        resource = _attributes(group.resource.attributes)
        for scoped in group.scope_spans:
            scope = _scope(scoped.scope)
            for span in scoped.spans:
                yield _span(span, resource, scope)


def read_logs(body: bytes) -> Iterator[RawLog]:
    """Every record of an ExportLogsServiceRequest. Raises `Malformed`."""
    request = ExportLogsServiceRequest()
    _decode(request.ParseFromString, body)
    for group in request.resource_logs:
        for scoped in group.scope_logs:
            for record in scoped.log_records:
                yield _log(record)


def _decode(parse: Callable[[bytes], int], body: bytes) -> None:
    try:
        parse(body)
    except (DecodeError, RecursionError, ValueError) as error:
        raise Malformed(f"the body is not the protobuf message expected here: {error}") from error


def _span(span: Span, resource: Json, scope: Json) -> RawSpan:
    return RawSpan(
        trace_id=_id(span.trace_id, 16),
        span_id=_id(span.span_id, 8),
        parent_id=_id(span.parent_span_id, 8),
        name=clean_text(span.name),
        start=span.start_time_unix_nano,
        end=span.end_time_unix_nano,
        status=span.status.code,
        status_text=clean_text(span.status.message),
        attributes=_attributes(span.attributes),
        events=[_event(event) for event in span.events],
        links=[_link(link) for link in span.links],
        dropped=span.dropped_attributes_count,
        resource=resource,
        scope=scope,
    )


def _event(event: Span.Event) -> RawEvent:
    return RawEvent(
        name=clean_text(event.name),
        at=event.time_unix_nano,
        attributes=_attributes(event.attributes),
    )


def _link(link: Span.Link) -> Json:
    return {
        "trace_id": _id(link.trace_id, 16),
        "span_id": _id(link.span_id, 8),
        "attributes": _attributes(link.attributes),
    }


def _log(record: LogRecord) -> RawLog:
    return RawLog(
        trace_id=_id(record.trace_id, 16),
        span_id=_id(record.span_id, 8),
        name=clean_text(record.event_name),
        at=record.time_unix_nano or record.observed_time_unix_nano,
        body=_value(record.body),
        attributes=_attributes(record.attributes),
    )


def _scope(scope: InstrumentationScope) -> Json:
    return {
        "name": clean_text(scope.name),
        "version": clean_text(scope.version),
        "attributes": _attributes(scope.attributes),
    }


def _id(value: bytes, length: int) -> str:
    return value.hex() if len(value) == length and any(value) else _UNFIT


def _attributes(pairs: Iterable[KeyValue]) -> Json:
    return {clean_text(pair.key, MAX_KEY): _value(pair.value) for pair in pairs}


def _value(value: AnyValue) -> Any:
    # Most values are texts: they need no walk.
    if value.HasField("string_value"):
        return clean_text(value.string_value)
    return clean(_plain(value))


def _plain(value: AnyValue) -> Any:
    """The value unwrapped. Protobuf itself refuses to nest deeper than 100 levels."""
    kind = value.WhichOneof("value")
    if kind is None:
        return None
    if kind == "array_value":
        return [_plain(item) for item in value.array_value.values]
    if kind == "kvlist_value":
        return {pair.key: _plain(pair.value) for pair in value.kvlist_value.values}
    if kind == "bytes_value":
        return b64encode(value.bytes_value).decode()
    return getattr(value, kind)
