from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from core.access import SYSTEM
from core.models import AuditEntry, Environment, Project, User
from routing import policy
from routing.models import AutoApproval
from tests import traces


def address(project: Project, name: str = "policy", *args: int) -> str:
    return reverse(name, args=[project.slug, *args])


def shown(client: Client, person: User, project: Project, query: str = "") -> str:
    client.force_login(person)
    return client.get(address(project) + query).content.decode()


@pytest.mark.parametrize(
    ("who", "status"),
    [("ann", 403), ("vi", 403), ("lee", 200), ("eve", 200), ("ada", 200), ("cy", 404)],
)
def test_the_page_opens_for_whom_it_is_meant(
    client: Client, request: pytest.FixtureRequest, project: Project, who: str, status: int
) -> None:
    client.force_login(request.getfixturevalue(who))
    assert client.get(address(project)).status_code == status


@pytest.mark.parametrize("who", ["ann", "vi", "lee", "eve", "cy"])
def test_only_an_admin_lets_outputs_pass(
    client: Client, request: pytest.FixtureRequest, project: Project, who: str
) -> None:
    client.force_login(request.getfixturevalue(who))
    answer = client.post(address(project, "grant"), {"reason": "because"})
    assert answer.status_code == (404 if who == "cy" else 403)
    assert not AutoApproval.objects.exists()


def test_without_a_policy_the_default_rules_are_told(
    client: Client, lee: User, project: Project
) -> None:
    page = shown(client, lee, project)
    assert "The first decision puts these default rules in force" in page
    assert "injection" in page
    assert "Not granted" in page


def test_the_published_rules_stand_in_words(
    client: Client, lee: User, ada: User, project: Project
) -> None:
    rules = policy.DEFAULT_RULES.model_dump() | {
        "always_review_tasks": ["complaints"],
        "medium_from": 0.31,
        "opinions": {"low": 1, "medium": 2, "high": 4},
    }
    draft = policy.create_policy(project=project, rules=rules, note="Complaints.", actor=ada)
    policy.publish_policy(policy=draft, actor=ada)
    page = shown(client, lee, project)
    assert "Risk policy v1" in page
    assert "where the task is <strong>complaints</strong>" in page
    assert "below 0.31" in page
    assert "4 people" in page
    assert "Complaints." in page


def test_what_it_decided_is_counted(
    client: Client, lee: User, project: Project, environment: Environment
) -> None:
    traces.queued(environment, 3)
    page = shown(client, lee, project)
    assert "The last 3 outputs decided under this version." in page
    assert "Sent to review: 3" in page


def test_an_admin_grants_and_revokes_with_a_reason(
    client: Client, ada: User, lee: User, project: Project
) -> None:
    assert "Grant auto-approval" in shown(client, ada, project)
    client.post(address(project, "grant"), {"reason": "The board accepts the risk."})
    grant = AutoApproval.objects.get()
    assert (grant.granted_by, grant.kind) == (ada, "override")
    assert AuditEntry.objects.get(verb="routing.auto_approval_granted").actor == ada
    seen = shown(client, lee, project)
    assert "The board accepts the risk." in seen
    assert "Revoke" not in seen
    client.force_login(ada)
    client.post(address(project, "revoke", grant.pk), {"reason": "Two slips."})
    grant.refresh_from_db()
    assert grant.revoke_reason == "Two slips."
    assert AuditEntry.objects.get(verb="routing.auto_approval_revoked").actor == ada
    assert "Two slips." in shown(client, lee, project)


@pytest.mark.parametrize("reason", ["", "   "])
def test_without_a_reason_nothing_is_granted_or_revoked(
    client: Client, ada: User, project: Project, reason: str
) -> None:
    client.force_login(ada)
    answer = client.post(address(project, "grant"), {"reason": reason})
    assert answer.status_code == 422
    assert 'id="grant_reason_error"' in answer.content.decode()
    traces.let_pass(project)
    grant = AutoApproval.objects.get()
    answer = client.post(address(project, "revoke", grant.pk), {"reason": reason})
    assert answer.status_code == 422
    assert AutoApproval.objects.in_force().exists()


def test_a_second_grant_is_refused(client: Client, ada: User, project: Project) -> None:
    traces.let_pass(project)
    client.force_login(ada)
    answer = client.post(address(project, "grant"), {"reason": "Again."})
    assert answer.status_code == 409
    assert AutoApproval.objects.count() == 1


def test_the_grant_of_another_project_is_not_found(
    client: Client, cy: User, elsewhere: Project, project: Project
) -> None:
    traces.let_pass(project)
    grant = AutoApproval.objects.get()
    client.force_login(cy)
    answer = client.post(address(elsewhere, "revoke", grant.pk), {"reason": "Mine."})
    assert answer.status_code == 404
    assert AutoApproval.objects.in_force().exists()


def test_more_rows_cost_no_more_statements(
    client: Client, ada: User, project: Project, environment: Environment
) -> None:
    client.force_login(ada)
    counts = []
    for many in (1, 4):
        for _ in range(many):
            traces.let_pass(project)
            grant = AutoApproval.objects.in_force().get()
            policy.revoke_auto_approval(grant=grant, reason="done", actor=SYSTEM)
            draft = policy.create_policy(
                project=project, rules=policy.DEFAULT_RULES.model_dump(), note="", actor=ada
            )
            policy.publish_policy(policy=draft, actor=ada)
        traces.queued(environment, many)
        with CaptureQueriesContext(connection) as caught:
            client.get(address(project))
        counts.append(len(caught))
    assert counts[0] == counts[1]
    assert counts[0] <= 10
