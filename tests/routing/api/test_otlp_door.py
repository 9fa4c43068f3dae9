"""The OTLP receiver over HTTP: what clients get back, and what is kept."""

from __future__ import annotations

import base64
import gzip
import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest
from django.db import DataError, OperationalError, connection
from django.test import Client

from core.access import SYSTEM
from core.keys import revoke_key
from core.models import Environment
from routing.models import Span, Trace
from tests import factories

BODY = json.dumps(
    {
        "resourceSpans": [
            {
                "scopeSpans": [
                    {
                        "spans": [
                            {
                                "traceId": "5b8efff798038103d269b633813fc60c",
                                "spanId": "eee19b7ec3c1b174",
                                "name": "answer",
                                "startTimeUnixNano": "1760000000000000000",
                                "endTimeUnixNano": "1760000001000000000",
                            }
                        ]
                    }
                ]
            }
        ]
    }
).encode()


@pytest.fixture
def key(environment: Environment) -> str:
    return factories.make_key(environment, ["ingest"]).text


def post(client: Client, key: str, body: bytes = BODY, path: str = "/v1/traces", **headers: str):  # type: ignore[no-untyped-def]
    media = headers.pop("content_type", "application/json")
    sent = {"Authorization": f"Bearer {key}", "Content-Type": media, **headers}
    return client.post(path, data=body, content_type=media, headers=sent)


def test_spans_are_stored_and_answered_in_kind(client: Client, key: str) -> None:
    answer = post(client, key)
    assert (answer.status_code, answer.content, answer["Content-Type"]) == (
        200,
        b"{}",
        "application/json",
    )
    assert Trace.objects.get().trace_id == "5b8efff798038103d269b633813fc60c"


def test_the_same_batch_twice_changes_no_count(client: Client, key: str) -> None:
    for _ in range(2):
        post(client, key)
    assert (Trace.objects.count(), Span.objects.count()) == (1, 1)


def test_gzip_is_read(client: Client, key: str) -> None:
    assert (
        post(client, key, gzip.compress(BODY, mtime=0), **{"Content-Encoding": "gzip"}).status_code
        == 200
    )
    assert Span.objects.count() == 1


@pytest.mark.parametrize("scheme", ["bearer {}", "Basic {}"])
def test_keys_are_taken_in_several_ways(client: Client, key: str, scheme: str) -> None:
    text = key if "earer" in scheme else base64.b64encode(f"public:{key}".encode()).decode()
    answer = client.post(
        "/v1/traces",
        data=BODY,
        content_type="application/json",
        headers={"Authorization": scheme.format(text)},
    )
    assert answer.status_code == 200


def test_without_a_good_key_nothing_is_kept(
    client: Client, environment: Environment, key: str
) -> None:
    reader = factories.make_key(environment, ["read"]).text
    answers = [post(client, text) for text in ("", "wsk_x_y_z", key + "x", reader)]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 403]
    assert answers[0]["WWW-Authenticate"] == "Bearer"
    assert not Trace.objects.exists()


def test_a_revoked_key_is_refused_at_once(client: Client, environment: Environment) -> None:
    made = factories.make_key(environment, ["ingest"])
    assert post(client, made.text).status_code == 200
    revoke_key(key=made.key, actor=SYSTEM)
    assert post(client, made.text).status_code == 401


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{not json", {}, 400),
        (BODY, {"content_type": "text/plain"}, 415),
        (BODY, {"Content-Encoding": "br"}, 415),
        (b"\x1f\x8bgarbage", {"Content-Encoding": "gzip"}, 400),
        (gzip.compress(b" " * 30_000_000, mtime=0), {"Content-Encoding": "gzip"}, 413),
        (b"", {}, 200),
    ],
)
def test_what_cannot_be_read_is_told_apart(
    client: Client, key: str, body: bytes, headers: dict[str, str], status: int
) -> None:
    assert post(client, key, body, **headers).status_code == status


def test_a_fault_of_the_database_asks_for_the_batch_again(client: Client, key: str) -> None:
    with patch("routing.api.otlp.store_spans", side_effect=OperationalError("gone")):
        answer = post(client, key)
    assert (answer.status_code, answer["Retry-After"]) == (503, "2")


def test_a_value_that_no_column_takes_is_not_asked_for_again(client: Client, key: str) -> None:
    with patch("routing.api.otlp.store_spans", side_effect=DataError("out of range")):
        answer = post(client, key)
    assert answer.status_code == 400
    assert "Retry-After" not in answer


def test_metrics_are_taken_and_dropped(client: Client, key: str) -> None:
    assert post(client, key, b"{}", "/v1/metrics").status_code == 200


def test_chunked_where_the_server_hides_it_is_not_lost_behind_a_200(
    client: Client, key: str
) -> None:
    assert post(client, key, b"", **{"Transfer-Encoding": "chunked"}).status_code == 411


@pytest.fixture
def gunicorn(tmp_path: Path) -> Iterator[int]:
    """A real server on the test database."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    name = connection.settings_dict["NAME"]
    url = os.environ["DATABASE_URL"]
    head, _, query = url.partition("?")
    served = f"{head.rpartition('/')[0]}/{name}?{query}"
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "config.wsgi:application", "-k", "gthread",
         "--threads", "2", "-b", f"127.0.0.1:{port}", "--worker-tmp-dir", str(tmp_path)],
        env={**os.environ, "DATABASE_URL": served},
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.1)
    yield port
    process.terminate()
    process.wait(10)


@pytest.mark.django_db(transaction=True)
def test_a_real_server_takes_a_chunked_body_whole(gunicorn: int, environment: Environment) -> None:
    key = factories.make_key(environment, ["ingest"]).text
    door = http.client.HTTPConnection("127.0.0.1", gunicorn, timeout=20)
    pieces = (BODY[start : start + 100] for start in range(0, len(BODY), 100))
    door.request(
        "POST",
        "/v1/traces",
        body=pieces,
        headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
        encode_chunked=True,
    )
    assert door.getresponse().status == 200
    door.close()
    assert Trace.objects.get().trace_id == "5b8efff798038103d269b633813fc60c"
