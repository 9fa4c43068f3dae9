"""Whatever is sent: the parser answers with spans or `Malformed`, and what it gives is storable."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routing.otlp import BadEncoding, Malformed, Parsed, TooLarge, inflate, parse, parse_logs
from routing.spans import EARLIEST, KINDS, LATEST, SpanIn, span_as_json
from routing.summary import summarise
from tests.data.otlp import make

PROTOBUF, JSON = "application/x-protobuf", "application/json"
SOAK = 100_000

usual = settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None
)


def plain_bodies() -> list[bytes]:
    return [
        inflate([build()], encoding="gzip" if name.endswith(".gz") else "", limit=1 << 20)
        for name, build in make.BODIES.items()
    ]


BODIES = plain_bodies()
NAMES = sorted(
    {
        name
        for body in BODIES[:2] + BODIES[3:8]
        for span in parse(body, content_type=PROTOBUF).spans
        for name in span.attributes
    }
)


def parsed_or_malformed(read: Callable[..., Parsed], body: bytes, content_type: str) -> Parsed:
    try:
        return read(body, content_type=content_type)
    except Malformed:
        return Parsed()


def texts_in(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for pair in value.items():
                yield from texts_in(pair)
        case list() | tuple():
            for item in value:
                yield from texts_in(item)


def ensure_storable(span: SpanIn) -> None:
    """What PostgreSQL's text, jsonb, integer and timestamptz accept."""
    row = span_as_json(span)
    json.dumps(row, allow_nan=False)
    everything = "".join(texts_in(row))
    assert "\0" not in everything
    everything.encode()
    assert span.kind in KINDS
    assert span.status in ("ok", "error", "unset")
    assert EARLIEST <= span.started_at <= (span.ended_at or LATEST) <= LATEST
    assert len(span.trace_id) == 32
    assert len(span.span_id) == 16
    assert all(len(label) <= 255 for label in (span.session, span.user, span.model, span.name))
    assert span.cost_usd is None or (math.isfinite(span.cost_usd) and span.cost_usd >= 0)


def ensure_sound(body: bytes) -> None:
    for content_type in (PROTOBUF, JSON):
        spans = parsed_or_malformed(parse, body, content_type).spans
        parsed_or_malformed(parse_logs, body, content_type)
        traces: dict[str, list[SpanIn]] = {}
        for span in spans:
            ensure_storable(span)
            traces.setdefault(span.trace_id, []).append(span)
        for mine in traces.values():
            json.dumps([summarise(mine).steps, summarise(mine).messages], allow_nan=False)


def mutated(body: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
    """Length 0 overwrites in place: lengths stay right, so that the damage gets past protobuf."""
    changed = bytearray(body)
    for at, length, new in edits:
        start = at % (len(changed) + 1)
        changed[start : start + (length or len(new))] = new
    return bytes(changed)


edits = st.lists(
    st.tuples(st.integers(0, 5000), st.sampled_from([0, 0, 0, 1, 3]), st.binary(max_size=3)),
    min_size=1,
    max_size=6,
)


@usual
@given(body=st.sampled_from(BODIES), edits=edits)
def test_mutated_bodies_are_read_or_malformed(
    body: bytes, edits: list[tuple[int, int, bytes]]
) -> None:
    ensure_sound(mutated(body, edits))


@usual
@given(body=st.binary(max_size=400))
def test_random_bytes_are_read_or_malformed(body: bytes) -> None:
    ensure_sound(body)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=12,
)
texts = st.text(
    alphabet=st.one_of(st.characters(), st.sampled_from("\0\ud800\udfff\u2028")), max_size=30
)
attribute_values = st.one_of(
    texts.map(lambda text: {"stringValue": text}),
    json_values.map(lambda value: {"stringValue": json.dumps(value)}),
    st.floats().map(lambda number: {"doubleValue": number}),
    st.one_of(st.integers(), texts).map(lambda number: {"intValue": number}),
    json_values,
    st.lists(texts.map(lambda text: {"stringValue": text}), max_size=3).map(
        lambda values: {"arrayValue": {"values": values}}
    ),
)
attributes = st.lists(
    st.tuples(st.sampled_from(NAMES) | texts, attribute_values).map(
        lambda pair: {"key": pair[0], "value": pair[1]}
    ),
    max_size=12,
)
ids = st.sampled_from(["ab" * 8, "cd" * 8, "EF" * 8, "0" * 16, "", "xyz"])
spans = st.fixed_dictionaries(
    {"traceId": st.sampled_from(["ab" * 16, "0" * 32]), "spanId": ids},
    optional={
        "parentSpanId": ids,
        "name": texts | json_values,
        "startTimeUnixNano": st.integers(-1, 2**70) | texts,
        "endTimeUnixNano": st.integers(-1, 2**70).map(str),
        "attributes": attributes | json_values,
        "events": st.lists(st.fixed_dictionaries({"name": texts, "attributes": attributes}))
        | json_values,
        "status": json_values,
        "droppedAttributesCount": json_values,
    },
)


@usual
@given(spans=st.lists(spans, max_size=5))
def test_json_of_any_shape_inside_the_envelope_never_fails_the_batch(
    spans: list[dict[str, Any]],
) -> None:
    body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}).encode()
    parsed = parse(body, content_type=JSON)

    assert len(parsed.spans) + parsed.rejected == len(spans)
    assert sum(int(reason.split()[0]) for reason in parsed.reasons) == parsed.rejected
    ensure_sound(body)


@usual
@given(data=st.binary(max_size=300), encoding=st.sampled_from(["gzip", "deflate", "identity"]))
def test_any_bytes_inflate_or_are_refused(data: bytes, encoding: str) -> None:
    try:
        body = inflate([data[:7], data[7:]], encoding=encoding, limit=1000)
    except (BadEncoding, TooLarge):
        return
    assert len(body) <= 1000


@usual
@given(order=st.permutations(range(4)), cut=st.integers(1, 4))
def test_any_subset_in_any_order_sums_up(order: list[int], cut: int) -> None:
    spans = parse(make.genai_agent(), content_type=PROTOBUF).spans
    chosen = [spans[i] for i in order[:cut]]
    trace = summarise(chosen)

    assert len(trace.steps) == cut
    assert trace == summarise(list(reversed(chosen)))
    assert isinstance(trace.started_at, datetime)


@pytest.mark.soak
def test_a_hundred_thousand_mutations() -> None:
    seed = 20261120
    chance = random.Random(seed)
    for _ in range(SOAK):
        body = chance.choice(BODIES)
        edits = [
            (chance.randrange(5000), chance.choice((0, 0, 0, 0, 1, 3)), _snippet(chance))
            for _ in range(chance.randrange(1, 5))
        ]
        ensure_sound(mutated(body, edits))


def _snippet(chance: random.Random) -> bytes:
    """Mostly characters that mean something inside JSON, attributes and numbers."""
    if chance.random() < 0.7:
        return bytes(chance.choices(b'\0{}[]":,.0159-eN ', k=chance.randrange(1, 4)))
    return chance.randbytes(chance.randrange(4))
