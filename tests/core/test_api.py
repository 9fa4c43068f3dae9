"""The door frame of the API: what is too much or cannot be kept is the sender's to mend."""

from __future__ import annotations

import pytest
from django.test import Client, override_settings

from core.models import Environment
from tests import factories

LONG = "x" * 3_000_000


@pytest.fixture
def key(environment: Environment) -> str:
    return factories.make_key(environment, ["ingest", "read"]).text


@override_settings(REST_MAX_BYTES=1_000)
def test_a_body_is_not_read_beyond_the_limit(client: Client, key: str) -> None:
    answer = client.post(
        "/api/v1/traces",
        data='{"output": "' + "x" * 1_000 + '"}',
        content_type="application/json",
        headers={"X-API-Key": key},
    )
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_a_form_may_be_shorter_than_what_a_key_may_send(client: Client, key: str) -> None:
    assert client.post("/sign-in/", {"username": LONG}).status_code == 400
    answer = client.post(
        "/api/v1/traces",
        data={"trace_id": "long", "output": LONG},
        content_type="application/json",
        headers={"X-API-Key": key},
    )
    assert answer.status_code < 300, answer.content


def test_what_the_database_cannot_hold_is_not_called_its_fault(client: Client, key: str) -> None:
    answer = client.get("/api/v1/traces/%00/decision", headers={"X-API-Key": key})
    assert answer.status_code == 400
    assert "Retry-After" not in answer
