from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from core import keys
from core.access import SYSTEM
from core.models import Environment, Project
from registry import prompts, release, serving
from registry.models import Release
from tests import factories
from tests.registry.facts import approve


@pytest.fixture
def live(project: Project, environment: Environment) -> Release:
    version = factories.make_prompt(project, "answer")
    return release.go_live(version=version, environment=environment, reason="x", actor=SYSTEM)


@pytest.fixture
def canary(live: Release) -> Release:
    version = factories.make_version(live.version)
    approve(version)
    return release.start_canary(
        version=version, environment=live.environment, share=0.4, reason="try", actor=SYSTEM
    )


@pytest.fixture
def asker(environment: Environment) -> Client:
    text = factories.make_key(environment).text
    return Client(headers={"Authorization": f"Bearer {text}"})


def fetch(client: Client, query: str = "", **headers: str) -> Any:
    return client.get(f"/api/v1/prompts/answer{query}", headers=headers)


def test_the_live_version_is_answered_whole(asker: Client, live: Release) -> None:
    answer = fetch(asker, "?key=anna")
    assert answer.status_code == 200
    body = answer.json()
    assert body["messages"] == prompts.messages_of(live.version)
    assert [block["key"] for block in body["blocks"]] == ["role", "guardrails", "style", "question"]
    shown = {name: body[name] for name in ("name", "version", "model", "params", "release", "arm")}
    assert shown == {
        "name": "answer",
        "version": 1,
        "model": "tiny-1",
        "params": {"temperature": 0.2},
        "release": live.pk,
        "arm": "",
    }
    assert (body["digest"], body["variables"]) == (live.version.digest, ["bank", "question"])


def test_a_key_gets_the_arm_it_was_drawn_into(
    asker: Client, canary: Release, live: Release
) -> None:
    found = serving.serving(live.prompt, live.environment)
    assert found is not None
    for number in range(20):
        due = found.resolve(f"user{number}")
        body = fetch(asker, f"?key=user{number}").json()
        assert (body["version"], body["arm"], body["bucket"], body["release"]) == (
            due.version.number,
            due.arm,
            due.bucket,
            canary.pk,
        )


def test_what_has_not_changed_is_not_sent_again(asker: Client, live: Release) -> None:
    first = fetch(asker)
    assert first["Cache-Control"] == "private, no-cache"
    again = fetch(asker, **{"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    weak = fetch(asker, **{"If-None-Match": f'"other", W/{first["ETag"]}'})
    assert weak.status_code == 304


def test_a_change_of_what_is_served_changes_the_tag(asker: Client, live: Release) -> None:
    tag = fetch(asker)["ETag"]
    version = factories.make_version(live.version)
    approve(version)
    release.go_live(version=version, environment=live.environment, reason="x", actor=SYSTEM)
    answer = fetch(asker, **{"If-None-Match": tag})
    assert (answer.status_code, answer.json()["version"]) == (200, 2)


def test_a_pinned_version_is_answered_for_ever(asker: Client, live: Release) -> None:
    draft = factories.make_version(live.version)
    answer = fetch(asker, f"?version={draft.number}&key=anna")
    assert answer.json()["digest"] == draft.digest
    assert (answer.json()["release"], answer.json()["arm"]) == (None, "")
    assert "immutable" in answer["Cache-Control"]


@pytest.mark.parametrize(
    ("query", "status", "field"),
    [
        ("?version=99", 404, None),
        ("?version=nine", 400, "version"),
        ("?version=0", 400, "version"),
        ("?environment=staging", 400, "environment"),
        (f"?key={'x' * 201}", 400, "key"),
    ],
)
def test_wrong_questions_are_answered_by_naming_the_field(
    asker: Client, live: Release, query: str, status: int, field: str | None
) -> None:
    answer = fetch(asker, query)
    assert answer.status_code == status
    assert list(answer.json()["fields"]) == ([field] if field else [])
    assert answer.json()["detail"]


def test_the_environment_is_that_of_the_api_key(project: Project, live: Release) -> None:
    staging = factories.make_environment(project, "staging")
    text = factories.make_key(staging).text
    answer = fetch(Client(headers={"X-API-Key": text}))
    assert answer.status_code == 404
    assert "Nothing of 'answer' is live in staging" in answer.json()["detail"]


def test_cy_cannot_tell_that_the_prompt_exists(elsewhere: Project, live: Release) -> None:
    text = factories.make_key(factories.make_environment(elsewhere)).text
    for path in ("", "/plan", "?version=1"):
        answer = fetch(Client(headers={"X-API-Key": text}), path)
        assert answer.status_code == 404
        assert answer.json()["detail"] == "There is no prompt 'answer'."


def test_without_a_key_nothing_is_answered(live: Release) -> None:
    assert fetch(Client()).status_code in {401, 403}
    assert fetch(Client(headers={"X-API-Key": "wsk_production_aa_bb"})).status_code == 401


def test_a_revoked_key_or_one_of_another_scope_is_refused(
    environment: Environment, live: Release
) -> None:
    ingest = factories.make_key(environment, ["ingest"])
    assert fetch(Client(headers={"X-API-Key": ingest.text})).status_code == 403
    key = factories.make_key(environment)
    keys.revoke_key(key=key.key, actor=SYSTEM)
    assert fetch(Client(headers={"X-API-Key": key.text})).status_code == 401


def test_a_plan_names_live_and_canary_with_share_and_salt(
    asker: Client, canary: Release, live: Release
) -> None:
    body = fetch(asker, "/plan").json()
    assert (body["live"]["version"], body["live"]["release"]) == (1, live.pk)
    assert (body["canary"]["version"], body["canary"]["share"]) == (2, 0.4)
    assert body["canary"]["salt"] == canary.salt
    release.roll_back(release=canary, reason="worse", actor=SYSTEM)
    assert fetch(asker, "/plan").json()["canary"] is None


def test_a_fetch_costs_few_queries(
    asker: Client, canary: Release, django_assert_max_num_queries
) -> None:
    fetch(asker, "?key=anna")
    with django_assert_max_num_queries(3):
        fetch(asker, "?key=anna")
