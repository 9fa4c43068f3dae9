from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from core.access import SYSTEM
from core.models import AuditEntry, Environment, User
from registry import release
from registry.models import PromptVersion, Release
from registry.models.release import ReleaseState
from tests import factories
from tests.registry.facts import approve, push


@pytest.fixture
def live(prompt_version: PromptVersion, environment: Environment) -> Release:
    return release.go_live(
        version=prompt_version, environment=environment, reason="first", actor=SYSTEM
    )


@pytest.fixture
def canary(live: Release) -> Release:
    version = factories.make_version(live.version)
    approve(version)
    return release.start_canary(
        version=version, environment=live.environment, share=0.1, reason="try it", actor=SYSTEM
    )


def address(row: Release, name: str = "release") -> str:
    return reverse(name, args=[row.prompt.project.slug, row.pk])


def page(client: Client, person: User, row: Release) -> str:
    client.force_login(person)
    return client.get(address(row)).content.decode()


def state(row: Release) -> str:
    return Release.objects.get(pk=row.pk).state


def test_rates_stand_with_their_interval_and_n(client: Client, eve: User, canary: Release) -> None:
    push(canary, "canary", [True] * 3 + [False] * 17)
    push(canary, "control", [True] * 10 + [False] * 190)
    shown = page(client, eve, canary)
    assert "15.0\u202f%" in shown
    assert "5.2–36.0\u202f%" in shown
    assert "n = 20" in shown
    assert "n = 200" in shown


def test_too_few_outcomes_show_no_rate(client: Client, eve: User, canary: Release) -> None:
    push(canary, "canary", [True, False, False], source="human")
    shown = page(client, eve, canary)
    assert "not enough yet (n=3)" in shown
    assert "33.3" not in shown


def test_the_evidence_stands_against_its_thresholds(
    client: Client, eve: User, canary: Release
) -> None:
    push(canary, "canary", [False] * 10)
    push(canary, "control", [True] * 5 + [False] * 5)
    release.judge_canaries()
    shown = page(client, eve, canary)
    assert "Not decided; the judge says: 0 of 10 defective against 5 of 10." in shown
    assert "of 200" in shown
    assert "of 20<" in shown


def test_a_reviewer_does_not_see_how_a_running_canary_does(
    client: Client, ann: User, eve: User, canary: Release
) -> None:
    push(canary, "canary", [True] * 20)
    kept = page(client, ann, canary)
    assert "Kept from reviewers while it runs" in kept
    assert "100.0" not in kept
    release.roll_back(release=canary, reason="enough", actor=SYSTEM)
    assert "100.0" in page(client, ann, canary)


def test_a_canary_is_promoted_with_a_reason(client: Client, eve: User, canary: Release) -> None:
    client.force_login(eve)
    answer = client.post(address(canary, "promote"), {"reason": "Good enough."}, follow=True)
    assert "Good enough." in answer.content.decode()
    assert state(canary) == ReleaseState.LIVE
    entry = AuditEntry.objects.get(verb="registry.release_promoted")
    assert (entry.actor, entry.after["reason"]) == (eve, "Good enough.")


def test_a_canary_is_rolled_back_with_a_reason(
    client: Client, eve: User, canary: Release, live: Release
) -> None:
    client.force_login(eve)
    answer = client.post(address(canary, "roll_back"), {"reason": "Too bold."}, follow=True)
    assert "Rolled back." in answer.content.decode()
    assert (state(canary), state(live)) == (ReleaseState.ROLLED_BACK, ReleaseState.LIVE)
    assert AuditEntry.objects.get(verb="registry.release_rolled_back").actor == eve


@pytest.mark.parametrize("door", ["promote", "roll_back"])
@pytest.mark.parametrize("reason", ["", "  \n"])
def test_without_a_reason_nothing_happens(
    client: Client, eve: User, canary: Release, door: str, reason: str
) -> None:
    client.force_login(eve)
    answer = client.post(address(canary, door), {"reason": reason})
    assert answer.status_code == 422
    assert "This field is required." in answer.content.decode()
    assert state(canary) == ReleaseState.CANARY


def test_what_has_ended_meanwhile_is_said(client: Client, eve: User, canary: Release) -> None:
    release.roll_back(release=canary, reason="first", actor=SYSTEM)
    client.force_login(eve)
    answer = client.post(address(canary, "promote"), {"reason": "Too late."})
    assert answer.status_code == 409
    assert "not a running canary any more" in answer.content.decode()


def test_a_live_release_without_canary_says_so(client: Client, eve: User, live: Release) -> None:
    assert "It went live without a canary" in page(client, eve, live)


def test_the_timeline_tells_who_and_why(
    client: Client, eve: User, canary: Release, live: Release
) -> None:
    release.promote(release=canary, reason="fine", actor=eve)
    now = release.roll_back(
        release=Release.objects.get(pk=canary.pk), reason="not fine", actor=SYSTEM
    )
    shown = page(client, eve, canary)
    told = [
        shown.index(words)
        for words in ("was rolled back in", "was promoted to live", "started as a canary")
    ]
    assert told == sorted(told)
    assert "by Whetstone" in shown
    assert "This version went live again in production" in page(client, eve, now)


def test_the_list_shows_live_and_canary_of_every_place(
    client: Client, eve: User, canary: Release, live: Release
) -> None:
    client.force_login(eve)
    shown = client.get(reverse("releases", args=[live.prompt.project.slug])).content.decode()
    assert address(live) in shown
    assert address(canary) in shown
    assert "started as a canary in production for 10\u202f% of users" in shown


def test_more_releases_cost_no_more_statements(
    client: Client, eve: User, live: Release, environment: Environment
) -> None:
    client.force_login(eve)
    url = reverse("releases", args=[live.prompt.project.slug])
    counts = []
    for many in (1, 4):
        for _ in range(many):
            version = factories.make_prompt(live.prompt.project)
            release.go_live(version=version, environment=environment, reason="on", actor=eve)
        with CaptureQueriesContext(connection) as caught:
            client.get(url)
        counts.append(len(caught))
    assert counts[0] == counts[1]
    assert counts[0] <= 9
