"""Fetch prompts from Whetstone. One file, standard library only: copy it or import it.

    client = Client("https://whetstone.example.com", "wsk_production_...")
    prompt = client.get("answer-customer", key=user_id)
    messages = prompt.compile(bank="Harbour", question=question)
    span.set_attributes(prompt.attributes())

After the first fetch nothing waits for the network: an old plan is served while one thread asks
whether it changed (ETag, 304). Who gets a canary is drawn here, by the same hash as on the server.
When the server is away, in this order: what is in memory, the last known good on disk, the
fallback that the application ships. Forked workers (gunicorn, Celery) each refresh by themselves.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import logging
import os
import random
import re
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["Client", "Prompt", "PromptUnavailable"]

log = logging.getLogger("whetstone.client")

BUCKETS = 10_000
VARIABLE = re.compile(r"\{\{[ \t]*([A-Za-z_][A-Za-z0-9_]*)[ \t]*\}\}")
SLUG = re.compile(r"^[-\w]{1,80}$")
COMPLAIN_EVERY = 60.0  # seconds


class PromptUnavailable(RuntimeError):
    """The server could not be asked, or said no, and there is nothing older to serve."""


_FAULTS = (OSError, ValueError, http.client.HTTPException, PromptUnavailable)


@dataclass(frozen=True)
class Prompt:
    """A version as it is to be used, and what to write on the trace.

    source  where it came from: "server", "disk" or "fallback"
    age     seconds since the server last confirmed it; None for a fallback
    bucket  0 to 9,999 of the sticky key; None without one
    """

    name: str
    version: int
    digest: str
    model: str
    params: Mapping[str, Any]
    blocks: tuple[Mapping[str, Any], ...]
    messages: tuple[Mapping[str, str], ...]
    release: int | None
    arm: str
    bucket: int | None
    key: str
    source: str
    age: float | None

    def compile(self, **variables: object) -> list[dict[str, str]]:
        """The chat messages; a value is inserted as it is. KeyError names a missing variable."""
        return [
            {
                "role": each["role"],
                "content": VARIABLE.sub(lambda hit: str(variables[hit[1]]), each["content"]),
            }
            for each in self.messages
        ]

    def attributes(self) -> dict[str, str | int]:
        """Attributes for the OpenTelemetry span of the model call."""
        named = {"gen_ai.prompt.name": self.name, "gen_ai.prompt.version": str(self.version)}
        return {**named, **self._place()}

    def trace_fields(self) -> dict[str, Any]:
        """The same as fields of a trace that is sent over REST."""
        return {
            "prompt_name": self.name,
            "prompt_version": str(self.version),
            "metadata": self._place(),
        }

    def _place(self) -> dict[str, str | int]:
        names = ("key", "release", "arm", "bucket", "digest")
        facts = {f"whetstone.{name}": getattr(self, name) for name in names}
        return {name: value for name, value in facts.items() if value not in {None, ""}}


@dataclass
class _Entry:
    """What is known of one prompt. `confirmed` is wall-clock time, `due` monotonic."""

    plan: Mapping[str, Any]
    etag: str
    source: str
    confirmed: float | None
    due: float


@dataclass
class _State:
    """All that must be made anew after a fork: the child has no threads, but copies of locks."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    fetching: dict[str, threading.Lock] = field(default_factory=dict)
    refreshing: set[str] = field(default_factory=set)
    failed: dict[str, tuple[float, str]] = field(default_factory=dict)
    complained: dict[str, float] = field(default_factory=dict)


