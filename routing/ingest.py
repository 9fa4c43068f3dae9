"""Taking traces in: one bulk insert per table, idempotent on environment and trace id."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

from celery import shared_task

from core import clock
from core.access import Actor, Verb, require
from core.db import command, ring, step
from core.models import Environment
from core.sweeps import work_off
from registry.models import Prompt, PromptVersion
from registry.serving import Served, resolve_many
from routing import faults
from routing.models import Payload, Span, Trace
from routing.models.trace import Stage
from routing.otlp.values import MAX_COUNT
from routing.scoring import score_task
from routing.spans import SpanIn, TraceIn, span_as_json, span_from_json
from routing.summary import summarise

N = TypeVar("N", int, float)

PREVIEW = 200
# What the column of the cost can hold, in US dollars.
MAX_COST = 999_999.0
# Of a trace, these stand in columns or in `Payload.output`.
NOT_IN_CONTENT = ("trace_id", "output", "started_at", "ended_at")
BATCH = 200
# Under this name an application says which key it fetched the prompt with.
KEY = "whetstone.key"


@dataclass(frozen=True, slots=True)
class Ingested:
    """What became of a batch: new traces, and how many were there already."""

    created: list[Trace] = field(default_factory=list)
    duplicates: int = 0


@command
def ingest(traces: Sequence[TraceIn], *, environment: Environment, actor: Actor) -> Ingested:
    """Store whole traces (REST, files). Sent twice, they are stored once."""
    require(actor, Verb.INGEST, project=environment.project)
    if not traces:
        return Ingested()
    wanted = {trace.trace_id: trace for trace in traces}
    known = set(
        Trace.objects.filter(environment=environment, trace_id__in=wanted).values_list(
            "trace_id", flat=True
        )
    )
    fresh = [trace for trace_id, trace in wanted.items() if trace_id not in known]
    links = _Links(environment, fresh)
    Trace.objects.bulk_create(
        (_row(trace, environment, links) for trace in fresh), ignore_conflicts=True
    )
    created = list(
        Trace.objects.filter(
            environment=environment, trace_id__in=[trace.trace_id for trace in fresh]
        ).order_by("pk")
    )
    _store_payloads((row, wanted[row.trace_id]) for row in created)
    ring(score_task)
    return Ingested(created, duplicates=len(traces) - len(created))


class _Links:
    """The prompts, versions and releases that a batch names, in three queries."""

    def __init__(self, environment: Environment, traces: Sequence[TraceIn]) -> None:
        names = {trace.prompt_name for trace in traces if trace.prompt_name}
        self.prompts = {
            prompt.slug: prompt.pk
            for prompt in Prompt.objects.filter(project=environment.project, slug__in=names)
        }
        self.versions = {
            (row.prompt_id, str(row.number)): row.pk
            for row in PromptVersion.objects.filter(prompt__in=self.prompts.values()).only(
                "prompt_id", "number"
            )
        }
        calls = [self._served(trace) for trace in traces if trace.prompt_name in self.prompts]
        self.releases = dict(zip(calls, resolve_many(calls, environment), strict=True))

    def _served(self, trace: TraceIn) -> Served:
        number = int(trace.prompt_version) if trace.prompt_version.isdecimal() else None
        return Served(self.prompts[trace.prompt_name], key_of(trace), number, trace.started_at)

    def of(self, trace: TraceIn) -> dict[str, Any]:
        """The columns that tie a trace to the registry; none where its prompt is not known."""
        if trace.prompt_name not in self.prompts:
            return {}
        prompt_id = self.prompts[trace.prompt_name]
        release, arm = self.releases[self._served(trace)]
        return {
            "prompt_id": prompt_id,
            "prompt_version_id": self.versions.get((prompt_id, trace.prompt_version)),
            "release": release,
            "arm": arm,
        }


def _row(trace: TraceIn, environment: Environment, links: _Links) -> Trace:
    now = clock.now()
    return Trace(
        project=environment.project,
        environment=environment,
        trace_id=trace.trace_id,
        started_at=trace.started_at,
        received_at=now,
        settle_at=now,
        stage=Stage.SETTLED,
        **columns(trace),
        **links.of(trace),
    )


def columns(trace: TraceIn) -> dict[str, Any]:
    """What lists and filters read, cut to the width of the columns."""
    return {
        "name": trace.name[:200],
        "model": trace.model[:120],
        "task": trace.task[:60],
        "language": trace.language[:16],
        "session": trace.session[:200],
        "user": trace.user[:200],
        "unit": unit_of(trace),
        "tags": [tag[:120] for tag in trace.tags],
        "status": trace.status[:8],
        "preview": " ".join(trace.output[: PREVIEW * 2].split())[:PREVIEW],
        "tokens_in": _held(trace.tokens_in, MAX_COUNT),
        "tokens_out": _held(trace.tokens_out, MAX_COUNT),
        "cost_usd": _held(trace.cost_usd, MAX_COST),
        "latency_ms": trace.latency_ms,
    }


def _held(number: N | None, most: N) -> N | None:
    """The number where its column can hold it; the payload keeps it in any case. Sums over spans
    may pass every bound, and one such trace would stop all that settle with it."""
    return number if number is not None and 0 <= number <= most else None


def key_of(trace: TraceIn) -> str:
    """The key that the application says it fetched the prompt with, whole, for it was drawn by
    the whole of it; without one nobody drew."""
    return str(trace.metadata.get(KEY) or "")


def unit_of(trace: TraceIn) -> str:
    """Whose outcomes are one: those of the key, else of the user, else of the session."""
    return (key_of(trace) or trace.user or trace.session or trace.trace_id)[:120]


def content_of(trace: TraceIn) -> dict[str, Any]:
    """What `Payload.content` holds."""
    kept = asdict(trace)
    for name in NOT_IN_CONTENT:
        del kept[name]
    return kept


def _store_payloads(pairs: Iterable[tuple[Trace, TraceIn]]) -> None:
    Payload.objects.bulk_create(
        (
            Payload(
                trace_id=row.pk,
                started_at=row.started_at,
                output=trace.output,
                content=content_of(trace),
            )
            for row, trace in pairs
        ),
        ignore_conflicts=True,
    )


@command
def store_spans(spans: Sequence[SpanIn], *, environment: Environment, actor: Actor) -> int:
    """Store spans as they arrive, in any order; the last complete version of each wins.

    Each trace settles some seconds after its last span. Returns how many traces were touched.
    """
    require(actor, Verb.INGEST, project=environment.project)
    now = clock.now()
    Span.objects.bulk_create(
        (_span_row(span, environment) for span in _last_of_each(spans)),
        update_conflicts=True,
        unique_fields=["environment_id", "trace_id", "span_id", "started_at"],
        update_fields=["parent_id", "name", "kind", "status", "ended_at", "received_at", "content"],
    )
    settle = now + timedelta(seconds=environment.project.settle_seconds)
    firsts: dict[str, SpanIn] = {}
    for span in spans:
        first = firsts.setdefault(span.trace_id, span)
        if span.started_at < first.started_at:
            firsts[span.trace_id] = span
    Trace.objects.bulk_create(
        (
            Trace(
                project=environment.project,
                environment=environment,
                trace_id=trace_id,
                name=span.name[:200],
                started_at=span.started_at,
                received_at=now,
                settle_at=settle,
            )
            for trace_id, span in sorted(firsts.items())
        ),
        ignore_conflicts=True,
    )
    touched = Trace.objects.filter(environment=environment, trace_id__in=firsts)
    touched.filter(stage__in=[Stage.RECEIVED, Stage.SETTLED]).update(
        settle_at=settle, stage=Stage.RECEIVED
    )
    # Scored or decided already: what people read is made whole, what was decided stays.
    _compose(list(touched.exclude(stage=Stage.RECEIVED).select_related("environment__project")))
    return len(firsts)


def _last_of_each(spans: Sequence[SpanIn]) -> Iterable[SpanIn]:
    return {(span.trace_id, span.span_id, span.started_at): span for span in spans}.values()


def _span_row(span: SpanIn, environment: Environment) -> Span:
    return Span(
        started_at=span.started_at,
        environment_id=environment.pk,
        trace_id=span.trace_id,
        span_id=span.span_id,
        parent_id=span.parent_id,
        name=span.name[:200],
        kind=span.kind,
        status=span.status[:8],
        ended_at=span.ended_at or span.started_at,
        received_at=clock.now(),
        content=span_as_json(span),
    )


@command
def settle_due(*, limit: int = BATCH, among: Sequence[int] | None = None) -> int:
    """Make whole traces of the spans of those that have settled (only of those `among` these ids,
    where given). Returns how many."""
    waiting = Trace.objects.unsettled(clock.now()).among(among)
    due = list(
        waiting.select_for_update(skip_locked=True, of=("self",))
        .select_related("environment__project")
        .order_by("settle_at")[:limit]
    )
    _compose(due)
    Trace.objects.filter(pk__in=[trace.pk for trace in due]).update(stage=Stage.SETTLED)
    if due:
        ring(score_task)
    return len(due)


@step
def _compose(traces: Sequence[Trace]) -> None:
    """Write each trace's columns and payload from its spans."""
    for environment_id in {trace.environment_id for trace in traces}:
        mine = [trace for trace in traces if trace.environment_id == environment_id]
        spans = _spans_of(environment_id, [trace.trace_id for trace in mine])
        wholes = {trace_id: summarise(found) for trace_id, found in spans.items()}
        links = _Links(mine[0].environment, list(wholes.values()))
        for trace in mine:
            _fill(trace, wholes[trace.trace_id], links)


