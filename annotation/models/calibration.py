"""Calibration sessions: people align on edge cases, and the ruling is kept."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from annotation.models.label import Verdict
from core.tenancy import TenantQuerySet


class SessionState(models.TextChoices):
    OPEN = "open", "Open"
    FINISHED = "finished", "Finished"


class CalibrationSessionQuerySet(TenantQuerySet["CalibrationSession"]):
    pass


class CalibrationSession(models.Model):
    """A lead, some reviewers, six to ten items. `report` is what was measured when it closed."""

    project = models.ForeignKey("core.Project", on_delete=models.PROTECT)
    title = models.CharField(max_length=160)
    goal = models.TextField(blank=True)
    lead = models.ForeignKey("core.User", on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=12, choices=SessionState.choices, default=SessionState.OPEN)
    report = models.JSONField(default=dict)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    objects: ClassVar[CalibrationSessionQuerySet] = CalibrationSessionQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state="open", closed_at=None)
                | Q(state="finished", closed_at__isnull=False),
                name="calibration_shape",
            )
        ]

    def __str__(self) -> str:
        return self.title


class CalibrationMember(models.Model):
    """Who is asked."""

    session = models.ForeignKey(
        CalibrationSession, on_delete=models.PROTECT, related_name="members"
    )
    user = models.ForeignKey("core.User", on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["session", "user"], name="one_seat_per_person")
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.session}"


class CalibrationItem(models.Model):
    """One output on the agenda; a finished session has a ruling for each."""

    session = models.ForeignKey(CalibrationSession, on_delete=models.PROTECT, related_name="items")
    trace = models.ForeignKey("routing.Trace", on_delete=models.PROTECT, related_name="+")
    position = models.PositiveSmallIntegerField()
    why = models.TextField()
    ruling = models.CharField(max_length=16, choices=Verdict.choices, blank=True)
    ruling_modes = models.JSONField(default=list)
    ruling_reason = models.TextField(blank=True)
    ruled_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["session", "trace"], name="item_once_per_session"),
            models.CheckConstraint(
                condition=Q(ruling="", ruled_at=None) | ~Q(ruling="") & Q(ruled_at__isnull=False),
                name="ruling_shape",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.position}. of {self.session}"
