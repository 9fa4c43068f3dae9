"""A process that is started again when it dies."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from core.embedded.folder import roll, tail

FIRST_WAIT = 0.5  # seconds before the second start; doubled each time
LONGEST_WAIT = 30.0
HEALTHY = 60.0  # seconds after which earlier deaths are forgotten


@dataclass
class Child:
    """`argv` runs in `folder` and writes to `log`; it inherits the file descriptors in `keep`."""

    name: str
    argv: list[str]
    folder: Path
    log: Path
    keep: tuple[int, ...] = ()
    deaths: int = 0
    process: subprocess.Popen[bytes] | None = None
    _born: float = field(default=0.0, repr=False)
    _due: float = field(default=0.0, repr=False)

    def start(self, environ: Mapping[str, str]) -> None:
        """In a session of its own: the terminal's Ctrl-C is for the supervisor alone."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        roll(self.log)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.argv,
                cwd=self.folder,
                env=dict(environ),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=self.keep,
                start_new_session=True,
            )
        self._born = time.monotonic()

    def look(self) -> str:
        """What became of it, in a line, where it just died (it is then due again after a
        pause that doubles with each death in a row); empty where there is nothing to say."""
        if self.process is None or self.process.poll() is None:
            return ""
        code = self.process.returncode
        self.kill()  # its own children may hold on to the port or to the work
        lived = time.monotonic() - self._born
        self.deaths = 1 if lived > HEALTHY else self.deaths + 1
        pause = min(FIRST_WAIT * 2 ** (self.deaths - 1), LONGEST_WAIT)
        self._due = time.monotonic() + pause
        self.process = None
        again = f"starting it again in {pause:g} s"
        return f"{self.name} ended ({_reason(code)}); {again}. {self.last_word()}"

    def is_due(self) -> bool:
        return self.process is None and time.monotonic() >= self._due

    def last_word(self) -> str:
        said = tail(self.log, 1)
        return f"It last said: {said[:300]} ({self.log})" if said else f"See {self.log}"

    def ask_to_stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def kill(self) -> None:
        """SIGKILL to it and to every process that it started."""
        if self.process is not None:
            end_group(self.process.pid)
            self.process.wait()

    def is_gone(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def identity(self) -> tuple[int, float] | None:
        """Process id and time of birth: together they name it even after the id is used again."""
        if self.process is None:
            return None
        with contextlib.suppress(psutil.Error):
            return self.process.pid, psutil.Process(self.process.pid).create_time()
        return None


def end_group(leader: int) -> None:
    """SIGKILL to a session's process group. `leader` must be a process that we started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def _reason(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"
