from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from core.access import SYSTEM
from core.db import opened
from core.models import AuditEntry, Project, User
from registry import evidence
from registry.models import OptimizationRun, PromptVersion, SurfaceFinding
from registry.models.surface import FindingState
from registry.surfaces import weigh
from registry.web.evidence import PAGE
from tests.registry.facts import make_evidence


@pytest.fixture
def finding(project: Project, prompt_version: PromptVersion) -> SurfaceFinding:
    for _ in range(3):
        make_evidence(
            prompt_version, mode="tone", quotes=[{"where": "output", "text": "Calm down, Sir"}]
        )
    return weigh(project=project, actor=SYSTEM)[0]


def shown(client: Client, person: User, project: Project, query: str = "") -> str:
    client.force_login(person)
    return client.get(reverse("evidence", args=[project.slug]) + query).content.decode()


def test_withdrawn_evidence_is_shown_as_withdrawn(
    client: Client, lee: User, project: Project, prompt_version: PromptVersion
) -> None:
    row = make_evidence(prompt_version)
    assert "Withdrawn" not in shown(client, lee, project)
    with opened("test"):
        evidence.withdraw([row.source], project_ids=[project.pk], actor=SYSTEM)
    assert "Withdrawn" in shown(client, lee, project)


def test_findings_and_the_words_behind_them(
    client: Client, lee: User, project: Project, finding: SurfaceFinding
) -> None:
    page = shown(client, lee, project)
    assert "Calm down, Sir" in page
    assert "3.0" in page
    assert reverse("trace", args=[project.slug, 1]) in page
    assert "Dismiss" not in page, "a lead may look, not act"


def test_a_finding_is_dismissed_with_a_reason(
    client: Client, eve: User, project: Project, finding: SurfaceFinding
) -> None:
    url = reverse("dismiss", args=[project.slug, finding.pk])
    client.force_login(eve)
    assert client.post(url, {"reason": ""}).status_code == 422
    assert client.post(url, {"reason": "Wanted so."}).status_code == 302
    finding.refresh_from_db()
    assert (finding.state, finding.note) == (FindingState.DISMISSED, "Wanted so.")
    assert AuditEntry.objects.get(verb="registry.finding_dismissed").actor == eve
    assert "Wanted so." in shown(client, eve, project, "?view=closed")


def test_a_version_is_asked_for_once(
    client: Client, eve: User, project: Project, finding: SurfaceFinding
) -> None:
    url = reverse("improve", args=[project.slug, finding.pk])
    assert "Propose a version" in shown(client, eve, project)
    assert client.post(url).status_code == 302
    assert OptimizationRun.objects.get(finding=finding).base.number == 1
    assert AuditEntry.objects.get(verb="registry.optimization_requested").actor == eve
    page = shown(client, eve, project)
    assert "Being written" in page
    assert "Propose a version" not in page
    assert client.post(url).status_code == 409


def test_no_version_is_offered_where_no_prompt_can_mend_it(
    client: Client, eve: User, project: Project, prompt_version: PromptVersion
) -> None:
    for _ in range(3):
        make_evidence(prompt_version, cause="retrieval")
    weigh(project=project, actor=SYSTEM)
    assert "Propose a version" not in shown(client, eve, project)


def test_evidence_is_narrowed_and_paged(
    client: Client, eve: User, project: Project, prompt_version: PromptVersion
) -> None:
    for number in range(PAGE + 2):
        make_evidence(prompt_version, comments=[f"remark {number}."])
    make_evidence(prompt_version, mode="incomplete", comments=["half an answer"])
    narrowed = shown(client, eve, project, "?mode=incomplete")
    assert "half an answer" in narrowed
    assert "remark" not in narrowed
    first = shown(client, eve, project, "?mode=tone")
    assert f"remark {PAGE + 1}." in first
    assert "remark 0." not in first
    older = first.split('rel="next"')[0].rsplit('href="', 1)[1].split('"')[0]
    second = shown(client, eve, project, "?" + older.split("?")[1].replace("&amp;", "&"))
    assert "remark 0." in second
    assert f"remark {PAGE + 1}." not in second


@pytest.mark.parametrize("query", ["?before=x", "?before=99999999999999999999", "?mode=%00"])
def test_a_wrong_address_is_no_fault(
    client: Client, eve: User, project: Project, query: str
) -> None:
    client.force_login(eve)
    url = reverse("evidence", args=[project.slug])
    assert client.get(url + query).status_code == 200


def test_more_rows_cost_no_more_statements(
    client: Client, eve: User, project: Project, prompt_version: PromptVersion
) -> None:
    client.force_login(eve)
    counts = []
    for modes in (("tone",), ("incomplete", "unsupported_claim", "privacy_leak")):
        for mode in modes:
            for _ in range(3):
                make_evidence(prompt_version, mode=mode)
        weigh(project=project, actor=SYSTEM)
        with CaptureQueriesContext(connection) as caught:
            client.get(reverse("evidence", args=[project.slug]))
        counts.append(len(caught))
    assert counts[0] == counts[1]
    assert counts[0] <= 16