class Client:
    """Safe to share between threads and across forks; make one per process or one per program.

    url        where Whetstone is; the API key says which environment
    ttl        seconds for which a plan is served without asking (spread by +-`jitter`)
    timeout    seconds that a request may take
    cache      folder for the last known good, readable by this user alone; None: none is kept
    fallback   folder with `<slug>.json` files that ship with the application (`save` makes them)
    max_stale  seconds after which serving an unconfirmed plan is logged as an error
    """

    def __init__(
        self,
        url: str,
        api_key: str,
        *,
        ttl: float = 30.0,
        jitter: float = 0.1,
        timeout: float = 2.0,
        cache: str | Path | None = None,
        fallback: str | Path | None = None,
        max_stale: float = 3600.0,
    ) -> None:
        if urllib.parse.urlsplit(url).scheme not in {"http", "https"}:
            raise ValueError(f"url must begin with http:// or https://, not {url!r}")
        self._url = url.rstrip("/")
        self._api_key = api_key
        self._ttl, self._jitter, self._timeout = ttl, jitter, timeout
        self._cache = Path(cache) if cache is not None else None
        self._fallback = Path(fallback) if fallback is not None else None
        self._max_stale = max_stale
        self._entries: dict[str, _Entry] = {}
        self._state = _State()
        _clients.add(self)

    def get(self, name: str, *, key: str = "", version: int | None = None) -> Prompt:
        """The version that `key` (a user, a conversation) gets; or `version`, whoever asks.

        Raises PromptUnavailable where there is nothing to serve at all.
        """
        if not SLUG.match(name):
            raise ValueError(f"{name!r} is not the name of a prompt")
        if version is not None:
            return self._prompt(self._known(f"{name}?version={version}"), key)
        return self._prompt(self._known(f"{name}/plan"), key)

    def save(self, name: str, folder: str | Path) -> Path:
        """Write what is live now to `<folder>/<name>.json`, to be shipped as `fallback`."""
        plan, _ = self._ask(f"{name}/plan", "")
        path = Path(folder) / f"{name}.json"
        path.write_text(json.dumps({**(plan or {}), "canary": None}, indent=2) + "\n")
        return path

    def _known(self, resource: str) -> _Entry:
        entry = self._entries.get(resource)
        if entry is None:
            entry = self._first(resource)
        elif time.monotonic() >= entry.due:
            self._refresh_beside(resource)
        self._complain(resource, entry)
        return entry

    def _first(self, resource: str) -> _Entry:
        """Ask and wait: one thread does, the others wait for its answer."""
        state, began = self._state, time.monotonic()
        with state.lock:
            turn = state.fetching.setdefault(resource, threading.Lock())
        with turn:
            if entry := self._entries.get(resource):
                return entry
            failed_at, reason = state.failed.get(resource, (0.0, ""))
            if failed_at > began:
                raise PromptUnavailable(reason)
            try:
                return self._fetch(resource)
            except PromptUnavailable as error:
                state.failed[resource] = (time.monotonic(), str(error))
                raise

    def _refresh_beside(self, resource: str) -> None:
        """Ask in a thread of its own, if none is asking. The caller does not wait."""
        state = self._state
        with state.lock:
            if resource in state.refreshing:
                return
            state.refreshing.add(resource)

        def run() -> None:
            try:
                self._fetch(resource)
            finally:
                state.refreshing.discard(resource)

        try:
            threading.Thread(target=run, daemon=True).start()
        except RuntimeError:  # the interpreter is shutting down, or has no thread left
            state.refreshing.discard(resource)

    def _fetch(self, resource: str) -> _Entry:
        old = self._entries.get(resource)
        try:
            plan, etag = self._ask(resource, old.etag if old else "")
        except _FAULTS as error:
            entry = self._without_server(resource, old, error)
        else:
            # None: the server says that the old one is right (304).
            found = plan if plan is not None or old is None else old.plan
            entry = _Entry(found or {}, etag, "server", time.time(), self._due(resource))
            self._keep(resource, entry)
        self._entries[resource] = entry
        return entry

    def _ask(self, resource: str, etag: str) -> tuple[Mapping[str, Any] | None, str]:
        request = urllib.request.Request(  # noqa: S310 - the scheme is checked in __init__
            f"{self._url}/api/v1/prompts/{resource}",
            headers={"Authorization": f"Bearer {self._api_key}", "Accept": "application/json"},
        )
        if etag:
            request.add_header("If-None-Match", etag)
        try:
            with _opener.open(request, timeout=self._timeout) as answer:
                return _checked(json.loads(answer.read())), answer.headers.get("ETag", "")
        except urllib.error.HTTPError as error:
            with error:
                if error.code == 304:
                    return None, etag
                raise PromptUnavailable(f"{error.code}: {_detail(error)}") from error

    def _without_server(self, resource: str, old: _Entry | None, error: Exception) -> _Entry:
        """The next best; it is asked again after a while, not with every call."""
        log.warning("%s could not be fetched (%s)", resource, error)
        entry = old or self._from_disk(resource) or self._from_fallback(resource)
        if entry is None:
            raise PromptUnavailable(f"{resource} could not be fetched: {error}") from error
        entry.due = self._due(resource)
        return entry

    def _due(self, resource: str) -> float:
        """When to ask again: spread, so that a fleet does not ask in step. A pin never changes."""
        if "?version=" in resource:
            return float("inf")
        spread = random.uniform(1 - self._jitter, 1 + self._jitter)  # noqa: S311 - no secret
        return time.monotonic() + self._ttl * spread

    def _complain(self, resource: str, entry: _Entry) -> None:
        if entry.confirmed is None or "?version=" in resource:
            return
        age, now = time.time() - entry.confirmed, time.monotonic()
        before = self._state.complained.get(resource, -COMPLAIN_EVERY)
        if age > self._max_stale and now - before >= COMPLAIN_EVERY:
            self._state.complained[resource] = now
            log.error("%s has not been confirmed for %.0f seconds", resource, age)

    def _path(self, resource: str) -> Path | None:
        """One file per server, key and prompt: a key of another environment finds nothing here."""
        if self._cache is None:
            return None
        whose = hashlib.sha256(f"{self._url}\n{self._api_key}\n{resource}".encode()).hexdigest()
        return self._cache / f"{whose[:32]}.json"

    def _keep(self, resource: str, entry: _Entry) -> None:
        path = self._path(resource)
        if path is None:
            return
        body = json.dumps({"plan": entry.plan, "etag": entry.etag, "confirmed": entry.confirmed})
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            draft = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
            with os.fdopen(
                os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w"
            ) as file:
                file.write(json.dumps({"body": body, "signature": self._sign(body)}))
            draft.replace(path)
        except OSError as error:
            log.warning("the last known good could not be kept in %s (%s)", path, error)

    def _from_disk(self, resource: str) -> _Entry | None:
        path = self._path(resource)
        if path is None or not path.exists():
            return None
        try:
            kept = json.loads(path.read_text())
            if not hmac.compare_digest(kept["signature"], self._sign(kept["body"])):
                log.error("%s was changed by somebody else and is not used", path)
                return None
            body = json.loads(kept["body"])
            return _Entry(_checked(body["plan"]), body["etag"], "disk", body["confirmed"], 0.0)
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.warning("%s cannot be read (%s)", path, error)
            return None

    def _from_fallback(self, resource: str) -> _Entry | None:
        name, _, kind = resource.partition("/")
        if self._fallback is None or kind != "plan":
            return None
        try:
            plan = _checked(json.loads((self._fallback / f"{name}.json").read_text()))
        except (OSError, ValueError) as error:
            log.warning("no fallback for %s (%s)", name, error)
            return None
        return _Entry(plan, "", "fallback", None, 0.0)

    def _sign(self, body: str) -> str:
        return hmac.new(self._api_key.encode(), body.encode(), hashlib.sha256).hexdigest()

    def _prompt(self, entry: _Entry, key: str) -> Prompt:
        chosen, place = _choose(entry.plan, key)
        age = None if entry.confirmed is None else max(0.0, time.time() - entry.confirmed)
        return Prompt(
            name=entry.plan["name"],
            blocks=tuple(chosen["blocks"]),
            messages=tuple(chosen["messages"]),
            key=key,
            source=entry.source,
            age=age,
            **{part: chosen[part] for part in ("version", "digest", "model", "params")},
            **place,
        )


