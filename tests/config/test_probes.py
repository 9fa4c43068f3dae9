"""What a load balancer and Prometheus are told."""

from __future__ import annotations

from unittest.mock import patch

import pytest
from django.db import OperationalError, connection
from django.test import Client
from pytest_django import Settings

from core.metrics import Sample, exposition
from core.models import Environment
from tests.traces import queued, send

pytestmark = pytest.mark.django_db


def test_a_living_process_says_so_without_asking_anybody(client: Client) -> None:
    with patch.object(connection, "cursor", side_effect=OperationalError):
        assert client.get("/healthz").status_code == 200


def test_ready_means_that_the_database_answers(client: Client) -> None:
    assert client.get("/readyz").json() == {"database": "ok", "redis": "ok"}
    with patch.object(connection, "cursor", side_effect=OperationalError):
        answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["database"]) == (503, "does not answer")


def test_without_redis_work_goes_on(client: Client) -> None:
    with patch("config.probes.cache.get", side_effect=ConnectionError):
        answer = client.get("/readyz")
    assert answer.status_code == 200
    assert "next sweep" in answer.json()["redis"]


def test_metrics_count_what_waits(
    client: Client, environment: Environment, settings: Settings
) -> None:
    settings.DEBUG = True
    queued(environment, 3)
    send(environment)
    text = client.get("/metrics").content.decode()
    slug = environment.project.slug
    assert f'whetstone_items_waiting{{project="{slug}",tier="low"}} 3' in text
    assert 'whetstone_traces_pending{stage="settled"} 1' in text


def test_metrics_need_their_token(client: Client, settings: Settings) -> None:
    settings.DEBUG = False
    assert client.get("/metrics").status_code == 403
    settings.METRICS_TOKEN = "a token"
    assert client.get("/metrics", headers={"Authorization": "Bearer b"}).status_code == 403
    good = client.get("/metrics", headers={"Authorization": "Bearer a token"})
    assert good.status_code == 200


def test_the_text_format_groups_and_escapes() -> None:
    text = exposition(
        [
            Sample("b", "B.", {}, 1),
            Sample("a", "A.", {"x": 'q"\n\\'}, 2.5),
            Sample("b", "B.", {}, 3),
        ]
    )
    assert text == (
        '# HELP a A.\n# TYPE a gauge\na{x="q\\"\\n\\\\"} 2.5\n'
        "# HELP b B.\n# TYPE b gauge\nb 1\nb 3\n"
    )
