"""The command that examines an installation."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from annotation import pending
from annotation.management.commands import doctor
from core.doctor import PROBES, Check, State

pytestmark = pytest.mark.django_db


def call(*words: str) -> str:
    out = StringIO()
    call_command("doctor", *words, stdout=out)
    return out.getvalue()


def test_every_check_is_in_the_table_with_what_to_do(settings: Settings) -> None:
    settings.DEBUG = True
    text = call()
    for name, _ in [*PROBES, *pending.probes()]:
        assert name in text
    assert "-> Start `celery -A config worker" in text


def test_programs_get_json(settings: Settings) -> None:
    settings.DEBUG = True
    found = json.loads(call("--json"))
    names = [name for name, _ in [*PROBES, *pending.probes()]]
    assert [check["name"] for check in found["checks"]] == names
    assert found["state"] == "warn"
    assert set(found["checks"][0]) == {"name", "state", "sentence", "what_to_do"}


@pytest.mark.parametrize("words", [[], ["--json"]])
def test_a_fail_is_named_and_ends_with_1(settings: Settings, words: list[str]) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    with pytest.raises(CommandError, match="redis") as raised:
        call(*words)
    assert raised.value.returncode == 1


def test_brackets_of_an_error_are_no_markup(monkeypatch: pytest.MonkeyPatch) -> None:
    check = Check("hosts", State.WARN, "Look at [::1] and [red].")
    monkeypatch.setattr(doctor, "examine", lambda probes: [check])
    assert "Look at [::1] and [red]." in call()
