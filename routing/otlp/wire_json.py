"""OTLP/JSON bodies as the records of `wire`.

Read by hand and not by protobuf's own JSON reader: OTLP writes ids in hex and enums as
integers, and one value of an unexpected type must not cost the whole batch. The snake_case
names are taken as well, for a body in them would otherwise be lost behind a 200.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from routing.otlp.errors import Malformed
from routing.otlp.values import MAX_DEPTH, MAX_KEY, as_text, clean, clean_text
from routing.otlp.wire import RawEvent, RawLog, RawSpan
from routing.spans import Json

_CAPITAL: Final = re.compile("([A-Z])")
_HEX: Final = re.compile("[0-9a-fA-F]+")
_SNAKE: dict[str, str] = {}
_KINDS: Final = {
    name: kind
    for kind in ("string", "bool", "int", "double", "bytes", "array", "kvlist")
    for name in (f"{kind}Value", f"{kind}_value")
}


def read_spans(body: bytes) -> Iterator[RawSpan]:
    """Every span of an OTLP/JSON trace request. Raises `Malformed`."""
    for group in _list(_load(body), "resourceSpans"):
        resource = _attributes(_object(group, "resource"))
        for scoped in _list(group, "scopeSpans"):
            scope = _scope(_object(scoped, "scope"))
            for span in _list(scoped, "spans"):
                yield _span(span, resource, scope)


def read_logs(body: bytes) -> Iterator[RawLog]:
    """Every record of an OTLP/JSON logs request. Raises `Malformed`."""
    for group in _list(_load(body), "resourceLogs"):
        for scoped in _list(group, "scopeLogs"):
            for record in _list(scoped, "logRecords"):
                yield _log(record)


def _load(body: bytes) -> Json:
    if not body.strip():
        return {}
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"the body is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise Malformed("the body is not a JSON object")
    return found


def _list(parent: object, name: str) -> list[Any]:
    found = _get(parent, name)
    if found is None:
        return []
    if not isinstance(found, list):
        raise Malformed(f"{name} is not a list")
    return found


def _object(parent: object, name: str) -> Json:
    found = _get(parent, name)
    return found if isinstance(found, dict) else {}


def _get(parent: object, name: str) -> Any:
    if not isinstance(parent, dict):
        return None
    found = parent.get(name)
    return parent.get(_snake(name)) if found is None else found


def _snake(name: str) -> str:
    if name not in _SNAKE:
        _SNAKE[name] = _CAPITAL.sub(r"_\1", name).lower()
    return _SNAKE[name]


def _span(span: object, resource: Json, scope: Json) -> RawSpan:
    status = _object(span, "status")
    return RawSpan(
        trace_id=_id(_get(span, "traceId"), 32),
        span_id=_id(_get(span, "spanId"), 16),
        parent_id=_id(_get(span, "parentSpanId"), 16),
        name=_text(_get(span, "name")),
        start=_integer(_get(span, "startTimeUnixNano")),
        end=_integer(_get(span, "endTimeUnixNano")),
        status=_integer(_get(status, "code")),
        status_text=_text(_get(status, "message")),
        attributes=_attributes(span),
        events=[_event(event) for event in _loose(span, "events")],
        links=[_link(link) for link in _loose(span, "links")],
        dropped=_integer(_get(span, "droppedAttributesCount")),
        resource=resource,
        scope=scope,
    )


def _event(event: object) -> RawEvent:
    return RawEvent(
        name=_text(_get(event, "name")),
        at=_integer(_get(event, "timeUnixNano")),
        attributes=_attributes(event),
    )


def _link(link: object) -> Json:
    return {
        "trace_id": _id(_get(link, "traceId"), 32),
        "span_id": _id(_get(link, "spanId"), 16),
        "attributes": _attributes(link),
    }


def _log(record: object) -> RawLog:
    at = _integer(_get(record, "timeUnixNano"))
    return RawLog(
        trace_id=_id(_get(record, "traceId"), 32),
        span_id=_id(_get(record, "spanId"), 16),
        name=_text(_get(record, "eventName")),
        at=at or _integer(_get(record, "observedTimeUnixNano")),
        body=clean(_value(_get(record, "body"))),
        attributes=_attributes(record),
    )


def _scope(scope: Json) -> Json:
    return {
        "name": _text(_get(scope, "name")),
        "version": _text(_get(scope, "version")),
        "attributes": _attributes(scope),
    }


def _loose(parent: object, name: str) -> list[Any]:
    found = _get(parent, name)
    return found if isinstance(found, list) else []


def _id(value: object, length: int) -> str:
    if not isinstance(value, str) or len(value) != length or not _HEX.fullmatch(value):
        return ""
    return value.lower() if value.strip("0") else ""


def _integer(value: object) -> int:
    """64-bit integers come as a number or as a text; anything else counts as not sent."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return 0
    try:
        return int(value)
    except (ValueError, OverflowError):
        return 0


def _text(value: object) -> str:
    return clean_text(value) if isinstance(value, str) else as_text(clean(value))


def _attributes(parent: object) -> Json:
    pairs = _get(parent, "attributes")
    if pairs is None:
        return {}
    if isinstance(pairs, list) and all(isinstance(pair, dict) for pair in pairs):
        return {_key(pair): clean(_value(pair.get("value"))) for pair in pairs}
    return {"attributes": clean(pairs)}


def _key(pair: Json) -> str:
    return clean_text(as_text(clean(pair.get("key"))), MAX_KEY)


def _value(value: object, depth: int = 0) -> Any:
    """The value inside an AnyValue; what is none is kept as it was sent."""
    if not isinstance(value, dict) or depth > MAX_DEPTH:
        return value
    kind = next((kind for kind in value if kind in _KINDS), None)
    if kind is None:
        return value or None
    return _unwrapped(_KINDS[kind], value[kind], depth + 1)


def _unwrapped(kind: str, content: object, depth: int) -> Any:
    if kind == "array":
        return [_value(item, depth) for item in _loose(content, "values")]
    if kind == "kvlist":
        pairs = [pair for pair in _loose(content, "values") if isinstance(pair, dict)]
        return {_key(pair): _value(pair.get("value"), depth) for pair in pairs}
    if kind == "int":
        number = _integer(content)
        return number if number or content in (0, "0") else content
    return content
