"""Who may claim work."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from core.tenancy import TenantQuerySet


class ReviewerState(models.TextChoices):
    TRAINING = "training", "In training"
    ACTIVE = "active", "Active"
    PAUSED = "paused", "Paused"


class ReviewerQuerySet(TenantQuerySet["Reviewer"]):
    pass


class Reviewer(models.Model):
    """A person's standing in a queue. `picks` counts claims: every fourth is overdue work.

    Empty `tasks` or `languages` mean any.
    """

    project = models.ForeignKey("core.Project", on_delete=models.PROTECT)
    user = models.ForeignKey("core.User", on_delete=models.PROTECT)
    state = models.CharField(
        max_length=12, choices=ReviewerState.choices, default=ReviewerState.ACTIVE
    )
    tasks = ArrayField(models.CharField(max_length=60), default=list)
    languages = ArrayField(models.CharField(max_length=16), default=list)
    picks = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()

    objects: ClassVar[ReviewerQuerySet] = ReviewerQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "user"], name="reviewer_unique"),
            models.CheckConstraint(
                condition=Q(state__in=ReviewerState.values), name="reviewer_state_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.project}: {self.state}"
