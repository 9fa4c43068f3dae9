"""PostgreSQL 18 and Redis out of wheels, for a machine that has neither. Django is not imported.

The servers outlive the process that starts them, and are stopped by `stop` alone.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, MutableMapping
from pathlib import Path
from typing import NamedTuple

from core.embedded import postgres_server, redis_server
from core.embedded.folder import EmbeddedError, home, locked

__all__ = [
    "Addresses",
    "EmbeddedError",
    "Status",
    "addresses",
    "erase",
    "fallen",
    "home",
    "serve",
    "start",
    "status",
    "stop",
    "supply",
]

URLS = ("DATABASE_URL", "REDIS_URL")
OFF = {"0", "false", "no", "off"}


class Addresses(NamedTuple):
    """The URLs of the two services."""

    database_url: str
    redis_url: str


class Status(NamedTuple):
    """Process ids; None where the service does not run."""

    postgres: int | None
    redis: int | None


def addresses(where: Path) -> Addresses:
    """Where the services of this home are, or will be once started. Starts nothing."""
    return Addresses(postgres_server.url(where), redis_server.url(where))


def start(where: Path) -> Addresses:
    """Both services, started if they do not run. Any number of processes may call this at once.

    `EmbeddedError` says what to do where one cannot start.
    """
    found = serve(where, URLS)
    return Addresses(found["DATABASE_URL"], found["REDIS_URL"])


def serve(where: Path, names: Iterable[str]) -> dict[str, str]:
    """Of `DATABASE_URL` and `REDIS_URL` only those named: who brings a PostgreSQL wants no second.

    Where they run already this takes a few milliseconds and no lock.
    """
    wanted = list(names)
    if fallen(where, wanted):
        with locked(where):
            _start(where, wanted)
    found = addresses(where)._asdict()
    return {name: found[name.lower()] for name in wanted}


def fallen(where: Path, names: Iterable[str]) -> list[str]:
    """Which of the named services do not run, as a person calls them."""
    checks = {
        "DATABASE_URL": ("PostgreSQL", postgres_server.is_up),
        "REDIS_URL": ("Redis", redis_server.is_up),
    }
    return [label for name in names for label, is_up in [checks[name]] if not is_up(where)]


def stop(where: Path) -> None:
    """Stop both services, cleanly. Nothing happens where none runs."""
    if where.exists():
        with locked(where):
            redis_server.stop(where)
            postgres_server.stop(where)


def status(where: Path) -> Status:
    """Which of the two services run."""
    return Status(postgres_server.pid(where), redis_server.pid(where))


def erase(where: Path) -> None:
    """Stop both services and delete their data. There is no way back."""
    stop(where)
    for folder in ("postgres", "redis"):
        if (where / folder).exists():
            shutil.rmtree(where / folder)


def supply(environ: MutableMapping[str, str], *, launch: bool = True) -> None:
    """Set `DATABASE_URL` and `REDIS_URL` where the environment names no server of its own.

    With `launch` what is missing is started, else only named. Refused when DEBUG is off.
    """
    missing = [name for name in URLS if not environ.get(name) and not environ.get(f"{name}_FILE")]
    if not missing:
        return
    if environ.get("DEBUG", "1").strip().lower() in OFF:
        raise EmbeddedError(
            f"{' and '.join(missing)} must be set when DEBUG is off: the embedded services are for"
            " development."
        )
    where = home()
    if launch:
        serve(where, missing)
    found = addresses(where)._asdict()
    environ.update({name: found[name.lower()] for name in missing})


def _start(where: Path, names: list[str]) -> None:
    if "DATABASE_URL" in names:
        postgres_server.start(where)
    if "REDIS_URL" in names:
        redis_server.start(where)
