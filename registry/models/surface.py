"""Which lever a repeated failure asks for."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from core.levers import Lever
from core.tenancy import TenantQuerySet


class FindingState(models.TextChoices):
    OPEN = "open", "Open"
    PROPOSED = "proposed", "A version is proposed"
    ADDRESSED = "addressed", "Addressed by a live version"
    DISMISSED = "dismissed", "Dismissed"


class SurfaceFindingQuerySet(TenantQuerySet["SurfaceFinding"]):
    pass


class SurfaceFinding(models.Model):
    """A failure mode of a prompt, with the lever that the evidence names. One open per triple.

    `weight` is the sum over its evidence of share / probability: how many outputs stand behind it.
    `opened_at` is when it was last opened: a roll-back opens it again.
    """

    project = models.ForeignKey("core.Project", on_delete=models.PROTECT)
    prompt = models.ForeignKey("registry.Prompt", null=True, on_delete=models.PROTECT)
    mode = models.CharField(max_length=80)
    lever = models.CharField(max_length=16, choices=Lever.choices)
    state = models.CharField(max_length=16, choices=FindingState.choices, default=FindingState.OPEN)
    evidence_count = models.PositiveIntegerField()
    weight = models.FloatField()
    note = models.TextField(blank=True)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    objects: ClassVar[SurfaceFindingQuerySet] = SurfaceFindingQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "prompt", "mode", "lever"],
                condition=Q(state__in=["open", "proposed"]),
                nulls_distinct=False,
                name="one_open_finding",
            ),
            models.CheckConstraint(
                condition=Q(state__in=FindingState.values), name="finding_state_known"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["open", "proposed"], closed_at=None)
                | Q(state__in=["addressed", "dismissed"], closed_at__isnull=False),
                name="finding_shape",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.mode}: {self.get_lever_display()}"
