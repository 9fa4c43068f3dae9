"""Rules: vetoes first, then weight; and who may let outputs pass."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from core.db import IllegalTransition
from core.models import AuditEntry, Project, User
from routing import policy
from routing.models import AutoApproval, RiskPolicy
from routing.models.decision import GrantKind, PolicyState, Tier
from routing.policy import Reading, Rules, Weight

RULES = Rules(
    vetoes={"pii": 0.5},
    weights={"length": Weight(weight=0.5, cap=0.2), "judge": Weight(weight=0.6)},
    always_review_tasks=["legal"],
    medium_from=0.3,
    high_from=0.6,
)


def tier(readings: dict[str, Reading], task: str = "", status: str = "ok") -> Tier:
    return policy.assess(RULES, readings, task=task, status=status).tier


def test_no_signal_is_low_risk() -> None:
    assert tier({}) == Tier.LOW


def test_a_cap_bounds_a_signal() -> None:
    found = policy.assess(RULES, {"length": Reading(1.0)}, task="", status="ok")
    assert found.risk == pytest.approx(0.2)


def test_weights_add_up_to_a_tier() -> None:
    assert tier({"length": Reading(1.0), "judge": Reading(0.5)}) == Tier.MEDIUM
    assert tier({"length": Reading(1.0), "judge": Reading(1.0)}) == Tier.HIGH


def test_a_veto_sends_low_risk_to_people_and_says_so() -> None:
    found = policy.assess(RULES, {"pii": Reading(0.9)}, task="", status="ok")
    assert (found.tier, found.risk) == (Tier.MEDIUM, 0)
    assert "pii is 0.90" in found.vetoes[0]


def test_a_missing_signal_is_reviewed_never_a_zero() -> None:
    found = policy.assess(RULES, {"judge": Reading(None, error="timed out")}, task="", status="ok")
    assert found.tier == Tier.MEDIUM
    assert found.vetoes == ("the signal judge is missing",)


def test_a_missing_signal_that_no_rule_uses_changes_nothing() -> None:
    assert tier({"sent:bleu": Reading(None, error="a label")}) == Tier.LOW


def test_a_task_can_be_always_reviewed() -> None:
    assert tier({}, task="legal") == Tier.MEDIUM


def test_an_error_of_the_application_is_reviewed() -> None:
    assert tier({}, status="error") == Tier.MEDIUM


@pytest.mark.parametrize(
    ("rules", "field"),
    [
        ({"medium_from": 0.5, "high_from": 0.4}, "rules"),
        ({"weights": {"judge": {"weight": 3}}}, "weights.judge.weight"),
        ({"audit_share": 0}, "audit_share"),
        ({"typo": 1}, "typo"),
        ({"opinions": {"low": 1}}, "rules"),
        ({"opinions": {"low": 1, "medium": 1, "high": 21}}, "opinions.high"),
        ({"vetoes": {"pii": float("nan")}}, "vetoes.pii"),
        ({"vetoes": {"pii": float("inf")}}, "vetoes.pii"),
    ],
)
def test_bad_rules_name_the_field(rules: dict[str, object], field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        policy.read_rules(rules)
    assert field in caught.value.message_dict


def test_publishing_retires_the_version_before(project: Project, eve: User) -> None:
    first = policy.create_policy(project=project, rules={}, note="", actor=eve)
    policy.publish_policy(policy=first, actor=eve)
    second = policy.create_policy(project=project, rules={}, note="", actor=eve)
    policy.publish_policy(policy=second, actor=eve)
    found = RiskPolicy.objects.in_project(project).order_by("number")
    assert [policy.state for policy in found] == [PolicyState.RETIRED, PolicyState.PUBLISHED]


def test_a_policy_is_published_once(project: Project, eve: User) -> None:
    draft = policy.create_policy(project=project, rules={}, note="", actor=eve)
    policy.publish_policy(policy=draft, actor=eve)
    with pytest.raises(IllegalTransition):
        policy.publish_policy(policy=draft, actor=eve)


def grant(project: Project, actor: User, reason: str = "pilot, read daily") -> AutoApproval:
    return policy.grant_auto_approval(
        project=project, kind=GrantKind.OVERRIDE, reason=reason, details={}, actor=actor
    )


def test_only_an_admin_lets_outputs_pass(project: Project, eve: User, ada: User) -> None:
    with pytest.raises(PermissionDenied):
        grant(project, eve)
    grant(project, ada)
    entry = AuditEntry.objects.get(verb="routing.auto_approval_granted")
    assert (entry.actor, entry.after["reason"]) == (ada, "pilot, read daily")


def test_an_override_needs_a_reason(project: Project, ada: User) -> None:
    with pytest.raises(ValidationError):
        grant(project, ada, reason="  ")


def test_one_grant_is_in_force_and_can_be_revoked_once(project: Project, ada: User) -> None:
    given = grant(project, ada)
    with pytest.raises(IllegalTransition):
        grant(project, ada)
    policy.revoke_auto_approval(grant=given, reason="misses rose", actor=ada)
    with pytest.raises(IllegalTransition):
        policy.revoke_auto_approval(grant=given, reason="again", actor=ada)
