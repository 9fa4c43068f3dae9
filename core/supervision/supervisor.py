"""Starts children in order, starts again what dies, stops all of it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType

from core.embedded.folder import roll
from core.supervision import record
from core.supervision.child import Child

BEAT = 0.2  # seconds between two looks at the children
CHECK = 1.0  # seconds between two looks at the services
GRACE = 20.0  # seconds that children have to finish what they are at


class Stopped(Exception):
    """Somebody asked us to stop while a step was running."""


class Supervisor:
    """`services` brings up what the children need and returns their addresses as environment
    variables; it is called again every second and must be quick where all is well. `say` takes
    a line for the person at the terminal."""

    def __init__(
        self,
        home: Path,
        *,
        environ: Mapping[str, str],
        services: Callable[[], Mapping[str, str]],
        say: Callable[[str], None],
    ) -> None:
        self.home = home
        self.environ = dict(environ) | {"WHETSTONE_HOME": str(home)}
        self.services = services
        self.say = say
        self.children: list[Child] = []
        self.url = ""
        self.is_stopping = False
        self._is_hurried = False
        self._next_check = 0.0
        self._last_trouble = ""

    def listen(self) -> None:
        """From here on Ctrl-C, SIGTERM and a closed terminal mean: stop all of it."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._hear)

    def add(self, child: Child) -> Child:
        self.children.append(child)
        child.start(self.environ)
        self._write()
        return child

    def step(self, argv: list[str], folder: Path) -> int:
        """Run a command to its end at our terminal; its exit code. `Stopped` if asked meanwhile.

        In a session of its own: Ctrl-C reaches it as a request to end, not as a traceback.
        """
        with subprocess.Popen(
            argv, cwd=folder, env=self.environ, start_new_session=True
        ) as process:
            while process.poll() is None:
                if self.is_stopping:
                    process.terminate()
                    process.wait()
                    raise Stopped
                self.look()
                time.sleep(BEAT)
        return process.returncode

    def wait_for(self, ready: Callable[[], bool], *, seconds: float) -> bool:
        """Look after the children until `ready()`; False after `seconds`."""
        deadline = time.monotonic() + seconds
        while not ready():
            if self.is_stopping:
                raise Stopped
            if time.monotonic() > deadline:
                return False
            self.look()
            time.sleep(BEAT)
        return True

    def run(self) -> None:
        """Until somebody asks us to stop."""
        while not self.is_stopping:
            self.look()
            time.sleep(BEAT)

    def look(self) -> None:
        """One round: services first, for the children cannot live without them."""
        if time.monotonic() >= self._next_check:
            self._check_services()
            self._next_check = time.monotonic() + CHECK
        changed = False
        for child in self.children:
            if word := child.look():
                self.say(word)
            if child.is_due():
                child.start(self.environ)
                changed = True
        if changed:
            self._write()

    def stop(self) -> None:
        """End every child: politely, then (after `GRACE` or a second Ctrl-C) not."""
        self.is_stopping = True
        for child in self.children:
            child.ask_to_stop()
        deadline = time.monotonic() + GRACE
        while not all(child.is_gone() for child in self.children):
            if self._is_hurried or time.monotonic() > deadline:
                break
            time.sleep(0.05)
        for child in self.children:
            child.kill()

    def _check_services(self) -> None:
        """A service that cannot start is said once and tried again; the children wait for it."""
        try:
            found = self.services()
        except RuntimeError as error:
            if str(error) != self._last_trouble:
                self.say(str(error))
            self._last_trouble = str(error)
            return
        self._last_trouble = ""
        if any(self.environ.get(name) != value for name, value in found.items()):
            self.environ.update(found)
            self._restart()
        for child in self.children:
            roll(child.log)

    def _restart(self) -> None:
        """The children took the addresses from their environment, and those have changed."""
        for child in self.children:
            child.kill()
            child.start(self.environ)
        self._write()

    def _write(self) -> None:
        named = ((child.name, child.identity()) for child in self.children)
        alive = {name: identity for name, identity in named if identity}
        record.write(self.home, record.Record(os.getpid(), self.url, alive))

    def _hear(self, number: int, frame: FrameType | None) -> None:
        self._is_hurried = self.is_stopping
        self.is_stopping = True
