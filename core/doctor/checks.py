"""What a check says, and how many are asked one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from django.db import DatabaseError


class State(StrEnum):
    """In the order of alarm."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


class Check(NamedTuple):
    """What was looked at, how it is, a sentence with the facts, and what to do where it is bad."""

    name: str
    state: State
    sentence: str
    what_to_do: str = ""


Probe: TypeAlias = Callable[[], Check]


def examine(probes: Iterable[tuple[str, Probe]]) -> list[Check]:
    """Every probe is asked, whatever the ones before it found.

    One that the database will not answer is a fail under its own name: unknown is not sound.
    """
    return [_ask(name, probe) for name, probe in probes]


def worst(checks: Iterable[Check]) -> State:
    """The most alarming state; ok where there is nothing."""
    order = list(State)
    return max((check.state for check in checks), key=order.index, default=State.OK)


def first_line(error: BaseException) -> str:
    """What an error says, in one line; its name where it says nothing."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _ask(name: str, probe: Probe) -> Check:
    try:
        return probe()
    except DatabaseError as error:
        sentence = f"Could not be examined: {first_line(error)}"
        advice = "See the checks of the database and of its migrations first."
        return Check(name, State.FAIL, sentence, advice)
