"""Risk policy, the right to auto-approve, and the record of every decision."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from core.tenancy import TenantQuerySet


class Tier(models.TextChoices):
    LOW = "low", "Low"
    MEDIUM = "medium", "Medium"
    HIGH = "high", "High"


class Action(models.TextChoices):
    AUTO_APPROVE = "auto_approve", "Auto-approved"
    REVIEW = "review", "Sent to review"
    AUDIT = "audit", "Auto-approved, drawn for audit"


class PolicyState(models.TextChoices):
    DRAFT = "draft", "Draft"
    PUBLISHED = "published", "Published"
    RETIRED = "retired", "Retired"


class RiskPolicyQuerySet(TenantQuerySet["RiskPolicy"]):
    pass


class RiskPolicy(models.Model):
    """One version of a project's rules. `rules` is the JSON of routing.policy.Rules."""

    project = models.ForeignKey("core.Project", on_delete=models.PROTECT)
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=12, choices=PolicyState.choices, default=PolicyState.DRAFT)
    rules = models.JSONField()
    note = models.CharField(max_length=400, blank=True)
    created_by = models.ForeignKey("core.User", null=True, on_delete=models.PROTECT)
    created_at = models.DateTimeField()
    published_at = models.DateTimeField(null=True)

    objects: ClassVar[RiskPolicyQuerySet] = RiskPolicyQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "number"], name="policy_number_unique"),
            models.UniqueConstraint(
                fields=["project"], condition=Q(state="published"), name="one_published_policy"
            ),
            models.CheckConstraint(
                condition=Q(state__in=PolicyState.values), name="policy_state_known"
            ),
            models.CheckConstraint(
                condition=Q(state="draft", published_at=None)
                | ~Q(state="draft") & Q(published_at__isnull=False),
                name="policy_shape",
            ),
        ]

    def __str__(self) -> str:
        return f"policy v{self.number} of {self.project}"


class GrantKind(models.TextChoices):
    OVERRIDE = "override", "Admin's override"
    CERTIFICATE = "certificate", "Earned certificate"


class AutoApprovalQuerySet(TenantQuerySet["AutoApproval"]):
    def in_force(self) -> AutoApprovalQuerySet:
        return self.filter(revoked_at=None)


class AutoApproval(models.Model):
    """The right to approve without a person: earned, or given by an admin in so many words."""

    project = models.ForeignKey("core.Project", on_delete=models.PROTECT)
    kind = models.CharField(max_length=12, choices=GrantKind.choices)
    reason = models.TextField()
    details = models.JSONField(default=dict)
    granted_by = models.ForeignKey("core.User", null=True, on_delete=models.PROTECT)
    granted_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    revoke_reason = models.TextField(blank=True)

    objects: ClassVar[AutoApprovalQuerySet] = AutoApprovalQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project"], condition=Q(revoked_at=None), name="one_auto_approval_in_force"
            ),
            models.CheckConstraint(condition=Q(kind__in=GrantKind.values), name="grant_kind_known"),
            models.CheckConstraint(condition=~Q(reason=""), name="grant_says_why"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.project}"


class DecisionQuerySet(TenantQuerySet["Decision"]):
    project_path = "trace__project"

    def latest_per_trace(self) -> DecisionQuerySet:
        return self.order_by("trace_id", "-sequence").distinct("trace_id")


class Decision(models.Model):
    """What was decided of one output, and from what; append-only.

    `factors` is a list of {name, value, contribution, text}. `auto_approval` is the grant that was
    in force, whatever the action: without one everything is reviewed. `probability` is the
    probability with which an output like this is seen by a person (1 for reviewed tiers, the audit
    share for the auto-approved); `seed` and `draw` let anybody repeat the draw.
    """

    trace = models.ForeignKey("routing.Trace", on_delete=models.PROTECT, related_name="decisions")
    sequence = models.PositiveIntegerField()
    policy = models.ForeignKey(RiskPolicy, on_delete=models.PROTECT)
    auto_approval = models.ForeignKey(AutoApproval, null=True, on_delete=models.PROTECT)
    tier = models.CharField(max_length=8, choices=Tier.choices)
    action = models.CharField(max_length=16, choices=Action.choices)
    risk = models.FloatField()
    factors = models.JSONField()
    reason = models.TextField()
    probability = models.FloatField()
    seed = models.CharField(max_length=64)
    draw = models.FloatField()
    sla = models.JSONField(default=dict)
    at = models.DateTimeField()

    objects: ClassVar[DecisionQuerySet] = DecisionQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["trace", "sequence"], name="decision_sequence_unique"),
            models.CheckConstraint(
                condition=Q(probability__gt=0, probability__lte=1), name="decision_probability"
            ),
            models.CheckConstraint(condition=Q(tier__in=Tier.values), name="decision_tier_known"),
            models.CheckConstraint(
                condition=Q(action__in=Action.values), name="decision_action_known"
            ),
        ]
        indexes = [models.Index(fields=["policy", "tier", "action"], name="decision_by_policy")]

    def __str__(self) -> str:
        return f"{self.tier}: {self.get_action_display()}"
