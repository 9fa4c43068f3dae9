"""Model providers for tests: the simulated one, and one that answers what a test tells it.

Both speak real HTTP on loopback; nothing inside the client is replaced.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from pytest_django import Settings

from annotation.demo.simulator import MODEL, Simulator

MODELS = {"task": MODEL, "judge": MODEL, "optimizer": MODEL}


@pytest.fixture(scope="session")
def simulator() -> Iterator[Simulator]:
    """The simulated model, one for the whole run."""
    with Simulator() as running:
        yield running


@pytest.fixture
def model(simulator: Simulator, settings: Settings) -> Simulator:
    """Settings that name the simulated model for every purpose."""
    settings.OPENAI_BASE_URL = simulator.base_url
    settings.OPENAI_API_KEY = ""
    settings.MODELS = dict(MODELS)
    return simulator


@dataclass
class Script:
    """What the scripted server will answer, in order (the last one again and again), and what
    it was asked. An answer is (status, headers, body)."""

    answers: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)
    pause: float = 0  # seconds between pieces of a body, for a server that drips
    lock: threading.Lock = field(default_factory=threading.Lock)

    def say(self, text: str | None, **changes: Any) -> Script:
        """A completion with this text; `changes` replace keys of the choice."""
        choice = {
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": text},
        } | changes
        return self.send(
            200,
            {
                "id": "x",
                "object": "chat.completion",
                "created": 0,
                "model": "scripted-1",
                "choices": [choice],
                "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
            },
        )

    def send(self, status: int, body: Any, **headers: str) -> Script:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        kind = {"Content-Type": "application/json"}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers.append((status, kind | named, raw))
        return self

    def fail(self, status: int, message: str = "no", **headers: str) -> Script:
        return self.send(status, {"error": {"message": message}}, **headers)

    def next(self) -> tuple[int, dict[str, str], bytes]:
        with self.lock:
            return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.fixture
def script(settings: Settings) -> Iterator[Script]:
    """A server that follows a script, configured for every purpose."""
    written = Script()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            written.asked.append(json.loads(body))
            status, headers, answer = written.next()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            with contextlib.suppress(OSError):  # the client may have had enough
                self._write(answer)

        def _write(self, answer: bytes) -> None:
            size = 20 if written.pause else len(answer)
            for start in range(0, len(answer), size or 1):
                self.wfile.write(answer[start : start + size])
                time.sleep(written.pause)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Quiet."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        settings.OPENAI_BASE_URL = f"http://127.0.0.1:{server.server_address[1]}/v1"
        settings.OPENAI_API_KEY = "test-key"
        settings.MODELS = dict.fromkeys(MODELS, "scripted-1")
        yield written
        server.shutdown()
        thread.join()
