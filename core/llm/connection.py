"""Which server and model serve a purpose, and the one client per process and server."""

from __future__ import annotations

import ipaddress
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

import httpx2
from django.conf import settings
from openai import DefaultHttpxClient, OpenAI

from core.llm.errors import NotConfigured

Purpose: TypeAlias = Literal["task", "judge", "optimizer"]

CONNECT_SECONDS = 5.0
TOTAL_SECONDS = 60.0
MAX_ANSWER_BYTES = 16 * 1024 * 1024
_VARIABLES = {"task": "TASK_MODEL", "judge": "JUDGE_MODEL", "optimizer": "OPTIMIZER_MODEL"}


@dataclass
class Habits:
    """What a server was found to understand. Learned from its refusals, kept per process."""

    structured: str = ""  # "json_schema", "json_object" or "text", once one has worked
    no_temperature: bool = False


@dataclass(frozen=True)
class Connection:
    """A model on a server. Two purposes with the same three values share client and habits."""

    base_url: str
    api_key: str = field(repr=False)
    model: str

    def client(self) -> OpenAI:
        return _client(self.base_url, self.api_key)

    def habits(self) -> Habits:
        with _lock:
            return _habits.setdefault((self.base_url, self.model), Habits())


_lock = threading.Lock()
_clients: dict[tuple[int, str, str], OpenAI] = {}
_habits: dict[tuple[str, str], Habits] = {}


def configured(purpose: str) -> bool:
    """Whether a model can be called for `purpose` (task, judge, optimizer). Calls nothing."""
    return not missing(purpose)


def missing(purpose: str) -> str:
    """The sentence that says what to set before `purpose` can work; empty where nothing is."""
    if purpose not in _VARIABLES:
        raise ValueError(f"purpose must be one of {', '.join(_VARIABLES)}, not {purpose!r}")
    wanted = [] if settings.MODELS.get(purpose) else [_VARIABLES[purpose]]
    # A server of one's own needs an address and no key; the public service the reverse.
    if not (settings.OPENAI_API_KEY or settings.OPENAI_BASE_URL):
        wanted.append("OPENAI_API_KEY (or OPENAI_BASE_URL for a server of your own)")
    return f"No {purpose} model is configured: set {' and '.join(wanted)}." if wanted else ""


def connection(purpose: str) -> Connection:
    """Raises NotConfigured with the sentence of `missing`."""
    if sentence := missing(purpose):
        raise NotConfigured(sentence)
    return Connection(
        base_url=settings.OPENAI_BASE_URL,
        api_key=settings.OPENAI_API_KEY or "no-key",
        model=settings.MODELS[purpose],
    )


def _client(base_url: str, api_key: str) -> OpenAI:
    # Sockets must not be shared with a forked worker: the process is part of the key.
    key = (os.getpid(), base_url, api_key)
    with _lock:
        if key not in _clients:
            _clients[key] = _build(base_url, api_key)
        return _clients[key]


def _build(base_url: str, api_key: str) -> OpenAI:
    timeout = httpx2.Timeout(TOTAL_SECONDS, connect=CONNECT_SECONDS)
    http = DefaultHttpxClient(
        timeout=timeout,
        # A proxy that the environment names for the internet cannot reach our own loopback.
        trust_env=not _is_loopback(base_url),
        event_hooks={"request": [_start], "response": [_bound]},
    )
    return OpenAI(
        api_key=api_key,
        base_url=base_url or None,
        timeout=timeout,
        max_retries=0,
        http_client=http,
    )


def _is_loopback(base_url: str) -> bool:
    host = urlsplit(base_url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _start(request: httpx2.Request) -> None:
    request.extensions["whetstone_deadline"] = time.monotonic() + TOTAL_SECONDS


def _bound(response: httpx2.Response) -> None:
    """The timeouts of the HTTP client are per read: a server that drips would hold a worker
    for ever, and one that floods would fill its memory."""
    if isinstance(response.stream, httpx2.SyncByteStream):
        deadline = response.request.extensions["whetstone_deadline"]
        response.stream = BoundedStream(response.stream, deadline)


class BoundedStream(httpx2.SyncByteStream):
    """Another stream, until `deadline` (monotonic seconds) or MAX_ANSWER_BYTES."""

    def __init__(self, stream: httpx2.SyncByteStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for chunk in self._stream:
            size += len(chunk)
            if time.monotonic() > self._deadline:
                raise httpx2.ReadTimeout(f"no whole answer within {TOTAL_SECONDS:.0f} s")
            if size > MAX_ANSWER_BYTES:
                raise httpx2.ReadError(f"the answer is larger than {MAX_ANSWER_BYTES} bytes")
            yield chunk

    def close(self) -> None:
        self._stream.close()
