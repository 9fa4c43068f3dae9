"""Transactions and bells: `command` opens, `step` must be inside, `slow` must be outside."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from celery import Task
from django.db import connection, transaction

P = ParamSpec("P")
R = TypeVar("R")

log = logging.getLogger(__name__)
_command: ContextVar[str] = ContextVar("whetstone_command", default="")


class WrongPlace(RuntimeError):
    """A verb was called on the wrong side of a transaction: a fault of the caller."""


class IllegalTransition(Exception):
    """The row is not in the state that the verb starts from. Doors answer 409."""


@contextmanager
def opened(name: str) -> Iterator[None]:
    """The transaction of a command. The context variable carries the rule, not
    `in_atomic_block`, so that it bites in tests too, which run inside a transaction."""
    if outer := _command.get():
        raise WrongPlace(f"{name} opens its own transaction and was called inside {outer}")
    token = _command.set(name)
    try:
        with transaction.atomic(durable=True):
            yield
    finally:
        _command.reset(token)


def command(function: Callable[P, R]) -> Callable[P, R]:
    """A verb that a door calls: it opens the transaction; nesting one in another raises."""

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        with opened(f"{function.__module__}.{function.__qualname__}"):
            return function(*args, **kwargs)

    return run


def step(function: Callable[P, R]) -> Callable[P, R]:
    """A verb that a command calls: outside one it raises."""

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        if not _command.get():
            raise WrongPlace(f"{function.__module__}.{function.__qualname__} needs a command")
        return function(*args, **kwargs)

    return run


def slow(function: Callable[P, R]) -> Callable[P, R]:
    """A verb that waits for somebody else (model, webhook): inside a command it raises."""

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        if outer := _command.get():
            raise WrongPlace(f"{function.__qualname__} waits and was called inside {outer}")
        return function(*args, **kwargs)

    return run


class Deafness:
    """After a bell that nobody heard, the next ones are not tried for a while: with a broker that
    does not even refuse, each would cost a person the time-out."""

    SECONDS = 5.0

    def __init__(self) -> None:
        self.until = 0.0

    def __bool__(self) -> bool:
        return time.monotonic() < self.until

    def begin(self) -> None:
        self.until = time.monotonic() + self.SECONDS


deafness = Deafness()


def ring(task: Task[Any, Any], *args: Any) -> None:
    """Ring `task` after the commit. Never raises: with the broker down the sweep finds the work."""

    def deliver() -> None:
        if deafness:
            return
        try:
            task.apply_async(args=args)
        except Exception:  # noqa: BLE001 - whatever the broker does, the row is saved
            deafness.begin()
            log.warning("bell %s was not heard; the sweep will find the work", task.name)

    transaction.on_commit(deliver)


def lock_timeout(milliseconds: int) -> None:
    """How long this transaction waits for a row lock before it gives up."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{milliseconds}ms"])


def append_only(table: str, redactable: tuple[str, ...] = ()) -> tuple[str, str]:
    """SQL (forward, backward) of the trigger that refuses DELETE and every UPDATE of `table`
    except of its `redactable` columns. For migrations."""
    allowed = " ".join(f"- '{column}'" for column in redactable)
    forward = f"""
        CREATE FUNCTION {table}_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'UPDATE' AND (to_jsonb(NEW) {allowed}) = (to_jsonb(OLD) {allowed}) THEN
                RETURN NEW;
            END IF;
            RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
        END $$;
        CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}
        FOR EACH ROW EXECUTE FUNCTION {table}_append_only();
    """
    backward = f"DROP TRIGGER {table}_append_only ON {table}; DROP FUNCTION {table}_append_only();"
    return forward, backward
