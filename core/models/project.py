"""Projects and their environments: the tenant of everything else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.db import models

from core.access import System

if TYPE_CHECKING:
    from core.access import Actor


class ProjectQuerySet(models.QuerySet["Project"]):
    def visible_to(self, actor: Actor) -> Self:
        if isinstance(actor, System):
            return self
        if (bound := getattr(actor, "project_id", None)) is not None:
            return self.filter(id=bound)
        return self.filter(membership__user_id=actor.pk)


class Severity(models.TextChoices):
    """How much a failure matters, in rising order."""

    MINOR = "minor", "Minor"
    MAJOR = "major", "Major"
    CRITICAL = "critical", "Critical"


class Project(models.Model):
    """A team's application: its prompts, traces, people and rules."""

    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    defect_floor = models.CharField(max_length=16, choices=Severity.choices, default=Severity.MAJOR)
    settle_seconds = models.PositiveIntegerField(default=10)
    created_at = models.DateTimeField()

    objects: ClassVar[Any] = ProjectQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name


class Environment(models.Model):
    """Where an application runs: production, staging ... A key belongs to one."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE)
    name = models.SlugField(max_length=60)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "name"], name="environment_name_unique")
        ]

    def __str__(self) -> str:
        return self.name
