"""What machines thought of an output."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from core.tenancy import TenantQuerySet


class ScoreQuerySet(TenantQuerySet["Score"]):
    project_path = "trace__project"


class Score(models.Model):
    """One evaluator's signal on one trace; append-only. `value` is 0 (fine) to 1 (worst).

    A failing evaluator is a missing signal: `value` is null and `error` says why.
    """

    trace = models.ForeignKey("routing.Trace", on_delete=models.PROTECT, related_name="score_set")
    evaluator = models.CharField(max_length=80)
    version = models.CharField(max_length=40)
    value = models.FloatField(null=True)
    failed = models.BooleanField(null=True)
    modes = ArrayField(models.CharField(max_length=80), default=list)
    explanation = models.TextField(blank=True)
    error = models.TextField(blank=True)
    at = models.DateTimeField()

    objects: ClassVar[ScoreQuerySet] = ScoreQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["trace", "evaluator", "version"], name="one_score_per_evaluator"
            ),
            models.CheckConstraint(
                condition=Q(value=None) | Q(value__gte=0, value__lte=1), name="score_in_range"
            ),
            models.CheckConstraint(
                condition=Q(value__isnull=False) | ~Q(error=""), name="missing_score_says_why"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.evaluator}: {self.value}"
