"""Commands, steps, slow verbs and bells keep to their places."""

from __future__ import annotations

from unittest.mock import MagicMock

import pytest
from django.db import transaction
from pytest_django import DjangoCaptureOnCommitCallbacks

from core.db import Deafness, WrongPlace, command, ring, slow, step


@command
def opens() -> str:
    return adds()


@pytest.fixture(autouse=True)
def listening(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.db.deafness", Deafness())


@step
def adds() -> str:
    return "added"


@slow
def waits() -> str:
    return "answered"


@command
def nests() -> str:
    return opens()


@command
def waits_inside() -> str:
    return waits()


@pytest.mark.django_db
def test_a_step_runs_inside_a_command() -> None:
    assert opens() == "added"


def test_a_step_alone_is_refused() -> None:
    with pytest.raises(WrongPlace, match="needs a command"):
        adds()


@pytest.mark.django_db
def test_a_command_in_a_command_is_refused() -> None:
    with pytest.raises(WrongPlace, match="was called inside"):
        nests()


@pytest.mark.django_db
def test_a_slow_verb_in_a_command_is_refused() -> None:
    assert waits() == "answered"
    with pytest.raises(WrongPlace, match="waits"):
        waits_inside()


@pytest.mark.django_db
def test_a_refused_command_leaves_the_next_one_free() -> None:
    with pytest.raises(WrongPlace):
        nests()
    assert opens() == "added"


@pytest.mark.django_db(transaction=True)
def test_a_bell_rings_after_the_commit_and_not_after_a_roll_back() -> None:
    task = MagicMock()
    with transaction.atomic():
        ring(task, 7)
        task.apply_async.assert_not_called()
    task.apply_async.assert_called_once_with(args=(7,))
    with transaction.atomic():
        ring(task, 8)
        transaction.set_rollback(True)
    task.apply_async.assert_called_once()


@pytest.mark.django_db
def test_a_broker_that_is_down_fails_nobody(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    task = MagicMock(name="task")
    task.apply_async.side_effect = OSError("connection refused")
    with django_capture_on_commit_callbacks(execute=True):
        ring(task)
        ring(task)
    task.apply_async.assert_called_once()
