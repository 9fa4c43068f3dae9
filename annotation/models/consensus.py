"""What the labels of an output add up to."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from annotation.models.label import Verdict
from core.levers import Lever
from core.models.project import Severity
from core.tenancy import TenantQuerySet


class ConsensusState(models.TextChoices):
    FINAL = "final", "Agreed"
    DISPUTED = "disputed", "Disputed"


class ConsensusQuerySet(TenantQuerySet["Consensus"]):
    project_path = "trace__project"

    def current(self) -> ConsensusQuerySet:
        return self.filter(superseded_at=None)


class Consensus(models.Model):
    """One authoritative answer per output; a recomputed one supersedes.

    `votes` counts the labels that state a verdict, `share` is the share of them that say defective.
    """

    trace = models.ForeignKey("routing.Trace", on_delete=models.PROTECT, related_name="consensus")
    item = models.ForeignKey("routing.Item", null=True, on_delete=models.PROTECT, related_name="+")
    rubric_version = models.ForeignKey("registry.RubricVersion", on_delete=models.PROTECT)
    method = models.CharField(max_length=40)
    method_version = models.CharField(max_length=16)
    state = models.CharField(max_length=12, choices=ConsensusState.choices)
    verdict = models.CharField(max_length=16, choices=Verdict.choices)
    share = models.FloatField(null=True)
    votes = models.PositiveIntegerField()
    inputs = models.JSONField()
    superseded_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    objects: ClassVar[ConsensusQuerySet] = ConsensusQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["trace"], condition=Q(superseded_at=None), name="one_consensus_per_trace"
            ),
            models.CheckConstraint(
                condition=Q(state__in=ConsensusState.values), name="consensus_state_known"
            ),
            models.CheckConstraint(
                condition=Q(verdict__in=Verdict.values), name="consensus_verdict_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.verdict} by {self.votes}"


class ConsensusFinding(models.Model):
    """A failure mode that enough annotators saw."""

    consensus = models.ForeignKey(Consensus, on_delete=models.PROTECT, related_name="findings")
    mode = models.CharField(max_length=80)
    cause = models.CharField(max_length=16, choices=Lever.choices)
    severity = models.CharField(max_length=16, choices=Severity.choices)
    votes = models.PositiveIntegerField()
    share = models.FloatField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["consensus", "mode"], name="one_agreed_finding")
        ]

    def __str__(self) -> str:
        return f"{self.mode}: {self.votes}"
