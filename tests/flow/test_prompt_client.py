"""The one-file client against the real API over real HTTP."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from pytest_django.live_server_helper import LiveServer

from core.access import SYSTEM
from registry import release
from registry.client import Client
from tests import factories
from tests.registry.facts import approve

pytestmark = pytest.mark.django_db(transaction=True)


def until(true: Callable[[], bool]) -> float:
    """Seconds until it is true; at most five."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < 5, "it did not become true in five seconds"
        time.sleep(0.01)
    return time.monotonic() - began


def test_a_roll_back_reaches_the_application_within_the_time_to_live(
    live_server: LiveServer,
) -> None:
    first = factories.make_prompt(factories.make_project(), "answer")
    environment = factories.make_environment(first.prompt.project)
    live = release.go_live(version=first, environment=environment, reason="x", actor=SYSTEM)
    second = factories.make_version(first, "Be very brief.")
    approve(second)
    canary = release.start_canary(
        version=second, environment=environment, share=0.5, reason="x", actor=SYSTEM
    )
    client = Client(live_server.url, factories.make_key(environment).text, ttl=0.2, timeout=10)
    users = [f"user{number}" for number in range(40)]
    got = [client.get("answer", key=user) for user in users]
    assert {(prompt.version, prompt.arm, prompt.release) for prompt in got} == {
        (2, "canary", canary.pk),
        (1, "control", canary.pk),
    }
    drawn = next(prompt.key for prompt in got if prompt.arm == "canary")
    assert (
        "Be very brief."
        in client.get("answer", key=drawn).compile(bank="Harbour", question="Fees?")[0]["content"]
    )
    release.roll_back(release=canary, reason="worse", actor=SYSTEM)
    assert until(lambda: client.get("answer", key=drawn).version == 1) < 2
    assert client.get("answer", key=drawn).release == live.pk
