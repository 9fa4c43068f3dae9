"""The checks of settings."""

from __future__ import annotations

import secrets

import pytest
from django.test import Client
from pytest_django import Settings

from annotation.demo.simulator import Simulator
from core.doctor import setup
from core.models import User

GOOD = secrets.token_urlsafe(48)


def test_what_is_off_says_how_to_turn_it_on(settings: Settings) -> None:
    settings.OPENAI_API_KEY = settings.OPENAI_BASE_URL = ""
    settings.MODELS = {"task": "tiny", "judge": "", "optimizer": ""}
    found = setup.check_models()
    assert found.state == "warn"
    assert "JUDGE_MODEL" in found.sentence
    assert "OPENAI_API_KEY" in found.sentence


def test_models_that_are_configured_are_named(model: Simulator, settings: Settings) -> None:
    found = setup.check_models()
    assert found.state == "ok"
    assert settings.MODELS["judge"] in found.sentence


def test_debug_is_for_the_embedded_database(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DEBUG = True
    monkeypatch.setattr(setup, "is_embedded", lambda: True)
    assert setup.check_debug().state == "ok"
    monkeypatch.setattr(setup, "is_embedded", lambda: False)
    assert setup.check_debug().state == "warn"
    settings.DEBUG = False
    assert setup.check_debug().sentence == "Off."


@pytest.mark.parametrize(
    "key", ["short", "x" * 60, "django-insecure-" + GOOD], ids=["short", "plain", "insecure"]
)
def test_a_weak_key_fails_in_production(settings: Settings, key: str) -> None:
    settings.DEBUG = False
    settings.SECRET_KEY = key
    assert setup.check_secret_key().state == "fail"
    settings.DEBUG = True
    assert setup.check_secret_key().state == "warn"


def test_a_rotation_is_named_and_its_old_keys_are_weighed(settings: Settings) -> None:
    settings.DEBUG = False
    settings.SECRET_KEY = GOOD
    assert setup.check_secret_key().sentence == "Long and random."
    settings.SECRET_KEY_FALLBACKS = [GOOD[::-1]]
    assert "1 old key is still taken" in setup.check_secret_key().sentence
    settings.SECRET_KEY_FALLBACKS = ["short"]
    assert setup.check_secret_key().state == "fail"


@pytest.mark.django_db
def test_a_session_of_an_old_key_lives_on_while_it_is_a_fallback(
    client: Client, vi: User, settings: Settings
) -> None:
    client.force_login(vi)
    old, settings.SECRET_KEY = settings.SECRET_KEY, GOOD
    settings.SECRET_KEY_FALLBACKS = [old]
    assert client.get("/", follow=True).context["user"] == vi
    settings.SECRET_KEY_FALLBACKS = []
    settings.SECRET_KEY = GOOD[::-1]
    assert client.get("/", follow=True).context["user"].is_anonymous


@pytest.mark.parametrize(
    ("hosts", "https", "state", "words"),
    [
        ([], True, "fail", "empty"),
        (["*"], True, "warn", "every name"),
        (["w.example.com"], False, "warn", "HTTPS is off"),
        (["w.example.com"], True, "ok", "w.example.com over HTTPS"),
    ],
)
def test_hosts_in_production(
    settings: Settings, hosts: list[str], https: bool, state: str, words: str
) -> None:
    settings.DEBUG, settings.ALLOWED_HOSTS, settings.HTTPS = False, hosts, https
    found = setup.check_hosts()
    assert found.state == state
    assert words in found.sentence


def test_hosts_in_development(settings: Settings) -> None:
    settings.DEBUG, settings.ALLOWED_HOSTS = True, []
    assert setup.check_hosts().sentence == "Answers to this machine."
