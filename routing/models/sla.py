"""By when: calendars, targets, and the append-only events from which every clock derives."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from core.tenancy import TenantQuerySet
from routing.models.decision import Tier


class CalendarQuerySet(TenantQuerySet["Calendar"]):
    pass


class Calendar(models.Model):
    """Working time. `hours` maps weekday "0" (Monday) to "6" to a list of ["09:00", "17:00"];
    an empty mapping means around the clock. `holidays` is a list of ISO dates."""

    project = models.ForeignKey("core.Project", on_delete=models.PROTECT)
    name = models.CharField(max_length=120)
    time_zone = models.CharField(max_length=60, default="UTC")
    hours = models.JSONField(default=dict)
    holidays = models.JSONField(default=list)
    created_at = models.DateTimeField()

    objects: ClassVar[CalendarQuerySet] = CalendarQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "name"], name="calendar_name_unique")
        ]

    def __str__(self) -> str:
        return self.name


class SlaPolicyQuerySet(TenantQuerySet["SlaPolicy"]):
    pass


class SlaPolicy(models.Model):
    """The promise for a tier: minutes of working time from the decision to the last opinion."""

    project = models.ForeignKey("core.Project", on_delete=models.PROTECT)
    tier = models.CharField(max_length=8, choices=Tier.choices)
    minutes = models.PositiveIntegerField()
    calendar = models.ForeignKey(Calendar, on_delete=models.PROTECT)
    goal = models.FloatField(default=0.97)
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    objects: ClassVar[SlaPolicyQuerySet] = SlaPolicyQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "tier"], condition=Q(ended_at=None), name="one_sla_per_tier"
            ),
            models.CheckConstraint(condition=Q(tier__in=Tier.values), name="sla_tier_known"),
            models.CheckConstraint(condition=Q(minutes__gt=0), name="sla_minutes_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.tier}: {self.minutes} min"


class SlaEventKind(models.TextChoices):
    APPLIED = "applied", "Applied"
    WARNED = "warned", "Warned"
    BREACHED = "breached", "Breached"
    FULFILLED = "fulfilled", "Fulfilled"
    WITHDRAWN = "withdrawn", "Withdrawn"


class SlaEventQuerySet(TenantQuerySet["SlaEvent"]):
    project_path = "item__project"


class SlaEvent(models.Model):
    """What happened to the clock of an item, once each; append-only. `snapshot` is the policy and
    calendar as they were applied."""

    item = models.ForeignKey("routing.Item", on_delete=models.PROTECT, related_name="sla_events")
    kind = models.CharField(max_length=12, choices=SlaEventKind.choices)
    due_at = models.DateTimeField()
    snapshot = models.JSONField(default=dict)
    at = models.DateTimeField()

    objects: ClassVar[SlaEventQuerySet] = SlaEventQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["item", "kind"], name="sla_event_once"),
            models.CheckConstraint(
                condition=Q(kind__in=SlaEventKind.values), name="sla_event_known"
            ),
        ]
        indexes = [models.Index(fields=["kind", "at"], name="sla_event_by_time")]

    def __str__(self) -> str:
        return f"{self.kind} of item {self.item_id}"
