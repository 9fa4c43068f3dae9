"""What people said. Never updated, never deleted: a change is a new label that supersedes."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from core.levers import Lever
from core.models.project import Severity
from core.tenancy import TenantQuerySet
from routing.models.queue import Purpose


class Verdict(models.TextChoices):
    ACCEPTABLE = "acceptable", "Acceptable"
    DEFECTIVE = "defective", "Defective"
    CANNOT_JUDGE = "cannot_judge", "Cannot judge"
    UNSTATED = "unstated", "Ratings or comments only"


class LabelQuerySet(TenantQuerySet["Label"]):
    project_path = "trace__project"

    def current(self) -> LabelQuerySet:
        """Those that no later label of the same person supersedes."""
        return self.filter(superseded_by=None)

    def judging(self) -> LabelQuerySet:
        """Those that state a verdict."""
        return self.exclude(verdict=Verdict.UNSTATED)


class Label(models.Model):
    """One person's judgement of one output under one edition of the rubric; append-only."""

    trace = models.ForeignKey("routing.Trace", on_delete=models.PROTECT, related_name="labels")
    slot = models.ForeignKey(
        "routing.Slot", null=True, on_delete=models.PROTECT, related_name="labels"
    )
    calibration_item = models.ForeignKey(
        "annotation.CalibrationItem", null=True, on_delete=models.PROTECT, related_name="labels"
    )
    annotator = models.ForeignKey("core.User", on_delete=models.PROTECT, related_name="+")
    rubric_version = models.ForeignKey("registry.RubricVersion", on_delete=models.PROTECT)
    purpose = models.CharField(max_length=12, choices=Purpose.choices)
    verdict = models.CharField(max_length=16, choices=Verdict.choices)
    ratings = models.JSONField(default=dict)
    comment = models.TextField(blank=True)
    corrected_output = models.TextField(null=True)
    confidence = models.PositiveSmallIntegerField(null=True)
    saw_judge = models.BooleanField(default=False)
    active_ms = models.PositiveIntegerField(null=True)
    source = models.CharField(max_length=16)
    supersedes = models.OneToOneField(
        "self", null=True, on_delete=models.PROTECT, related_name="superseded_by"
    )
    created_at = models.DateTimeField()

    objects: ClassVar[LabelQuerySet] = LabelQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["slot"], condition=Q(supersedes=None), name="one_first_label_per_slot"
            ),
            models.UniqueConstraint(
                fields=["calibration_item", "annotator"],
                condition=Q(calibration_item__isnull=False, supersedes=None),
                name="one_vote_per_member",
            ),
            models.CheckConstraint(
                condition=Q(verdict__in=Verdict.values), name="label_verdict_known"
            ),
            models.CheckConstraint(
                condition=Q(confidence=None) | Q(confidence__gte=1, confidence__lte=5),
                name="label_confidence_in_range",
            ),
        ]
        indexes = [
            models.Index(fields=["annotator", "-created_at"], name="label_by_annotator"),
            models.Index(fields=["-created_at"], name="label_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.annotator}: {self.verdict}"


class LabelFinding(models.Model):
    """A failure that the annotator names: symptom, root cause and severity; append-only.

    `spans` is a list of {target, start, end, text, step?}, in code points of the raw text.
    """

    label = models.ForeignKey(Label, on_delete=models.PROTECT, related_name="findings")
    mode = models.CharField(max_length=80)
    cause = models.CharField(max_length=16, choices=Lever.choices)
    severity = models.CharField(max_length=16, choices=Severity.choices)
    spans = models.JSONField(default=list)
    comment = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["label", "mode"], name="one_finding_per_mode"),
            models.CheckConstraint(condition=Q(cause__in=Lever.values), name="label_cause_known"),
            models.CheckConstraint(
                condition=Q(severity__in=Severity.values), name="label_severity_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.mode} ({self.severity})"


class Draft(models.Model):
    """What a person had written when the page was last heard of; survives a lost lease."""

    slot = models.ForeignKey("routing.Slot", on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey("core.User", on_delete=models.CASCADE, related_name="+")
    content = models.JSONField()
    saved_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["slot", "user"], name="one_draft_per_person")
        ]

    def __str__(self) -> str:
        return f"draft of {self.user} for slot {self.slot_id}"
