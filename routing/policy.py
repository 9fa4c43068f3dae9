"""Risk policy: versioned rules, and the pure function from signals to a tier."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from django.core.exceptions import ValidationError
from django.db.models import Max
from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic import ValidationError as ShapeError

from core import clock
from core.access import SYSTEM, Actor, Verb, require
from core.audit import record
from core.db import IllegalTransition, command, step
from core.models import Project, User
from routing.models import AutoApproval, RiskPolicy
from routing.models.decision import GrantKind, PolicyState, Tier
from routing.verbs import RoutingVerb

_OPINIONS: dict[Literal["low", "medium", "high"], int] = {"low": 1, "medium": 1, "high": 2}


class Weight(BaseModel):
    """How much a signal (0 to 1) adds to the risk, and at most."""

    model_config = ConfigDict(extra="forbid")

    weight: float = Field(ge=0, le=1)
    cap: float = Field(default=1, ge=0, le=1)


class Rules(BaseModel):
    """A policy's rules: vetoes first, then weight, then a random audit share.

    `vetoes` maps a signal to the value from which it sends an output to people by itself.
    `always_review_tasks` names tasks that are never auto-approved. Risk from `medium_from` is
    medium, from `high_from` high. `audit_share` is the share of auto-approved outputs that people
    see all the same. `opinions` is how many people see an output of a tier, at most 20.
    """

    # A veto at NaN or infinity never bites and cannot be stored.
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    vetoes: dict[str, float] = Field(default_factory=dict)
    weights: dict[str, Weight] = Field(default_factory=dict)
    always_review_tasks: list[str] = Field(default_factory=list)
    medium_from: float = Field(default=0.15, gt=0, lt=1)
    high_from: float = Field(default=0.45, gt=0, le=1)
    audit_share: float = Field(default=0.05, gt=0, le=1)
    opinions: dict[Literal["low", "medium", "high"], Annotated[int, Field(le=20)]] = Field(
        default_factory=lambda: dict(_OPINIONS)
    )

    @model_validator(mode="after")
    def _in_order(self) -> Rules:
        if self.medium_from >= self.high_from:
            raise ValueError("medium_from must be below high_from")
        if set(self.opinions) != {"low", "medium", "high"} or min(self.opinions.values()) < 1:
            raise ValueError("opinions must be at least 1 for low, medium and high")
        return self


# A new project starts with these: the judge weighs most where there is one, a guardrail or an
# empty answer is enough by itself. Whoever has labels fits better ones.
DEFAULT_RULES = Rules(
    vetoes={"empty_output": 0.5, "injection": 0.7, "personal_data": 0.8, "tool_errors": 0.5},
    weights={
        "model_judge": Weight(weight=0.6),
        "json_validity": Weight(weight=0.4),
        "groundedness": Weight(weight=0.35),
        "foreign_numbers": Weight(weight=0.3),
        "language_mismatch": Weight(weight=0.3),
        "refusal": Weight(weight=0.25),
        "citations": Weight(weight=0.2),
        "repetition": Weight(weight=0.2),
        "foreign_names": Weight(weight=0.15),
        "length": Weight(weight=0.1),
        "budget": Weight(weight=0.1),
    },
    medium_from=0.2,
)


@dataclass(frozen=True, slots=True)
class Reading:
    """One signal of a trace: its value, or None and why it is missing."""

    value: float | None
    explanation: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Factor:
    """What one signal did to the risk, in numbers and words."""

    name: str
    value: float | None
    contribution: float
    text: str

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "value": self.value,
            "contribution": round(self.contribution, 4),
            "text": self.text,
        }


@dataclass(frozen=True, slots=True)
class Assessment:
    """Risk from 0 to 1, the tier, and everything that led there. `vetoes` are sentences."""

    risk: float
    tier: Tier
    factors: tuple[Factor, ...]
    vetoes: tuple[str, ...]


def assess(rules: Rules, readings: Mapping[str, Reading], *, task: str, status: str) -> Assessment:
    """Vetoes, then weight. A missing signal that the rules use sends the output to review."""
    factors = tuple(_weigh(name, rules.weights[name], readings.get(name)) for name in rules.weights)
    vetoes = _vetoes(rules, readings, task=task, status=status)
    risk = min(1.0, sum(factor.contribution for factor in factors))
    return Assessment(
        risk=risk,
        tier=_tier(rules, risk, vetoed=bool(vetoes)),
        factors=tuple(factor for factor in factors if factor.value != 0),
        vetoes=vetoes,
    )


def _weigh(name: str, weight: Weight, reading: Reading | None) -> Factor:
    """A signal that does not apply to the output (no reading) adds nothing."""
    if reading is None:
        return Factor(name, 0, 0.0, "does not apply")
    if reading.value is None:
        return Factor(name, None, 0.0, f"missing: {reading.error}")
    added = min(weight.cap, weight.weight * reading.value)
    return Factor(name, reading.value, added, reading.explanation)


def _vetoes(
    rules: Rules, readings: Mapping[str, Reading], *, task: str, status: str
) -> tuple[str, ...]:
    found = [
        f"{name} is {reading.value:.2f}, from {limit:.2f} a person looks"
        for name, limit in rules.vetoes.items()
        if (reading := readings.get(name)) and reading.value is not None and reading.value >= limit
    ]
    used = set(rules.weights) | set(rules.vetoes)
    found += [
        f"the signal {name} is missing"
        for name, reading in readings.items()
        if name in used and reading.value is None
    ]
    if task and task in rules.always_review_tasks:
        found.append(f"the task {task} is always reviewed")
    if status == "error":
        found.append("the application reported an error")
    return tuple(found)


def _tier(rules: Rules, risk: float, *, vetoed: bool) -> Tier:
    if risk >= rules.high_from:
        return Tier.HIGH
    if risk >= rules.medium_from or vetoed:
        return Tier.MEDIUM
    return Tier.LOW


def read_rules(value: Any) -> Rules:
    """The rules as values. ValidationError names the field."""
    try:
        return Rules.model_validate(value)
    except ShapeError as error:
        fields = {
            ".".join(str(part) for part in each["loc"]) or "rules": each["msg"]
            for each in error.errors()
        }
        raise ValidationError(fields) from error


@step
def published(project: Project) -> RiskPolicy:
    """The policy in force. A project without one gets the default rules as its version 1."""
    found = RiskPolicy.objects.filter(project=project, state=PolicyState.PUBLISHED).first()
    return found or _draft(project, DEFAULT_RULES, "Default rules", SYSTEM, publish=True)


@command
def create_policy(*, project: Project, rules: Any, note: str, actor: Actor) -> RiskPolicy:
    """A draft of the next version."""
    require(actor, Verb.EDIT_POLICY, project=project)
    return _draft(project, read_rules(rules), note, actor, publish=False)


def _draft(project: Project, rules: Rules, note: str, actor: Actor, *, publish: bool) -> RiskPolicy:
    Project.objects.select_for_update().get(pk=project.pk)
    if publish and (
        found := RiskPolicy.objects.filter(project=project, state=PolicyState.PUBLISHED).first()
    ):
        return found
    now = clock.now()
    last = RiskPolicy.objects.filter(project=project).aggregate(last=Max("number"))["last"] or 0
    policy = RiskPolicy.objects.create(
        project=project,
        number=last + 1,
        rules=rules.model_dump(),
        note=note,
        state=PolicyState.PUBLISHED if publish else PolicyState.DRAFT,
        created_by=actor if isinstance(actor, User) else None,
        created_at=now,
        published_at=now if publish else None,
    )
    verb = RoutingVerb.POLICY_PUBLISHED if publish else RoutingVerb.POLICY_DRAFTED
    record(verb, policy, actor=actor, project=project, after={"number": policy.number})
    return policy


@command
def publish_policy(*, policy: RiskPolicy, actor: Actor) -> RiskPolicy:
    """The draft comes into force, the one before retires. Decisions made keep theirs."""
    project = policy.project
    require(actor, Verb.EDIT_POLICY, project=project)
    Project.objects.select_for_update().get(pk=project.pk)
    locked = RiskPolicy.objects.select_for_update().get(pk=policy.pk)
    if locked.state != PolicyState.DRAFT:
        raise IllegalTransition(f"Version {locked.number} is {locked.state}, not a draft.")
    RiskPolicy.objects.filter(project=project, state=PolicyState.PUBLISHED).update(
        state=PolicyState.RETIRED
    )
    locked.state, locked.published_at = PolicyState.PUBLISHED, clock.now()
    locked.save(update_fields=["state", "published_at"])
    record(
        RoutingVerb.POLICY_PUBLISHED,
        locked,
        actor=actor,
        project=project,
        after={"number": locked.number},
    )
    return locked


@command
def grant_auto_approval(
    *, project: Project, kind: GrantKind, reason: str, details: dict[str, Any], actor: Actor
) -> AutoApproval:
    """Low-risk outputs may pass without a person from now on, because of `reason`."""
    require(actor, Verb.GRANT_AUTO_APPROVAL, project=project)
    if not reason.strip():
        raise ValidationError({"reason": "Say why outputs may pass without a person."})
    if AutoApproval.objects.in_force().filter(project=project).exists():
        raise IllegalTransition("Auto-approval is already granted; revoke it first.")
    grant = AutoApproval.objects.create(
        project=project,
        kind=kind,
        reason=reason,
        details=details,
        granted_by=actor if isinstance(actor, User) else None,
        granted_at=clock.now(),
    )
    record(
        RoutingVerb.AUTO_APPROVAL_GRANTED,
        grant,
        actor=actor,
        project=project,
        after={"kind": kind, "reason": reason},
    )
    return grant


@command
def revoke_auto_approval(*, grant: AutoApproval, reason: str, actor: Actor) -> None:
    """Every output goes to people again."""
    require(actor, Verb.GRANT_AUTO_APPROVAL, project=grant.project)
    hit = AutoApproval.objects.filter(pk=grant.pk, revoked_at=None).update(
        revoked_at=clock.now(), revoke_reason=reason
    )
    if not hit:
        raise IllegalTransition("This grant is revoked already.")
    record(
        RoutingVerb.AUTO_APPROVAL_REVOKED,
        grant,
        actor=actor,
        project=grant.project,
        after={"reason": reason},
    )
