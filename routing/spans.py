"""What came in, as plain values: one span, one log record, one whole trace.

Every value here is safe for PostgreSQL text and jsonb: NUL is stripped, lone surrogates are
U+FFFD, non-finite numbers are strings, times lie between `EARLIEST` and `LATEST`, sizes are
bounded (`routing.otlp.values` states the bounds). Nothing here touches a database.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

Json: TypeAlias = dict[str, Any]
Score: TypeAlias = float | str | bool

EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2100, 1, 1, tzinfo=UTC)

# OpenTelemetry's event for an automatic score of a span.
EVALUATION: Final = "gen_ai.evaluation.result"

KINDS: Final = frozenset(
    [
        "LLM",
        "CHAIN",
        "RETRIEVER",
        "TOOL",
        "AGENT",
        "EMBEDDING",
        "RERANKER",
        "GUARDRAIL",
        "EVALUATOR",
        "PROMPT",
        "SPAN",
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """Token counts of one call; None means that the sender did not say, never zero."""

    input: int | None = None
    output: int | None = None
    cache_read: int | None = None
    reasoning: int | None = None

    def __bool__(self) -> bool:
        """True when at least one count is known."""
        return any(getattr(self, f.name) is not None for f in fields(self))


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptRef:
    """The prompt that a call says it used. `name` and `version` are the sender's own words."""

    name: str = ""
    version: str = ""
    template: str = ""
    variables: Json = field(default_factory=dict)

    def __bool__(self) -> bool:
        """True when anything at all is known of the prompt."""
        return bool(self.name or self.version or self.template or self.variables)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanIn:
    """One span, whatever dialect it was sent in.

    `trace_id` is 32 and `span_id` 16 lower-case hex digits; `parent_id` is "" for a root.
    `ended_at` is None while the span runs. Messages are `{role, content}` with, where sent,
    `name`, `tool_calls` (`[{id, name, arguments}]`), `tool_call_id`, `reasoning` and
    `finish_reason`. Documents are `{id, title, text, score, metadata}`, a tool is
    `{name, arguments, result}`, an event is `{name, at, attributes}` with `at` in ISO 8601.
    `cost_usd` is in US dollars, `ttft_ms` milliseconds from the start of the span to its first
    token. `attributes`, `resource` and `scope` hold all that was sent, read or not;
    `dropped_attributes` counts what the client itself had thrown away before it sent.
    """

    trace_id: str
    span_id: str
    started_at: datetime
    parent_id: str = ""
    name: str = ""
    trace_name: str = ""
    kind: str = "SPAN"
    ended_at: datetime | None = None
    status: str = "unset"
    error: str = ""
    model: str = ""
    provider: str = ""
    params: Json = field(default_factory=dict)
    messages_in: list[Json] = field(default_factory=list)
    messages_out: list[Json] = field(default_factory=list)
    input_text: str = ""
    output_text: str = ""
    documents: list[Json] = field(default_factory=list)
    tool: Json = field(default_factory=dict)
    tokens: Tokens = field(default_factory=Tokens)
    cost_usd: float | None = None
    ttft_ms: float | None = None
    prompt: PromptRef = field(default_factory=PromptRef)
    session: str = ""
    user: str = ""
    environment: str = ""
    release: str = ""
    service: str = ""
    tags: list[str] = field(default_factory=list)
    metadata: Json = field(default_factory=dict)
    events: list[Json] = field(default_factory=list)
    links: list[Json] = field(default_factory=list)
    attributes: Json = field(default_factory=dict)
    resource: Json = field(default_factory=dict)
    scope: Json = field(default_factory=dict)
    dropped_attributes: int = 0
    dialect: str = ""

    @property
    def duration_ms(self) -> float | None:
        """Milliseconds from start to end, or None while the span runs."""
        if self.ended_at is None:
            return None
        return milliseconds(self.started_at, self.ended_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogIn:
    """Message content (or an evaluation) that was sent as log records, for one span.

    `at` is the time of the first record; `events` are `{name, at, attributes}`.
    """

    trace_id: str
    span_id: str
    at: datetime
    messages_in: list[Json] = field(default_factory=list)
    messages_out: list[Json] = field(default_factory=list)
    events: list[Json] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceIn:
    """What one trace looks like to every floor above, whichever door it came through.

    `messages` is the conversation that the main model call was given, `output` what the
    application answered, as text for people. A step is `{kind, name, input, output, error,
    started_ms, duration_ms, span_id, parent_id}` with `started_ms` counted from `started_at`.
    `latency_ms` and `ttft_ms` are milliseconds, `cost_usd` US dollars; None means unknown.
    `status` is "ok" or "error". `scores` are automatic signals that the sender computed.
    `complete` is True where no more spans can follow (REST, file import): settled at once.
    """

    trace_id: str
    started_at: datetime
    ended_at: datetime | None = None
    name: str = ""
    model: str = ""
    provider: str = ""
    params: Json = field(default_factory=dict)
    messages: list[Json] = field(default_factory=list)
    output: str = ""
    documents: list[Json] = field(default_factory=list)
    steps: list[Json] = field(default_factory=list)
    prompt_name: str = ""
    prompt_version: str = ""
    prompt_template: str = ""
    variables: Json = field(default_factory=dict)
    session: str = ""
    user: str = ""
    environment: str = ""
    task: str = ""
    language: str = ""
    tags: list[str] = field(default_factory=list)
    metadata: Json = field(default_factory=dict)
    tokens_in: int | None = None
    tokens_out: int | None = None
    cost_usd: float | None = None
    latency_ms: float | None = None
    ttft_ms: float | None = None
    status: str = "ok"
    error: str = ""
    scores: dict[str, Score] = field(default_factory=dict)
    complete: bool = False


def milliseconds(start: datetime, end: datetime) -> float:
    """Milliseconds from start to end, to the microsecond."""
    return round((end - start).total_seconds() * 1000, 3)


def span_as_json(span: SpanIn) -> Json:
    """The span as a dict that `json.dumps` takes; `span_from_json` turns it back."""
    row: Json = {f.name: getattr(span, f.name) for f in fields(span)}
    row["started_at"] = span.started_at.isoformat()
    row["ended_at"] = span.ended_at.isoformat() if span.ended_at else None
    for part in ("tokens", "prompt"):
        row[part] = {f.name: getattr(row[part], f.name) for f in fields(row[part])}
    return row


def span_from_json(row: Mapping[str, Any]) -> SpanIn:
    """The span that `span_as_json` wrote. Raises KeyError or TypeError on anything else."""
    ended = row["ended_at"]
    return SpanIn(
        **{
            **row,
            "started_at": datetime.fromisoformat(row["started_at"]),
            "ended_at": datetime.fromisoformat(ended) if ended else None,
            "tokens": Tokens(**row["tokens"]),
            "prompt": PromptRef(**row["prompt"]),
        }
    )


def patch(span: SpanIn, logs: Sequence[LogIn]) -> SpanIn:
    """The span with the content that its log records carry.

    What the span itself holds wins. Records that were sent twice count once, whatever the
    order in which they arrive.
    """
    records = _distinct(logs)
    return replace(
        span,
        messages_in=span.messages_in or [m for log in records for m in log.messages_in],
        messages_out=span.messages_out or [m for log in records for m in log.messages_out],
        events=span.events + [e for log in records for e in log.events if e not in span.events],
    )


def _distinct(logs: Sequence[LogIn]) -> list[LogIn]:
    found: list[LogIn] = []
    for log in sorted(logs, key=lambda log: log.at):
        if log not in found:
            found.append(log)
    return found
