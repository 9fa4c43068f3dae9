"""A body of `/v1/logs` as message content for spans.

Only GenAI content is taken: `gen_ai.client.inference.operation.details`, the older one event
per message, and evaluations. Other log records are none of our business and are dropped
without being counted as rejected.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final

from core import clock
from routing.otlp import wire, wire_json
from routing.otlp.dialects.genai import read_event
from routing.otlp.traces import Parsed, name_causes
from routing.otlp.transfer import Media, media_of
from routing.otlp.values import as_label, clamp, moment
from routing.otlp.wire import RawLog
from routing.spans import EVALUATION, LogIn

_READERS: Final[dict[Media, Callable[[bytes], Iterator[RawLog]]]] = {
    "protobuf": wire.read_logs,
    "json": wire_json.read_logs,
}
_HOMELESS: Final = "it names no valid trace and span to belong to"


def parse_logs(body: bytes, *, content_type: str, now: datetime | None = None) -> Parsed:
    """The GenAI content in an ExportLogsServiceRequest, one `LogIn` a span.

    `now` stands in for the time of a record that carries none. Raises `Malformed` and
    `Unsupported` as `parse` does. Join the result to its spans with `routing.spans.patch`.
    """
    groups: dict[tuple[str, str], list[RawLog]] = {}
    causes: Counter[str] = Counter()
    for log in _READERS[media_of(content_type)](body):
        if not _name(log).startswith("gen_ai."):
            continue
        if log.trace_id and log.span_id:
            groups.setdefault((log.trace_id, log.span_id), []).append(log)
        else:
            causes[_HOMELESS] += 1
    logs = [_joined(records, now) for records in groups.values()]
    return Parsed(logs=logs, rejected=causes.total(), reasons=name_causes(causes, "log record"))


def _name(log: RawLog) -> str:
    # Before the field existed, the name of an event stood among its attributes.
    return log.name or as_label(log.attributes.get("event.name"))


def _joined(records: list[RawLog], now: datetime | None) -> LogIn:
    log = LogIn(
        trace_id=records[0].trace_id,
        span_id=records[0].span_id,
        at=moment(min(record.at for record in records)) or clamp(now or clock.now()),
    )
    for record in records:
        sent, answered = read_event(_name(record), record.body, record.attributes)
        log.messages_in.extend(sent)
        log.messages_out.extend(answered)
        if _name(record) == EVALUATION:
            at = (moment(record.at) or log.at).isoformat()
            event = {"name": EVALUATION, "at": at, "attributes": record.attributes}
            log.events.append(event)
    return log
