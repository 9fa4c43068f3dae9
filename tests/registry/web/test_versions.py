from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from core import clock
from core.access import SYSTEM
from core.models import AuditEntry, Environment, User
from registry import gate, prompts, release
from registry.gate import Outcome, decide
from registry.models import Approval, GateRun, PromptVersion, Release
from registry.models.prompt import Origin
from registry.models.release import ReleaseState
from tests import factories
from tests.registry.facts import approve, make_evidence


@pytest.fixture
def live(prompt_version: PromptVersion, environment: Environment) -> Release:
    return release.go_live(
        version=prompt_version, environment=environment, reason="first", actor=SYSTEM
    )


@pytest.fixture
def candidate(live: Release) -> PromptVersion:
    return factories.make_version(live.version, "Name your source.")


def address(version: PromptVersion, name: str = "version") -> str:
    return reverse(name, args=[version.prompt.project.slug, version.prompt.slug, version.number])


def page(client: Client, person: User, version: PromptVersion, query: str = "") -> str:
    client.force_login(person)
    return client.get(address(version) + query).content.decode()


def held_gate(version: PromptVersion, outcomes: list[Outcome]) -> GateRun:
    """A gate run that has ended with those outcomes."""
    run = gate.request(version=version, target_mode="tone", actor=SYSTEM)
    verdict = decide(outcomes, target="tone", label="Wrong tone")
    GateRun.objects.filter(pk=run.pk).update(
        state=verdict.state,
        reason=verdict.reason,
        result=verdict.result,
        finished_at=clock.now(),
    )
    return GateRun.objects.get(pk=run.pk)


def outcomes(mended: int, broken: int, same: int) -> list[Outcome]:
    failed, fine = frozenset({"tone"}), frozenset[str]()
    pairs = [(failed, fine)] * mended + [(fine, failed)] * broken + [(fine, fine)] * same
    return [Outcome(i, False, True, was, now) for i, (was, now) in enumerate(pairs)]


def test_it_shows_the_blocks_what_changed_and_which_are_locked(
    client: Client, eve: User, candidate: PromptVersion
) -> None:
    shown = page(client, eve, candidate)
    assert "Name your source." in shown
    assert "Never show account numbers." in shown
    assert "locked" in shown
    assert "Changes since version 1" in shown


def test_a_block_stands_beside_the_evidence_that_caused_it(
    client: Client, eve: User, ann: User, live: Release
) -> None:
    proof = make_evidence(
        live.version, quotes=[{"where": "output", "text": "Calm down, Sir"}], comments=["Rude."]
    )
    version = factories.make_version(
        live.version,
        "Be kind.",
        citations=[(proof, "style", "tone", "Nothing says how to answer anger.")],
        origin=Origin.OPTIMIZER,
    )
    seen = page(client, eve, version)
    assert "Nothing says how to answer anger." in seen
    assert "Calm down, Sir" in seen
    assert "Proposed from evidence" in seen
    # What others found in an output would sway a reviewer who may still have to judge it.
    kept = page(client, ann, version)
    assert "Nothing says how to answer anger." in kept
    assert "Calm down, Sir" not in kept


def test_the_gate_is_shown_case_by_case(
    client: Client, eve: User, candidate: PromptVersion
) -> None:
    held_gate(candidate, outcomes(mended=9, broken=1, same=90))
    shown = page(client, eve, candidate)
    assert "v1 fails" in shown
    assert '<td class="pairs__better">9</td>' in shown
    assert '<td class="pairs__worse">1</td>' in shown
    assert "exact McNemar test" in shown


def test_a_gate_of_few_cases_shows_no_rate_but_what_is_needed(
    client: Client, eve: User, candidate: PromptVersion
) -> None:
    run = held_gate(candidate, outcomes(mended=1, broken=0, same=4))
    shown = page(client, eve, candidate)
    assert "not enough yet (n=5)" in shown
    assert f"about {run.result['needed']} more cases" in shown


def test_an_engineer_asks_for_a_gate_run(
    client: Client, eve: User, candidate: PromptVersion
) -> None:
    client.force_login(eve)
    assert client.post(address(candidate, "run_gate")).status_code == 302
    assert GateRun.objects.get(candidate=candidate).requested_by == eve
    assert AuditEntry.objects.filter(verb="registry.gate_requested", actor=eve).count() == 1


def test_an_approval_needs_a_reason_while_the_gate_has_not_passed(
    client: Client, eve: User, candidate: PromptVersion
) -> None:
    client.force_login(eve)
    answer = client.post(address(candidate, "approve"), {"reason": ""})
    assert answer.status_code == 422
    assert "The gate has not passed" in answer.content.decode()
    assert not Approval.objects.exists()


