"""A body of `/v1/traces` as spans."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from core import clock
from routing.otlp import wire, wire_json
from routing.otlp.dialects import common
from routing.otlp.dialects.catalog import DIALECTS
from routing.otlp.found import Found, merge
from routing.otlp.transfer import Media, media_of
from routing.otlp.values import MAX_COUNT, MAX_LABEL, as_label, clamp, clean_text, moment
from routing.otlp.wire import RawEvent, RawSpan
from routing.spans import Json, LogIn, SpanIn

_READERS: Final[dict[Media, Callable[[bytes], Iterator[RawSpan]]]] = {
    "protobuf": wire.read_spans,
    "json": wire_json.read_spans,
}
_BAD_TRACE: Final = "the trace id is not 16 bytes that are not all zero"
_BAD_SPAN: Final = "the span id is not 8 bytes that are not all zero"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """What a body held. `rejected` items cannot be stored; `reasons` has one line per cause."""

    spans: list[SpanIn] = field(default_factory=list)
    logs: list[LogIn] = field(default_factory=list)
    rejected: int = 0
    reasons: list[str] = field(default_factory=list)


def parse(body: bytes, *, content_type: str, now: datetime | None = None) -> Parsed:
    """The spans of an ExportTraceServiceRequest, in protobuf or JSON; an empty body has none.

    `now` stands in for the start of a span that carries no time at all. Raises `Malformed`
    for a body that is not what `content_type` says and `Unsupported` for another type; a
    span with a bad id is rejected alone, and a value of an unexpected type rejects nothing.
    """
    spans: list[SpanIn] = []
    causes: Counter[str] = Counter()
    for raw in _READERS[media_of(content_type)](body):
        fault = _fault(raw)
        if fault:
            causes[fault] += 1
        else:
            spans.append(read_span(raw, now))
    return Parsed(spans=spans, rejected=causes.total(), reasons=name_causes(causes, "span"))


def name_causes(causes: Counter[str], noun: str) -> list[str]:
    """One English line per cause, with its count."""
    return [f"{n} {noun}{'s' if n > 1 else ''} rejected: {cause}" for cause, n in causes.items()]


def _fault(raw: RawSpan) -> str:
    if not raw.trace_id:
        return _BAD_TRACE
    return "" if raw.span_id else _BAD_SPAN


def read_span(raw: RawSpan, now: datetime | None = None) -> SpanIn:
    """The span in our words: every dialect has its say, in the order of precedence."""
    found = merge([*_readings(raw), common.read(raw)])
    ended = moment(raw.end)
    started = moment(raw.start) or ended or clamp(now or clock.now())
    return SpanIn(
        trace_id=raw.trace_id,
        span_id=raw.span_id,
        # A span that names itself as its parent would hang from nothing.
        parent_id="" if raw.parent_id == raw.span_id else raw.parent_id,
        name=clean_text(found.name or raw.name, MAX_LABEL),
        trace_name=found.trace_name,
        kind=found.kind or "SPAN",
        started_at=started,
        ended_at=max(started, ended) if ended else None,
        status=found.status or "unset",
        error=found.error,
        **_content(found),
        service=_service(raw),
        events=[_event(event, started) for event in raw.events],
        links=raw.links,
        attributes=raw.attributes,
        resource=raw.resource,
        scope=raw.scope,
        dropped_attributes=min(max(raw.dropped, 0), MAX_COUNT),
        dialect=found.dialect,
    )


def _service(raw: RawSpan) -> str:
    name = as_label(raw.resource.get("service.name"))
    # What SDKs send when nobody has named the service.
    return "" if name.startswith("unknown_service") else name


def _readings(raw: RawSpan) -> Iterable[Found]:
    return [found for found in (read(raw) for read in DIALECTS) if found is not None]


def _content(found: Found) -> Json:
    return {
        "model": found.model,
        "provider": found.provider,
        "params": found.params,
        "messages_in": found.messages_in,
        "messages_out": found.messages_out,
        "input_text": found.input_text,
        "output_text": found.output_text,
        "documents": found.documents,
        "tool": found.tool,
        "tokens": found.tokens,
        "cost_usd": found.cost_usd,
        "ttft_ms": found.ttft_ms,
        "prompt": found.prompt,
        "session": found.session,
        "user": found.user,
        "environment": found.environment,
        "release": found.release,
        "tags": found.tags,
        "metadata": found.metadata,
    }


def _event(event: RawEvent, started: datetime) -> Json:
    at = moment(event.at) or started
    return {"name": event.name, "at": at.isoformat(), "attributes": event.attributes}
