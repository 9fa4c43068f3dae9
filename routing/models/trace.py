"""What happened: narrow traces; spans and payloads partitioned by time beside them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from core.tenancy import TenantQuerySet


class Stage(models.TextChoices):
    """How far a trace has come. What waits for whom is a query on this column."""

    RECEIVED = "received", "Received"
    SETTLED = "settled", "Complete"
    SCORED = "scored", "Scored by rules"
    JUDGED = "judged", "Scored by the judge"
    DECIDED = "decided", "Decided"


class TraceQuerySet(TenantQuerySet["Trace"]):
    def unsettled(self, now: datetime) -> TraceQuerySet:
        """Arrived in spans, the last of them long enough ago."""
        return self.free(now).filter(stage=Stage.RECEIVED, settle_at__lte=now)

    def unscored(self, now: datetime) -> TraceQuerySet:
        return self.free(now).filter(stage=Stage.SETTLED)

    def unjudged(self, now: datetime) -> TraceQuerySet:
        """Scored by rules, and with no judge at work on them."""
        return self.free(now).filter(stage=Stage.SCORED)

    def undecided(self, now: datetime) -> TraceQuerySet:
        return self.free(now).filter(stage=Stage.JUDGED)

    def free(self, now: datetime) -> TraceQuerySet:
        """Neither with the judge nor set aside."""
        return self.filter(Q(busy_until=None) | Q(busy_until__lte=now))

    def set_aside(self, now: datetime) -> TraceQuerySet:
        """They broke their batch, and are tried again later."""
        return self.filter(busy_until__gt=now).exclude(stage=Stage.SCORED)

    def among(self, ids: Sequence[int] | None) -> TraceQuerySet:
        """Those of these ids; all with None."""
        return self.all() if ids is None else self.filter(pk__in=ids)

    def on_the_way(self) -> TraceQuerySet:
        """Not decided yet."""
        return self.exclude(stage=Stage.DECIDED)


class Trace(models.Model):
    """One request of an application, from prompt to output. Unique on environment and trace id.

    `preview` is the beginning of the output, for lists; the whole stands in `Payload`.
    `settle_at` is when the trace counts as complete: some seconds after its last span.
    `arm` is set while a canary runs (`release` is then that canary for both arms) and `unit` is
    the sticky key by which it was bucketed. `busy_until` is the lease of the judge; at every other
    stage the trace has broken its batch and is set aside until then.
    """

    project = models.ForeignKey("core.Project", on_delete=models.PROTECT)
    environment = models.ForeignKey("core.Environment", on_delete=models.PROTECT)
    trace_id = models.CharField(max_length=64)
    name = models.CharField(max_length=200, blank=True)
    prompt = models.ForeignKey("registry.Prompt", null=True, on_delete=models.PROTECT)
    prompt_version = models.ForeignKey(
        "registry.PromptVersion", null=True, on_delete=models.PROTECT, related_name="+"
    )
    release = models.ForeignKey(
        "registry.Release", null=True, on_delete=models.PROTECT, related_name="+"
    )
    arm = models.CharField(max_length=8, blank=True)
    unit = models.CharField(max_length=120, blank=True)
    model = models.CharField(max_length=120, blank=True)
    task = models.CharField(max_length=60, blank=True)
    language = models.CharField(max_length=16, blank=True)
    session = models.CharField(max_length=200, blank=True)
    user = models.CharField(max_length=200, blank=True)
    tags = ArrayField(models.CharField(max_length=120), default=list)
    status = models.CharField(max_length=8, default="ok")
    preview = models.CharField(max_length=200, blank=True)
    tokens_in = models.PositiveIntegerField(null=True)
    tokens_out = models.PositiveIntegerField(null=True)
    cost_usd = models.DecimalField(max_digits=14, decimal_places=8, null=True)
    latency_ms = models.FloatField(null=True)
    started_at = models.DateTimeField()
    received_at = models.DateTimeField()
    settle_at = models.DateTimeField()
    stage = models.CharField(max_length=12, choices=Stage.choices, default=Stage.RECEIVED)
    busy_until = models.DateTimeField(null=True)

    objects: ClassVar[TraceQuerySet] = TraceQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["environment", "trace_id"], name="trace_unique"),
            models.CheckConstraint(condition=Q(stage__in=Stage.values), name="trace_stage_known"),
        ]
        indexes = [
            models.Index(fields=["project", "-id"], name="trace_by_project"),
            models.Index(fields=["project", "-started_at", "-id"], name="trace_by_time"),
            models.Index(
                fields=["settle_at", "id"],
                condition=Q(stage="received"),
                name="trace_unsettled",
            ),
            models.Index(
                fields=["stage", "id"],
                condition=Q(stage__in=["settled", "scored", "judged"]),
                name="trace_on_the_way",
            ),
            models.Index(fields=["session"], condition=~Q(session=""), name="trace_by_session"),
            models.Index(
                fields=["busy_until"], condition=Q(busy_until__isnull=False), name="trace_busy"
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.trace_id


class Span(models.Model):
    """One step of a trace. Partitioned by month of `started_at`; no foreign keys point here."""

    pk = models.CompositePrimaryKey("started_at", "environment_id", "trace_id", "span_id")
    environment_id = models.BigIntegerField()
    trace_id = models.CharField(max_length=64)
    span_id = models.CharField(max_length=16)
    parent_id = models.CharField(max_length=16, blank=True)
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=16)
    status = models.CharField(max_length=8)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    received_at = models.DateTimeField()
    content = models.JSONField()

    class Meta:
        managed = False
        db_table = "routing_span"

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


class Payload(models.Model):
    """What was said in a trace. Partitioned by month of `started_at`, joined by `trace_id`.

    `content` is routing.spans.TraceIn as JSON: messages, documents, steps, variables, metadata,
    params, scores that came with it. `output` is apart: it may be long, and lists never read it.
    """

    pk = models.CompositePrimaryKey("started_at", "trace_id")
    trace_id = models.BigIntegerField()
    started_at = models.DateTimeField()
    output = models.TextField()
    content = models.JSONField()

    class Meta:
        managed = False
        db_table = "routing_payload"

    def __str__(self) -> str:
        return f"payload of trace {self.trace_id}"
