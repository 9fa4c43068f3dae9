"""Releases: which version an environment serves; canaries; what is observed of them."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from core.tenancy import TenantQuerySet


class ReleaseState(models.TextChoices):
    CANARY = "canary", "Canary"
    LIVE = "live", "Live"
    RETIRED = "retired", "Retired"
    ROLLED_BACK = "rolled_back", "Rolled back"


class ReleaseQuerySet(TenantQuerySet["Release"]):
    project_path = "prompt__project"

    def serving(self) -> ReleaseQuerySet:
        return self.filter(state__in=[ReleaseState.LIVE, ReleaseState.CANARY])


class Release(models.Model):
    """A version in an environment. At most one live and one canary per prompt there.

    `share` is the part of sticky keys (0 to 1) that get a canary; `salt` fixes who they are.
    `monitor` is the state of the canary's e-process (JSON).
    """

    prompt = models.ForeignKey("registry.Prompt", on_delete=models.PROTECT)
    environment = models.ForeignKey("core.Environment", on_delete=models.PROTECT)
    version = models.ForeignKey(
        "registry.PromptVersion", on_delete=models.PROTECT, related_name="releases"
    )
    state = models.CharField(max_length=16, choices=ReleaseState.choices)
    share = models.FloatField()
    salt = models.CharField(max_length=32)
    monitor = models.JSONField(default=dict)
    reason = models.TextField(blank=True)
    started_by = models.ForeignKey("core.User", null=True, on_delete=models.PROTECT)
    started_at = models.DateTimeField()
    promoted_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    end_reason = models.TextField(blank=True)

    objects: ClassVar[ReleaseQuerySet] = ReleaseQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["prompt", "environment"], condition=Q(state="live"), name="one_live"
            ),
            models.UniqueConstraint(
                fields=["prompt", "environment"], condition=Q(state="canary"), name="one_canary"
            ),
            models.CheckConstraint(
                condition=Q(state__in=ReleaseState.values), name="release_state_known"
            ),
            models.CheckConstraint(
                condition=Q(share__gt=0, share__lte=1), name="release_share_in_range"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["live", "canary"], ended_at=None)
                | Q(state__in=["retired", "rolled_back"], ended_at__isnull=False),
                name="release_shape",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.version} {self.get_state_display().lower()} in {self.environment}"


class Approval(models.Model):
    """A person's word that a version may be released; never the author's own. Append-only."""

    version = models.ForeignKey(
        "registry.PromptVersion", on_delete=models.PROTECT, related_name="approvals"
    )
    gate_run = models.ForeignKey("registry.GateRun", null=True, on_delete=models.PROTECT)
    approved_by = models.ForeignKey("core.User", on_delete=models.PROTECT, related_name="+")
    reason = models.TextField()
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["version", "approved_by"], name="one_approval_per_person"
            )
        ]

    def __str__(self) -> str:
        return f"{self.approved_by} approved {self.version}"


class Arm(models.TextChoices):
    CANARY = "canary", "Canary"
    CONTROL = "control", "Control"


class ObservationQuerySet(TenantQuerySet["Observation"]):
    project_path = "release__prompt__project"

    def due(self) -> ObservationQuerySet:
        """Those that the monitor has not looked at."""
        return self.filter(seen_at=None, release__state=ReleaseState.CANARY)


class Observation(models.Model):
    """Whether one output of a canary, or of its control, was defective, and who said so.

    One per release, unit (the sticky key: turns of one user are not independent) and source.
    """

    release = models.ForeignKey(Release, on_delete=models.PROTECT, related_name="observations")
    arm = models.CharField(max_length=8, choices=Arm.choices)
    unit = models.CharField(max_length=120)
    source = models.CharField(max_length=16)
    trace_ref = models.BigIntegerField()
    defect = models.BooleanField()
    at = models.DateTimeField()
    seen_at = models.DateTimeField(null=True)

    objects: ClassVar[ObservationQuerySet] = ObservationQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["release", "unit", "source"], name="one_observation_per_unit"
            ),
            models.CheckConstraint(condition=Q(arm__in=Arm.values), name="observation_arm_known"),
        ]
        indexes = [
            models.Index(
                fields=["release", "source", "id"],
                condition=Q(seen_at=None),
                name="observation_unseen",
            )
        ]

    def __str__(self) -> str:
        return f"{self.arm} {self.unit}: {'defect' if self.defect else 'ok'}"
