"""What `up` runs: the commands of the children, their ports and their environment."""

from __future__ import annotations

import contextlib
import errno
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import MutableMapping
from pathlib import Path

from core.embedded.folder import ROOT
from core.supervision.child import Child

TRIES = 50
WORKERS = 2
THREADS = 8
ALL_HOSTS = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - what was asked for, not chosen


class NoPort(RuntimeError):
    """Nothing can listen there; the message says why."""


def web_socket(host: str, port: int) -> socket.socket:
    """A listening socket on `port` or, where that is busy, on the next free one.

    The supervisor keeps it open: while web starts again, visitors wait instead of being refused.
    """
    for candidate in range(port, min(port + TRIES, 65536)):
        try:
            return _listen(host, candidate)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                reason = error.strerror or str(error)
                raise NoPort(f"Nothing can listen on {host}:{candidate}: {reason}.") from error
    raise NoPort(
        f"Ports {port} to {port + TRIES - 1} on {host} are all busy; choose another: --port."
    )


def free_port() -> int:
    """A port on loopback that is free right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def address(listener: socket.socket) -> str:
    """What to type into a browser on this machine."""
    host, port = listener.getsockname()[:2]
    return f"http://{ALL_HOSTS.get(host, host if ':' not in host else f'[{host}]')}:{port}/"


def answers(url: str) -> bool:
    """Whether a web server answers there, and not with an error of its own."""
    try:
        urllib.request.urlopen(url, timeout=3).close()  # noqa: S310 - our own http address
    except urllib.error.HTTPError as error:
        return error.code < 500
    except (OSError, ValueError):
        return False
    return True


def accepts(port: int) -> bool:
    """Whether somebody listens on this loopback port."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=2):
        return True
    return False


def web(home: Path, listener: socket.socket) -> Child:
    options = [
        "--workers",
        str(WORKERS),
        "--threads",
        str(THREADS),
        "--worker-class",
        "gthread",
        "--preload",
    ]
    calm = ["--graceful-timeout", "5", "--timeout", "120", "--log-level", "warning"]
    bind = ["--bind", f"fd://{listener.fileno()}"]
    argv = [
        "-m",
        "gunicorn",
        "config.wsgi:application",
        *bind,
        *options,
        *calm,
        "--access-logfile",
        "-",
    ]
    return _child(home, "web", argv, keep=(listener.fileno(),))


def worker(home: Path, concurrency: int) -> Child:
    return _worker(home, "worker", "celery", concurrency)


def model_worker(home: Path) -> Child:
    """Serves what waits for a model; one process, so that a small machine is not flooded."""
    return _worker(home, "model worker", "models", 1)


def _worker(home: Path, name: str, queue: str, concurrency: int) -> Child:
    calm = ["--loglevel", "info", "--without-gossip", "--without-mingle"]
    work = ["--queues", queue, "--hostname", f"{queue}@%h", "--concurrency", str(concurrency)]
    return _child(home, name, ["-m", "celery", "-A", "config", "worker", *work, *calm])


def beat(home: Path) -> Child:
    files = ["--schedule", str(home / "beat"), "--pidfile="]
    argv = ["-m", "celery", "-A", "config", "beat", *files, "--loglevel", "warning"]
    return _child(home, "beat", argv)


def simulated_model(home: Path, port: int) -> Child:
    return _child(home, "simulated model", ["manage.py", "simulated_model", "--port", str(port)])


def use_simulated_model(environ: MutableMapping[str, str], port: int) -> None:
    environ["OPENAI_BASE_URL"] = f"http://127.0.0.1:{port}/v1"
    environ["OPENAI_API_KEY"] = "simulated"
    for role in ("TASK_MODEL", "JUDGE_MODEL", "OPTIMIZER_MODEL"):
        environ[role] = "simulated-1"


def _child(home: Path, name: str, argv: list[str], keep: tuple[int, ...] = ()) -> Child:
    log = home / "log" / f"{name.replace(' ', '-')}.log"
    return Child(name, [sys.executable, *argv], ROOT, log, keep)


def _listen(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(1024)
    except BaseException:
        listener.close()
        raise
    return listener
