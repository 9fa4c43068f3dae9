"""Rubrics: what can be wrong with an output, and how it is rated. Versions are immutable."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from core.levers import Lever
from core.models.project import Severity
from core.tenancy import TenantQuerySet


class RubricQuerySet(TenantQuerySet["Rubric"]):
    pass


class Rubric(models.Model):
    """A named rubric of a project."""

    project = models.ForeignKey("core.Project", on_delete=models.PROTECT)
    slug = models.SlugField(max_length=60)
    name = models.CharField(max_length=120)
    created_at = models.DateTimeField()

    objects: ClassVar[RubricQuerySet] = RubricQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "slug"], name="rubric_slug_unique")
        ]

    def __str__(self) -> str:
        return self.name


class RubricVersionQuerySet(TenantQuerySet["RubricVersion"]):
    project_path = "rubric__project"


class RubricVersion(models.Model):
    """One edition, append-only: labels, judges, golden cases and gates name it.

    `criteria` is a list of {code, label, anchors}: ratings from 1 to 5.
    """

    rubric = models.ForeignKey(Rubric, on_delete=models.PROTECT)
    number = models.PositiveIntegerField()
    criteria = models.JSONField(default=list)
    note = models.CharField(max_length=400, blank=True)
    created_by = models.ForeignKey("core.User", null=True, on_delete=models.PROTECT)
    created_at = models.DateTimeField()

    objects: ClassVar[RubricVersionQuerySet] = RubricVersionQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["rubric", "number"], name="rubric_number_unique")
        ]

    def __str__(self) -> str:
        return f"{self.rubric} v{self.number}"


class FailureMode(models.Model):
    """A symptom that an annotator can name, in one edition of a rubric; append-only."""

    version = models.ForeignKey(RubricVersion, on_delete=models.PROTECT, related_name="modes")
    code = models.CharField(max_length=80)
    label = models.CharField(max_length=120)
    group = models.CharField(max_length=80, blank=True)
    definition = models.TextField(blank=True)
    remedy = models.TextField(blank=True)
    default_cause = models.CharField(max_length=16, choices=Lever.choices, default=Lever.UNKNOWN)
    default_severity = models.CharField(
        max_length=16, choices=Severity.choices, default=Severity.MAJOR
    )
    position = models.PositiveIntegerField()

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["version", "code"], name="mode_code_unique"),
            models.CheckConstraint(
                condition=models.Q(default_cause__in=Lever.values), name="mode_cause_known"
            ),
            models.CheckConstraint(
                condition=models.Q(default_severity__in=Severity.values), name="mode_severity_known"
            ),
        ]

    def __str__(self) -> str:
        return self.label
