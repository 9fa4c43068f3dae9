"""Golden cases: inputs with a known answer, against which versions are compared."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from core.tenancy import TenantQuerySet


class GoldenCaseQuerySet(TenantQuerySet["GoldenCase"]):
    pass


class GoldenCase(models.Model):
    """One input and what is known about the answer.

    `messages` is what was asked, without the prompt's own blocks; `documents` what was retrieved.
    `modes` are the failures that the recorded output showed (none: it was acceptable).
    `cluster` groups cases of one conversation, which are not independent.
    """

    project = models.ForeignKey("core.Project", on_delete=models.PROTECT)
    prompt = models.ForeignKey("registry.Prompt", on_delete=models.PROTECT)
    rubric_version = models.ForeignKey("registry.RubricVersion", on_delete=models.PROTECT)
    source = models.CharField(max_length=80)
    trace_ref = models.BigIntegerField(null=True)
    cluster = models.CharField(max_length=80)
    messages = models.JSONField()
    variables = models.JSONField(default=dict)
    documents = models.JSONField(default=list)
    recorded_output = models.TextField()
    modes = models.JSONField(default=list)
    must_pass = models.BooleanField(default=False)
    times_used = models.PositiveIntegerField(default=0)
    retired_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    objects: ClassVar[GoldenCaseQuerySet] = GoldenCaseQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "source"], name="golden_source_unique")
        ]
        indexes = [
            models.Index(
                fields=["prompt", "id"], name="golden_live", condition=models.Q(retired_at=None)
            )
        ]

    def __str__(self) -> str:
        return f"case {self.pk} of {self.prompt}"
