"""Prompts, made of blocks; versions are immutable."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from core.tenancy import TenantQuerySet


class PromptQuerySet(TenantQuerySet["Prompt"]):
    pass


class Prompt(models.Model):
    """What an application asks a model, under a name."""

    project = models.ForeignKey("core.Project", on_delete=models.PROTECT)
    slug = models.SlugField(max_length=80)
    name = models.CharField(max_length=120)
    description = models.TextField(blank=True)
    task = models.CharField(max_length=60, blank=True)
    created_by = models.ForeignKey("core.User", null=True, on_delete=models.PROTECT)
    created_at = models.DateTimeField()

    objects: ClassVar[PromptQuerySet] = PromptQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "slug"], name="prompt_slug_unique")
        ]

    def __str__(self) -> str:
        return self.name


class Origin(models.TextChoices):
    """Who wrote a version."""

    PERSON = "person", "Written by a person"
    OPTIMIZER = "optimizer", "Proposed from evidence"
    IMPORT = "import", "Imported"


class PromptVersionQuerySet(TenantQuerySet["PromptVersion"]):
    project_path = "prompt__project"


class PromptVersion(models.Model):
    """The unit of release: blocks, model and parameters together; append-only.

    `blocks` is a list of {key, role, title, text, locked}, in order; `{{name}}` in a text is a
    variable. A locked block may not be changed by the optimizer. `digest` is the SHA-256 of the
    canonical JSON of blocks, model and parameters.
    """

    prompt = models.ForeignKey(Prompt, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    blocks = models.JSONField()
    model = models.CharField(max_length=120, blank=True)
    params = models.JSONField(default=dict)
    digest = models.CharField(max_length=64)
    parent = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="+")
    origin = models.CharField(max_length=16, choices=Origin.choices, default=Origin.PERSON)
    note = models.TextField(blank=True)
    created_by = models.ForeignKey("core.User", null=True, on_delete=models.PROTECT)
    created_at = models.DateTimeField()

    objects: ClassVar[PromptVersionQuerySet] = PromptVersionQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["prompt", "number"], name="version_number_unique"),
            models.CheckConstraint(
                condition=models.Q(origin__in=Origin.values), name="version_origin_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.prompt} v{self.number}"


class Citation(models.Model):
    """Why a line of a version is there: the edit and the evidence it rests on; append-only."""

    version = models.ForeignKey(PromptVersion, on_delete=models.PROTECT, related_name="citations")
    evidence = models.ForeignKey("registry.Evidence", on_delete=models.PROTECT, related_name="+")
    block = models.CharField(max_length=80)
    mode = models.CharField(max_length=80)
    hypothesis = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["version", "evidence", "block"], name="citation_unique")
        ]

    def __str__(self) -> str:
        return f"{self.version} cites {self.evidence_id}"
