"""The folder that the embedded services live in, and who may be running in it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]


class EmbeddedError(RuntimeError):
    """The embedded services cannot do what was asked; the message says what to do."""


def home() -> Path:
    """`WHETSTONE_HOME`, or `.whetstone` beside `manage.py`. Absolute; it need not exist yet."""
    return Path(os.environ.get("WHETSTONE_HOME") or ROOT / ".whetstone").expanduser().absolute()


@contextlib.contextmanager
def locked(where: Path) -> Iterator[None]:
    """One process at a time starts or stops the servers of this home; a killed one lets go."""
    try:
        where.mkdir(parents=True, exist_ok=True)
        lock = (where / "lock").open("w")
    except OSError as error:
        raise EmbeddedError(
            f"{where} cannot be written ({error.strerror});"
            " set WHETSTONE_HOME to a folder of yours."
        ) from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def is_alive(pid: int, name: str, folder: Path) -> bool:
    """Whether `pid` is a process called `name` that works in `folder`, and not a zombie.

    A process id outlives its process in a file and may belong to a stranger by now.
    """
    try:
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and _lives_in(process, name, folder)
    except psutil.Error:
        return False


def strays(name: str, folder: Path) -> list[psutil.Process]:
    """Processes called `name` that work in `folder`, though no pid file of ours names them."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.status() != psutil.STATUS_ZOMBIE and _lives_in(process, name, folder):
                found.append(process)
    return found


def _lives_in(process: psutil.Process, name: str, folder: Path) -> bool:
    # A folder removed under a running server shows as "... (deleted)".
    inside = process.cwd().removesuffix(" (deleted)")
    return process.name().startswith(name) and inside == str(folder)


def end(processes: list[psutil.Process], *, patience: float = 10) -> None:
    """SIGTERM, then SIGKILL to what is still there after `patience` seconds."""
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.terminate()
    for process in _still_there(processes, patience):
        with contextlib.suppress(psutil.Error):
            process.kill()
    _still_there(processes, patience)


def _still_there(processes: list[psutil.Process], patience: float) -> list[psutil.Process]:
    """Those that run after `patience` seconds. A zombie is gone: process 1 may be slow to bury it,
    so psutil's own waiting would take seconds."""
    deadline = time.monotonic() + patience
    left = processes
    while left and wait_until(deadline):
        left = [process for process in left if _runs(process)]
    return left


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def let_through(path: Path) -> None:
    """Let other system users pass (not list) every folder above `path`.

    Only for root: PostgreSQL refuses to run as root, and its own user must reach the files.
    """
    for parent in path.absolute().parents:
        mode = parent.stat().st_mode
        if not mode & stat.S_IXOTH:
            parent.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)


def roll(log: Path, *, limit: int = 5_000_000) -> None:
    """Keep a log under `limit` bytes: the old content moves to `NAME.1`.

    Copied and cut rather than renamed: the writer keeps its file open (in append mode).
    """
    if log.exists() and log.stat().st_size > limit:
        shutil.copyfile(log, log.with_name(log.name + ".1"))
        os.truncate(log, 0)


def tail(log: Path, lines: int = 5) -> str:
    """The last lines of a log that say something; empty where there is none."""
    if not log.exists():
        return ""
    said = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return "\n".join(said[-lines:])


def wait_until(deadline: float) -> bool:
    """Sleep a moment; False once the monotonic `deadline` has passed."""
    time.sleep(0.05)
    return time.monotonic() < deadline
