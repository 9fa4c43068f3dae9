"""The door frame of the API: what is too much or cannot be kept is the sender's to mend."""

from __future__ import annotations

import pytest
from django.test import Client, override_settings

from core.models import Environment
from tests import factories


@pytest.fixture
def key(environment: Environment) -> str:
    return factories.make_key(environment, ["ingest", "read"]).text


@override_settings(DATA_UPLOAD_MAX_MEMORY_SIZE=1_000)
def test_a_body_is_not_read_beyond_the_limit(client: Client, key: str) -> None:
    answer = client.post(
        "/api/v1/traces",
        data='{"output": "' + "x" * 1_000 + '"}',
        content_type="application/json",
        headers={"X-API-Key": key},
    )
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_what_the_database_cannot_hold_is_not_called_its_fault(client: Client, key: str) -> None:
    answer = client.get("/api/v1/traces/%00/decision", headers={"X-API-Key": key})
    assert answer.status_code == 400
    assert "Retry-After" not in answer
