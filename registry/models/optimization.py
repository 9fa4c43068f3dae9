"""Optimization runs: from a finding to at most one draft version."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from core.tenancy import TenantQuerySet


class RunState(models.TextChoices):
    PENDING = "pending", "Waiting to run"
    RUNNING = "running", "Running"
    PROPOSED = "proposed", "Proposed a version"
    NO_CHANGE = "no_change", "Found nothing to change"
    FAILED = "failed", "Failed"


class OptimizationRunQuerySet(TenantQuerySet["OptimizationRun"]):
    project_path = "finding__project"

    def due(self) -> OptimizationRunQuerySet:
        return self.filter(state=RunState.PENDING)


class OptimizationRun(models.Model):
    """One attempt. `calls` counts what was asked of the model; without a model it is nought."""

    finding = models.ForeignKey(
        "registry.SurfaceFinding", on_delete=models.PROTECT, related_name="runs"
    )
    base = models.ForeignKey("registry.PromptVersion", on_delete=models.PROTECT, related_name="+")
    optimizer = models.CharField(max_length=40)
    state = models.CharField(max_length=16, choices=RunState.choices, default=RunState.PENDING)
    reason = models.TextField(blank=True)
    calls = models.PositiveIntegerField(default=0)
    proposal = models.ForeignKey(
        "registry.PromptVersion", null=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects: ClassVar[OptimizationRunQuerySet] = OptimizationRunQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["finding"],
                condition=Q(state__in=["pending", "running"]),
                name="one_optimization_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(state__in=RunState.values), name="optimization_state_known"
            ),
            models.CheckConstraint(
                condition=Q(state="proposed", proposal__isnull=False)
                | ~Q(state="proposed") & Q(proposal=None),
                name="optimization_shape",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.optimizer} on {self.finding}: {self.get_state_display()}"
