"""Traces over REST: strict, idempotent, and open about what was decided."""

from __future__ import annotations

import base64
from unittest.mock import patch

import pytest
from django.db import OperationalError
from django.test import Client

from core.models import Environment, Project
from routing.models import Payload, Trace
from tests import factories
from tests.traces import run

ONE = {
    "trace_id": "req-1",
    "output": "Cards are blocked in the app.",
    "messages": [{"role": "user", "content": "How do I block my card?"}],
    "user": "u-1",
    "latency_ms": 840,
}


@pytest.fixture
def key(environment: Environment) -> str:
    return factories.make_key(environment, ["ingest", "read"]).text


def post(client: Client, key: str, body: object):  # type: ignore[no-untyped-def]
    return client.post(
        "/api/v1/traces", data=body, content_type="application/json", headers={"X-API-Key": key}
    )


def test_one_trace_is_stored_whole(client: Client, key: str) -> None:
    answer = post(client, key, ONE)
    assert (answer.status_code, answer.json()) == (202, {"created": ["req-1"], "duplicates": 0})
    row = Trace.objects.get()
    assert (row.trace_id, row.user, row.latency_ms) == ("req-1", "u-1", 840)
    assert Payload.objects.get().content["messages"][0]["content"] == "How do I block my card?"


def test_a_batch_sent_twice_is_stored_once(client: Client, key: str) -> None:
    batch = {"traces": [ONE, ONE | {"trace_id": "req-2"}]}
    assert post(client, key, batch).json()["duplicates"] == 0
    assert post(client, key, batch).json() == {"created": [], "duplicates": 2}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "traces"),
        (ONE | {"latency_ms": "slow"}, "traces"),
        ({"traces": []}, "traces"),
        ({"traces": [{"output": "x"}]}, "traces"),
    ],
)
def test_a_bad_field_is_named(client: Client, key: str, body: object, field: str) -> None:
    answer = post(client, key, body)
    assert answer.status_code == 400
    assert field in answer.json()["fields"]
    assert not Trace.objects.exists()


@pytest.mark.parametrize("body", ["[1, 2", '{"output": NaN}', '{"output": "\\u0000"}', "[]", "7"])
def test_what_is_not_a_trace_is_refused(client: Client, key: str, body: str) -> None:
    assert post(client, key, body).status_code == 400


def test_without_a_key_there_is_no_door(client: Client) -> None:
    answer = post(client, "", ONE)
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")


def test_a_fault_of_the_database_is_a_503(client: Client, key: str) -> None:
    with patch("routing.api.traces.ingest", side_effect=OperationalError("gone")):
        answer = post(client, key, ONE)
    assert (answer.status_code, answer["Retry-After"]) == (503, "2")


def test_the_application_learns_what_was_decided(client: Client, key: str) -> None:
    post(client, key, ONE)
    url = "/api/v1/traces/req-1/decision"
    assert client.get(url, headers={"X-API-Key": key}).json()["state"] == "pending"
    run()
    found = client.get(url, headers={"X-API-Key": key}).json()
    assert (found["state"], found["action"], found["review"]["state"]) == (
        "decided",
        "review",
        "open",
    )


def test_another_projects_key_finds_nothing(client: Client, key: str, elsewhere: Project) -> None:
    post(client, key, ONE)
    foreign = factories.make_key(factories.make_environment(elsewhere), ["read"]).text
    answer = client.get("/api/v1/traces/req-1/decision", headers={"X-API-Key": foreign})
    assert answer.status_code == 404


@pytest.mark.parametrize(
    "facts",
    [
        {"tokens_in": 3_000_000_000},
        {"tokens_out": 2**70},
        {"cost_usd": 1e9},
        {"cost_usd": 1e300},
        {"cost_usd": "NaN"},
        {"latency_ms": "Infinity"},
        {"started_at": "0001-01-01T00:00:00Z"},
        {"started_at": "9999-12-31T23:59:59Z"},
    ],
)
def test_numbers_and_times_out_of_range_are_named_and_not_called_our_fault(
    client: Client, key: str, facts: dict[str, object]
) -> None:
    answer = post(client, key, ONE | facts)
    assert answer.status_code == 400
    assert next(iter(facts)) in str(answer.json()["fields"])


@pytest.mark.django_db
def test_a_key_that_no_database_can_look_up_is_an_unknown_key(client: Client) -> None:
    basic = base64.b64encode(b"user:wsk_production_\x00_secret").decode()
    answer = client.post(
        "/api/v1/traces",
        data=ONE,
        content_type="application/json",
        headers={"Authorization": f"Basic {basic}"},
    )
    assert answer.status_code == 401
