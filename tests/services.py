"""The database and Redis of the tests: real ones, started before Django's settings are read.

A pytest plugin (`-p tests.services`). `DATABASE_URL` and `REDIS_URL`, where set, are used instead.
They live apart from the demo's data, fast instead of safe, and end with the session.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from core import embedded


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests() -> Iterator[None]:
    """A wrapper: pytest-django reads the settings in the same hook, and must find the URLs set."""
    _supply()
    return (yield)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """The starter stops them, not a worker of pytest-xdist: that finds the URLs set."""
    if os.environ.get("WHETSTONE_TEST_SERVICES") == str(os.getpid()):
        embedded.stop(embedded.home())


def _supply() -> None:
    if os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL"):
        return
    home = embedded.home() / "test"
    os.environ["WHETSTONE_HOME"] = str(home)
    os.environ["WHETSTONE_THROWAWAY"] = "1"
    was_up = embedded.status(home).postgres is not None
    try:
        embedded.supply(os.environ)
    except embedded.EmbeddedError as error:
        raise pytest.UsageError(str(error)) from error
    if not was_up:
        os.environ["WHETSTONE_TEST_SERVICES"] = str(os.getpid())
