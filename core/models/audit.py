"""The audit table, append-only, and the seals that show whether it was changed after all."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from core.access import System

if TYPE_CHECKING:
    from core.access import Actor
    from core.models.project import Project

ERASED = "erased"


class AuditQuerySet(models.QuerySet["AuditEntry"]):
    def visible_to(self, actor: Actor) -> Self:
        """The rows of the actor's projects; those of no project are for the system alone."""
        if isinstance(actor, System):
            return self
        if (bound := getattr(actor, "project_id", None)) is not None:
            return self.filter(project_id=bound)
        return self.filter(project__membership__user_id=actor.pk)

    def in_project(self, project: Project) -> Self:
        return self.filter(project=project)

    def by(self, text: str) -> Self:
        """Rows whose actor's address, key or name holds `text`, in any case."""
        return self.filter(Q(actor_label__icontains=text) | Q(actor__name__icontains=text))

    def between(self, start: datetime | None, end: datetime | None) -> Self:
        """Rows from `start` (inclusive) to `end` (exclusive); None leaves a side open."""
        found = self.filter(at__gte=start) if start else self
        return found.filter(at__lt=end) if end else found


class AuditEntry(models.Model):
    """Who did what to which row. A trigger refuses any change but the erasure of the actor."""

    project = models.ForeignKey("core.Project", null=True, on_delete=models.PROTECT)
    verb = models.CharField(max_length=80)
    target_type = models.CharField(max_length=80)
    target_id = models.CharField(max_length=40)
    actor = models.ForeignKey("core.User", null=True, on_delete=models.PROTECT)
    actor_label = models.CharField(max_length=254)
    before = models.JSONField()
    after = models.JSONField()
    request_id = models.CharField(max_length=64, blank=True)
    at = models.DateTimeField()

    objects: ClassVar[AuditQuerySet] = AuditQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        indexes = [
            models.Index(fields=["project", "-id"], name="audit_by_project"),
            models.Index(fields=["target_type", "target_id"], name="audit_by_target"),
        ]

    def __str__(self) -> str:
        return f"{self.actor_label} {self.verb} {self.target_type} {self.target_id}"


class AuditSeal(models.Model):
    """A block of audit rows and its digest, chained to the block before. Append-only.

    `leaves` holds the SHA-256 of each row, 32 bytes apiece in the order of `ids`, so that a
    check can name the row; `digest` covers the leaves, the ids and the digest before.
    """

    number = models.PositiveBigIntegerField(unique=True)
    first_id = models.BigIntegerField()
    last_id = models.BigIntegerField(unique=True)
    count = models.PositiveIntegerField()
    ids = ArrayField(models.BigIntegerField())
    leaves = models.BinaryField()
    digest = models.CharField(max_length=64)
    previous_digest = models.CharField(max_length=64, blank=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(count__gt=0, number__gt=0, first_id__lte=models.F("last_id")),
                name="seal_holds_rows",
            ),
        ]

    def __str__(self) -> str:
        return f"seal {self.number}: {self.digest[:12]}"


class AuditCheck(models.Model):
    """One recomputation of the whole chain, and what it found. Append-only."""

    seals = models.PositiveBigIntegerField()
    rows = models.PositiveBigIntegerField()
    broken_seal = models.PositiveBigIntegerField(null=True)
    finding = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(broken_seal__isnull=True, finding="")
                | (Q(broken_seal__isnull=False) & ~Q(finding="")),
                name="broken_check_says_where",
            ),
        ]

    def __str__(self) -> str:
        return self.finding or f"{self.seals} seals are whole"