def _choose(plan: Mapping[str, Any], key: str) -> tuple[Mapping[str, Any], dict[str, Any]]:
    """The version for `key`, and its place: the release it counts for, its arm, its bucket."""
    if "live" not in plan:  # a pinned version: nobody is drawn
        return plan, {"release": None, "arm": "", "bucket": None}
    live, canary = plan["live"], plan["canary"]
    if canary is None or not key:
        bucket = _bucket(live["salt"], key) if key else None
        return live, {"release": live["release"], "arm": "", "bucket": bucket}
    bucket = _bucket(canary["salt"], key)
    drawn = bucket < round(canary["share"] * BUCKETS)
    place = {"release": canary["release"], "arm": "canary" if drawn else "control"}
    return canary if drawn else live, {**place, "bucket": bucket}


def _bucket(salt: str, key: str) -> int:
    head = hashlib.blake2b(f"{salt}:{key}".encode(), digest_size=8).digest()
    return int.from_bytes(head, "big") % BUCKETS


def _checked(plan: Any) -> Mapping[str, Any]:
    """Raises ValueError on an answer that is no plan, for example a proxy's page."""
    versions = [plan, plan.get("live"), plan.get("canary")] if isinstance(plan, dict) else []
    usable = [each for each in versions if isinstance(each, dict) and "messages" in each]
    if not usable or "name" not in plan:
        raise ValueError("the answer is not a prompt")
    return dict(plan)


def _detail(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.loads(error.read())["detail"])
    except (OSError, ValueError, KeyError, TypeError):
        return error.reason


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Another host must not be sent the API key: a redirect is an error that says so."""

    def redirect_request(self, *_: Any) -> None:
        return None


_opener = urllib.request.build_opener(_NoRedirect)
_clients: weakref.WeakSet[Client] = weakref.WeakSet()


def _after_fork() -> None:
    for client in list(_clients):
        client._state = _State()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
