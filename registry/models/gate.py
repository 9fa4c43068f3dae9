"""Gate runs: candidate against baseline on the golden set."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from core.tenancy import TenantQuerySet


class GateState(models.TextChoices):
    PENDING = "pending", "Waiting to run"
    RUNNING = "running", "Running"
    PASSED = "passed", "Passed"
    BLOCKED = "blocked", "Blocked"
    INCONCLUSIVE = "inconclusive", "Not enough cases to say"
    NOT_RUN = "not_run", "Could not run"


class GateRunQuerySet(TenantQuerySet["GateRun"]):
    project_path = "candidate__prompt__project"

    def due(self) -> GateRunQuerySet:
        return self.filter(state=GateState.PENDING)


class GateRun(models.Model):
    """One comparison. `result` holds the statistics as they were shown; `reason` is a sentence."""

    candidate = models.ForeignKey(
        "registry.PromptVersion", on_delete=models.PROTECT, related_name="gate_runs"
    )
    baseline = models.ForeignKey(
        "registry.PromptVersion", null=True, on_delete=models.PROTECT, related_name="+"
    )
    target_mode = models.CharField(max_length=80, blank=True)
    state = models.CharField(max_length=16, choices=GateState.choices, default=GateState.PENDING)
    reason = models.TextField(blank=True)
    result = models.JSONField(default=dict)
    requested_by = models.ForeignKey("core.User", null=True, on_delete=models.PROTECT)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects: ClassVar[GateRunQuerySet] = GateRunQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["candidate"],
                condition=Q(state__in=["pending", "running"]),
                name="one_gate_run_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(state__in=GateState.values), name="gate_state_known"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["pending", "running"], finished_at=None)
                | Q(state__in=["passed", "blocked", "inconclusive", "not_run"])
                & Q(finished_at__isnull=False),
                name="gate_shape",
            ),
        ]

    def __str__(self) -> str:
        return f"gate {self.pk}: {self.get_state_display()}"


class GateCaseResult(models.Model):
    """What one version answered to one case, and how it was judged."""

    run = models.ForeignKey(GateRun, on_delete=models.CASCADE, related_name="results")
    case = models.ForeignKey("registry.GoldenCase", on_delete=models.PROTECT, related_name="+")
    arm = models.CharField(max_length=16)
    passed = models.BooleanField(null=True)
    modes = models.JSONField(default=list)
    output = models.TextField(blank=True)
    error = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "case", "arm"], name="one_result_per_arm"),
            models.CheckConstraint(
                condition=Q(arm__in=["candidate", "baseline"]), name="gate_arm_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.arm} on case {self.case_id}: {self.passed}"