def test_an_approval_is_kept_with_its_reason(
    client: Client, eve: User, candidate: PromptVersion
) -> None:
    client.force_login(eve)
    answer = client.post(address(candidate, "approve"), {"reason": "Read it twice."}, follow=True)
    assert answer.status_code == 200
    assert "Read it twice." in answer.content.decode()
    assert AuditEntry.objects.get(verb="registry.version_approved").actor == eve


def test_the_author_is_offered_no_approval_and_gets_none(
    client: Client, eve: User, live: Release
) -> None:
    own = factories.make_version(live.version, actor=eve)
    shown = page(client, eve, own)
    assert "act-approve" not in shown
    assert "the author: may not approve" in shown
    assert client.post(address(own, "approve"), {"reason": "Mine."}).status_code == 403


def test_an_approved_version_becomes_a_canary(
    client: Client, eve: User, candidate: PromptVersion, live: Release
) -> None:
    approve(candidate)
    client.force_login(eve)
    form = {"environment": live.environment_id, "share": "25", "reason": "Try it."}
    assert client.post(address(candidate, "start_canary"), form).status_code == 302
    canary = Release.objects.get(version=candidate)
    assert (canary.state, canary.share, canary.started_by) == (ReleaseState.CANARY, 0.25, eve)
    assert AuditEntry.objects.get(verb="registry.canary_started").after["share"] == 0.25


@pytest.mark.parametrize(
    ("field", "value"), [("share", "0"), ("share", "100"), ("reason", " "), ("environment", "0")]
)
def test_a_canary_form_names_the_field_and_keeps_the_rest(
    client: Client, eve: User, candidate: PromptVersion, live: Release, field: str, value: str
) -> None:
    approve(candidate)
    client.force_login(eve)
    form = {"environment": live.environment_id, "share": "25", "reason": "Try it."}
    answer = client.post(address(candidate, "start_canary"), form | {field: value})
    assert answer.status_code == 422
    assert f'id="canary_{field}_error"' in answer.content.decode()
    assert not Release.objects.filter(version=candidate).exists()


def test_an_environment_of_another_project_is_refused(
    client: Client, eve: User, prompt_version: PromptVersion, cy: User
) -> None:
    foreign = Environment.objects.get(project__membership__user=cy)
    client.force_login(eve)
    form = {"environment": foreign.pk, "reason": "Sneak."}
    assert client.post(address(prompt_version, "go_live"), form).status_code == 422
    assert not Release.objects.exists()


def test_without_an_approval_nothing_replaces_what_is_live(
    client: Client, eve: User, candidate: PromptVersion, live: Release
) -> None:
    assert "act-live" not in page(client, eve, candidate)
    form = {"environment": live.environment_id, "reason": "Now."}
    back = f"http://testserver{address(candidate)}"
    answer = client.post(
        address(candidate, "go_live"), form, headers={"referer": back}, follow=True
    )
    assert "needs an approval first" in answer.content.decode()
    assert Release.objects.get(state=ReleaseState.LIVE) == live


def test_the_first_version_goes_live_from_its_page(
    client: Client, eve: User, prompt_version: PromptVersion, environment: Environment
) -> None:
    assert "act-live" in page(client, eve, prompt_version)
    form = {"environment": environment.pk, "reason": "First."}
    assert client.post(address(prompt_version, "go_live"), form).status_code == 302
    assert Release.objects.get(version=prompt_version).state == ReleaseState.LIVE


def test_without_script_a_link_opens_the_form_in_the_page(
    client: Client, eve: User, candidate: PromptVersion
) -> None:
    shown = page(client, eve, candidate, "?act=approve")
    assert '<form class="panel__body form" method="post"' in shown
    assert 'id="act-approve"' not in shown


def test_more_evidence_costs_no_more_statements(client: Client, eve: User, live: Release) -> None:
    client.force_login(eve)
    counts = []
    for many in (1, 8):
        proofs = [make_evidence(live.version) for _ in range(many)]
        cited = [(proof, "style", "tone", f"Because {proof.pk}.") for proof in proofs]
        version = prompts.add_version(
            prompt=live.prompt,
            blocks=[
                prompts.Block(**{**block, "text": f"{block['text']} {many}"})
                for block in live.version.blocks
            ],
            citations=cited,
            actor=SYSTEM,
        )
        held_gate(version, outcomes(2, 0, 20))
        counts.append(_statements(client, address(version)))
    assert counts[0] == counts[1]
    assert counts[0] <= 22


def _statements(client: Client, url: str) -> int:
    with CaptureQueriesContext(connection) as caught:
        assert client.get(url).status_code == 200
    return len(caught)
