"""Evidence: where the world of labels ends. One immutable row per agreed finding."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from core.levers import Lever
from core.models.project import Severity
from core.tenancy import TenantQuerySet


class EvidenceQuerySet(TenantQuerySet["Evidence"]):
    def standing(self) -> EvidenceQuerySet:
        """What nobody has taken back."""
        return self.filter(withdrawn_at=None)


class Evidence(models.Model):
    """A failure that people agree on, told so that a prompt can be mended by it; append-only.

    `source` is an opaque reference of the floor that pushed it (unique per project), `trace_ref`
    the id of the trace there. `share` is the share of annotators who saw the failure, of `votes`.
    `quotes` is a list of {where, text}. `probability` is the sampling probability of the item.
    `withdrawn_at` is set when people hold it no longer: it stays, and counts for nothing.
    """

    project = models.ForeignKey("core.Project", on_delete=models.PROTECT)
    prompt = models.ForeignKey("registry.Prompt", null=True, on_delete=models.PROTECT)
    prompt_version = models.ForeignKey(
        "registry.PromptVersion", null=True, on_delete=models.PROTECT
    )
    rubric_version = models.ForeignKey("registry.RubricVersion", on_delete=models.PROTECT)
    source = models.CharField(max_length=80)
    trace_ref = models.BigIntegerField()
    mode = models.CharField(max_length=80)
    cause = models.CharField(max_length=16, choices=Lever.choices)
    severity = models.CharField(max_length=16, choices=Severity.choices)
    share = models.FloatField()
    votes = models.PositiveIntegerField()
    quotes = models.JSONField(default=list)
    comments = models.JSONField(default=list)
    correction = models.TextField(blank=True)
    probability = models.FloatField()
    created_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)

    objects: ClassVar[EvidenceQuerySet] = EvidenceQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "source"], name="evidence_source_unique"),
            models.CheckConstraint(
                condition=models.Q(cause__in=Lever.values), name="evidence_cause_known"
            ),
            models.CheckConstraint(
                condition=models.Q(severity__in=Severity.values), name="evidence_severity_known"
            ),
            models.CheckConstraint(
                condition=models.Q(probability__gt=0, probability__lte=1),
                name="evidence_probability",
            ),
        ]
        indexes = [models.Index(fields=["prompt", "mode", "cause", "-id"], name="evidence_by_mode")]

    def __str__(self) -> str:
        return f"{self.mode} ({self.cause})"
