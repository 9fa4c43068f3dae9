"""A real worker and a real beat on the test database, with a Redis of their own to kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.db import connection

from annotation.demo.simulator import MODEL, Simulator
from config.celery import app
from core.embedded import redis_server
from core.embedded.folder import locked

WAIT_SECONDS = 60.0


@dataclass
class Stage:
    """Processes that a test may kill. `home` holds the Redis."""

    home: Path
    processes: dict[str, subprocess.Popen[bytes]]

    def kill_redis(self) -> None:
        pid = redis_server.pid(self.home)
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: redis_server.pid(self.home) is None, "redis is dead")

    def start_redis(self) -> None:
        with locked(self.home):
            redis_server.start(self.home)

    def kill(self, name: str) -> None:
        self.processes[name].kill()
        self.processes[name].wait()


def wait_for(holds: Callable[[], object], what: str, seconds: float = WAIT_SECONDS) -> None:
    """Until it holds; what did not come about is named."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.1)


@contextmanager
def staged(home: Path, simulator: Simulator) -> Iterator[Stage]:
    with locked(home):
        redis_server.start(home)
    address = redis_server.url(home)
    environment = _environment(address, simulator)
    stage = Stage(home, {})
    with bells_to(address):
        try:
            stage.processes["worker"] = _celery(home, environment, "worker", "-c", "2")
            stage.processes["beat"] = _celery(home, environment, "beat")
            yield stage
        finally:
            for process in stage.processes.values():
                process.kill()
                process.wait()
            redis_server.stop(home)


@contextmanager
def bells_to(address: str) -> Iterator[None]:
    """The bells of this process go to that Redis."""
    before = app.conf.broker_url
    app.conf.broker_url = address
    app._after_fork()  # drops the pool that knows the old address
    try:
        yield
    finally:
        app.conf.broker_url = before
        app._after_fork()


def _environment(address: str, simulator: Simulator) -> dict[str, str]:
    head, _, query = os.environ["DATABASE_URL"].partition("?")
    database = f"{head.rpartition('/')[0]}/{connection.settings_dict['NAME']}?{query}"
    models = dict.fromkeys(["TASK_MODEL", "JUDGE_MODEL", "OPTIMIZER_MODEL"], MODEL)
    return {
        **os.environ,
        **models,
        "DATABASE_URL": database,
        "REDIS_URL": address,
        "OPENAI_BASE_URL": simulator.base_url,
        "OPENAI_API_KEY": "simulated",
    }


def _celery(home: Path, environment: dict[str, str], *words: str) -> subprocess.Popen[bytes]:
    with (home / f"{words[0]}.log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "config", *words, "--loglevel", "INFO"],
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
