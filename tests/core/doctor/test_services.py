"""The checks of Redis, broker, workers and embedded servers."""

from __future__ import annotations

import os
from pathlib import Path

import psutil
import pytest
from pytest_django import Settings

from core.doctor import services
from core.embedded import redis_server
from core.embedded.folder import locked
from core.supervision import record
from tests.flow.stage import bells_to

NOWHERE = "redis://127.0.0.1:1/0"


def test_redis_and_broker_answer() -> None:
    assert services.check_redis().state == "ok"
    assert services.check_broker().state == "ok"


@pytest.mark.parametrize("url", [NOWHERE, "nonsense"])
def test_a_redis_that_does_not_answer_fails_and_nothing_is_lost(
    settings: Settings, url: str
) -> None:
    settings.REDIS_URL = url
    found = services.check_redis()
    assert found.state == "fail"
    assert "REDIS_URL" in found.what_to_do
    assert "Nothing is lost" in found.what_to_do


def test_a_broker_that_does_not_answer_fails() -> None:
    with bells_to(NOWHERE):
        assert services.check_broker().state == "fail"
        assert services.check_workers().state == "fail"


def test_without_workers_it_is_said_which_queues_nobody_serves() -> None:
    found = services.check_workers()
    assert found.state == "warn"
    assert found.sentence == "0 answered; nobody serves: celery, models."
    assert "--queues celery,models" in found.what_to_do


def test_every_queue_needs_a_worker() -> None:
    assert services.judge_workers(1, {"celery"}).state == "warn"
    assert services.judge_workers(2, {"celery", "models"}).state == "ok"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home that nothing runs in and that no URL names."""
    monkeypatch.setenv("WHETSTONE_HOME", str(tmp_path))
    return tmp_path


def test_where_no_embedded_server_runs_none_is_left_over(home: Path) -> None:
    assert services.check_embedded().sentence == "None runs, none is needed."
    assert not services.is_embedded()


@pytest.mark.parametrize("folder", [".", "test"])
def test_a_server_that_nobody_uses_is_left_over(home: Path, folder: str) -> None:
    where = home / folder
    with locked(where):
        redis_server.start(where)
    found = services.check_embedded()
    with locked(where):
        redis_server.stop(where)
    assert found.state == "warn"
    assert "Left over: Redis " in found.sentence
    assert "up --stop" in found.what_to_do


def test_a_server_that_we_use_is_none(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with locked(home):
        redis_server.start(home)
    monkeypatch.setenv("REDIS_URL", redis_server.url(home))
    found = services.check_embedded()
    with record.claimed(home):
        record.write(home, record.Record(os.getpid(), "http://127.0.0.1:8000/"))
        supervised = services.check_embedded()
    with locked(home):
        redis_server.stop(home)
    assert (found.state, supervised.state) == ("ok", "ok")
    assert "no `up` is running" in found.sentence
    assert "under http://127.0.0.1:8000/" in supervised.sentence


def test_a_server_without_a_pid_file_is_found(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "strays", lambda name, folder: [psutil.Process()])
    found = services.check_embedded()
    assert found.state == "warn"
    assert f"PostgreSQL {os.getpid()} of {home}, with no pid file" in found.sentence