def _spans_of(environment_id: int, trace_ids: Sequence[str]) -> dict[str, list[SpanIn]]:
    found: dict[str, list[SpanIn]] = {}
    rows = Span.objects.filter(environment_id=environment_id, trace_id__in=trace_ids)
    for row in rows.order_by("started_at"):
        found.setdefault(row.trace_id, []).append(span_from_json(row.content))
    return found


def _fill(trace: Trace, whole: TraceIn, links: _Links) -> None:
    """`started_at` stays what it was: it is the payload's partition key."""
    facts = columns(whole) | links.of(whole)
    Trace.objects.filter(pk=trace.pk).update(**facts)
    Payload.objects.bulk_create(
        [
            Payload(
                trace_id=trace.pk,
                started_at=trace.started_at,
                output=whole.output,
                content=content_of(whole),
            )
        ],
        update_conflicts=True,
        unique_fields=["trace_id", "started_at"],
        update_fields=["output", "content"],
    )


@shared_task(name="routing.ingest.settle_due")
def settle_task() -> None:
    def waiting() -> list[int]:
        due = Trace.objects.unsettled(clock.now()).order_by("settle_at")
        return list(due.values_list("pk", flat=True)[:BATCH])

    work_off(lambda ids: settle_due(among=ids), waiting=waiting, set_aside=faults.set_aside)
