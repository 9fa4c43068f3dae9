"""What a supervisor leaves on disk, so that `up --stop` finds it, and what it left behind."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil

from core.supervision.child import end_group

PATIENCE = 45.0  # seconds that a supervisor has to stop everything


class AlreadyRunning(RuntimeError):
    """Another supervisor has this home."""


@dataclass
class Record:
    """`children` maps a name to process id and time of birth (seconds since 1970)."""

    pid: int = 0
    url: str = ""
    children: dict[str, tuple[int, float]] = field(default_factory=dict)


def read(home: Path) -> Record:
    """The last supervisor's record; an empty one where there is none or it is cut off."""
    try:
        return Record(**json.loads((home / "up.json").read_text()))
    except (OSError, ValueError, TypeError):
        return Record()


def write(home: Path, record: Record) -> None:
    fresh = home / f"up.json.{os.getpid()}"
    fresh.write_text(json.dumps(asdict(record)))
    fresh.replace(home / "up.json")


@contextlib.contextmanager
def claimed(home: Path) -> Iterator[None]:
    """This process is the supervisor of this home. `AlreadyRunning` where there is one.

    The lock dies with its holder, SIGKILL included; what such a holder left running is ended.
    """
    home.mkdir(parents=True, exist_ok=True)
    with (home / "up.lock").open("w") as lock:
        if not _take(lock.fileno()):
            raise AlreadyRunning(read(home).url)
        end_left_over(home)
        try:
            yield
        finally:
            (home / "up.json").unlink(missing_ok=True)


def end_supervisor(home: Path) -> bool:
    """Ask the supervisor of this home to stop, wait for it, and end what is left over.

    True where one was running.
    """
    found = read(home)
    running = found.pid != 0 and is_claimed(home)
    if running:
        _end(found.pid, home)
    end_left_over(home)
    return running


def is_claimed(home: Path) -> bool:
    if not (home / "up.lock").exists():
        return False
    with (home / "up.lock").open("a") as lock:
        return not _take(lock.fileno())


def end_left_over(home: Path) -> None:
    """End the children of a supervisor that was killed, with all that they started."""
    for pid, born in read(home).children.values():
        with contextlib.suppress(psutil.Error):
            if abs(psutil.Process(pid).create_time() - born) < 1:
                end_group(pid)
    (home / "up.json").unlink(missing_ok=True)


def _end(pid: int, home: Path) -> None:
    with contextlib.suppress(psutil.Error):
        psutil.Process(pid).terminate()
    deadline = time.monotonic() + PATIENCE
    while is_claimed(home) and time.monotonic() < deadline:
        time.sleep(0.1)
    if is_claimed(home):
        with contextlib.suppress(psutil.Error):
            psutil.Process(pid).kill()


def _take(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
