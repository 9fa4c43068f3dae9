"""The SDK against a loopback server that answers with what the real API said."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.test import Client as Door

from core.access import SYSTEM
from core.models import Environment, Project
from registry import release, serving
from registry.client import Client, PromptUnavailable
from registry.models import Release
from tests import factories
from tests.registry.facts import approve

KEY = "wsk_production_abc_secret"


@dataclass
class Server:
    """Answers any path with `body`; counts what it was asked."""

    body: dict[str, Any] = field(default_factory=dict)
    tag: str = '"1"'
    status: int = 200
    delay: float = 0.0
    missing: int = 0
    url: str = ""
    asked: list[int] = field(default_factory=list)
    keys: set[str | None] = field(default_factory=set)

    def change(self, version: int) -> None:
        self.body = {**self.body, "live": {**self.body["live"], "version": version}}
        self.tag = f'"{version}"'


@pytest.fixture
def server() -> Iterator[Server]:
    script = Server(body=plan())

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            time.sleep(script.delay)
            fresh = self.headers.get("If-None-Match") == script.tag
            status = 304 if fresh and script.status == 200 else script.status
            script.asked.append(status)
            script.keys.add(self.headers.get("Authorization"))
            body = json.dumps(script.body).encode() if status != 304 else b""
            self.send_response(status)
            self.send_header("ETag", script.tag)
            self.send_header("Content-Length", str(len(body) + script.missing))
            self.send_header("Location", "http://127.0.0.1:9/elsewhere")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Silence: the test says what it saw."""

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    script.url = f"http://127.0.0.1:{httpd.server_port}"
    thread = threading.Thread(target=httpd.serve_forever, args=(0.01,))
    thread.start()
    yield script
    httpd.shutdown()
    httpd.server_close()
    thread.join()


def plan(version: int = 1) -> dict[str, Any]:
    live = {
        "version": version,
        "digest": "d" * 64,
        "model": "tiny-1",
        "params": {},
        "blocks": [],
        "messages": [{"role": "user", "content": "Hello {{name}}"}],
        "release": 7,
        "share": 1.0,
        "salt": "salt",
    }
    return {"name": "answer", "live": live, "canary": None}


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not true():
        assert time.monotonic() < deadline, "it did not become true in five seconds"
        time.sleep(0.005)


def make(server: Server, **options: Any) -> Client:
    return Client(server.url, KEY, **{"ttl": 60.0, **options})


def test_a_warm_client_asks_nothing(server: Server) -> None:
    client = make(server)
    assert {client.get("answer", key=f"user{n}").version for n in range(100)} == {1}
    assert server.asked == [200]
    assert server.keys == {f"Bearer {KEY}"}


def test_a_plan_that_is_due_is_served_at_once_and_renewed_beside(server: Server) -> None:
    client = make(server, ttl=0.01)
    client.get("answer")
    server.change(2)
    server.delay = 0.2
    time.sleep(0.03)
    began = time.monotonic()
    assert client.get("answer").version == 1
    assert time.monotonic() - began < 0.15
    until(lambda: client.get("answer").version == 2)


def test_what_has_not_changed_is_confirmed_without_a_body(server: Server) -> None:
    client = make(server, ttl=0.01)
    client.get("answer")
    until(lambda: client.get("answer").version == 1 and server.asked[1:3] == [304, 304])
    assert client.get("answer").source == "server"


def test_a_hundred_threads_at_the_first_moment_ask_once(server: Server) -> None:
    server.delay = 0.1
    client = make(server)
    with ThreadPoolExecutor(100) as pool:
        versions = set(pool.map(lambda _: client.get("answer").version, range(100)))
    assert versions == {1}
    assert server.asked == [200]


def test_a_hundred_threads_share_one_failure(server: Server) -> None:
    server.status, server.delay = 500, 0.1
    client = make(server)

    def fails(_: int) -> bool:
        with pytest.raises(PromptUnavailable):
            client.get("answer")
        return True

    with ThreadPoolExecutor(20) as pool:
        assert all(pool.map(fails, range(20)))
    assert len(server.asked) < 5


def test_one_refresh_runs_at_a_time(server: Server) -> None:
    client = make(server, ttl=0.0)
    client.get("answer")
    server.delay = 0.1
    for _ in range(200):
        client.get("answer")
    until(lambda: len(server.asked) == 2)


def test_askers_are_spread_in_time(server: Server) -> None:
    client = make(server, ttl=100.0, jitter=0.1)
    due = [client._due("answer/plan") - time.monotonic() for _ in range(200)]
    assert 89 < min(due) < 92
    assert 108 < max(due) <= 110


@pytest.mark.parametrize("status", [401, 404, 500, 503])
def test_while_the_server_fails_the_old_plan_is_served(server: Server, status: int) -> None:
    client = make(server, ttl=0.01)
    client.get("answer")
    server.status = status
    until(lambda: client.get("answer").version == 1 and status in server.asked)
    server.status = 200
    server.change(2)
    until(lambda: client.get("answer").version == 2)


def test_a_restart_without_the_server_finds_the_last_known_good(
    server: Server, tmp_path: Path
) -> None:
    make(server, cache=tmp_path).get("answer")
    server.status = 503
    prompt = make(server, cache=tmp_path).get("answer")
    assert (prompt.version, prompt.source) == (1, "disk")
    assert prompt.age is not None
    (kept,) = tmp_path.iterdir()
    assert kept.stat().st_mode & 0o077 == 0


def test_a_changed_file_on_disk_is_not_used(server: Server, tmp_path: Path) -> None:
    make(server, cache=tmp_path).get("answer")
    (kept,) = tmp_path.iterdir()
    kept.write_text(kept.read_text().replace("Hello", "Obey"))
    server.status = 503
    with pytest.raises(PromptUnavailable):
        make(server, cache=tmp_path).get("answer")


def test_another_api_key_does_not_find_the_file(server: Server, tmp_path: Path) -> None:
    make(server, cache=tmp_path).get("answer")
    server.status = 503
    with pytest.raises(PromptUnavailable):
        Client(server.url, "wsk_staging_abc_other", cache=tmp_path).get("answer")


def test_a_torn_file_and_an_unwritable_folder_stop_nobody(server: Server, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    assert make(server, cache=blocked).get("answer").version == 1
    make(server, cache=tmp_path / "c").get("answer")
    (kept,) = (tmp_path / "c").iterdir()
    kept.write_text(kept.read_text()[:20])
    server.status = 503
    with pytest.raises(PromptUnavailable):
        make(server, cache=tmp_path / "c").get("answer")


def test_the_packaged_fallback_comes_last(server: Server, tmp_path: Path) -> None:
    make(server).save("answer", tmp_path)
    server.status = 503
    prompt = make(server, fallback=tmp_path).get("answer", key="anna")
    assert (prompt.version, prompt.source, prompt.age) == (1, "fallback", None)
    assert prompt.compile(name="Anna") == [{"role": "user", "content": "Hello Anna"}]


def test_with_nothing_at_all_the_error_says_why(server: Server) -> None:
    server.status, server.body = 404, {"detail": "There is no prompt 'answer'."}
    with pytest.raises(PromptUnavailable, match="404: There is no prompt 'answer'"):
        make(server).get("answer")
    with pytest.raises(PromptUnavailable):
        Client("http://127.0.0.1:9", KEY).get("answer")


def test_a_page_of_a_proxy_is_no_prompt(server: Server) -> None:
    server.body = {"html": "Please sign in"}
    with pytest.raises(PromptUnavailable, match="not a prompt"):
        make(server).get("answer")


def test_an_answer_that_breaks_off_is_an_outage(server: Server) -> None:
    client = make(server, ttl=0.01)
    client.get("answer")
    server.change(2)
    server.missing = 10
    until(lambda: client.get("answer").version == 1 and len(server.asked) > 2)
    server.missing = 0
    until(lambda: client.get("answer").version == 2)


def test_the_key_is_not_carried_to_another_host(server: Server) -> None:
    server.status = 302
    with pytest.raises(PromptUnavailable, match="302"):
        make(server).get("answer")


def test_a_plan_nobody_has_confirmed_for_long_is_complained_of(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    client = make(server, max_stale=0.05)
    client.get("answer")
    time.sleep(0.1)
    with caplog.at_level(logging.ERROR):
        client.get("answer")
        client.get("answer")
    assert caplog.text.count("has not been confirmed") == 1


def test_a_pinned_version_is_asked_for_once(server: Server) -> None:
    server.body = {"name": "answer", **plan()["live"], "arm": "", "bucket": None, "release": None}
    client = make(server, ttl=0.0)
    prompts = [client.get("answer", version=1, key="anna") for _ in range(10)]
    assert {(each.version, each.release, each.arm) for each in prompts} == {(1, None, "")}
    assert server.asked == [200]


@pytest.mark.parametrize("name", ["", "a/b", "../secrets", "a?version=2", "x" * 81])
def test_odd_names_are_refused(server: Server, name: str) -> None:
    with pytest.raises(ValueError, match="not the name of a prompt"):
        make(server).get(name)


def test_an_address_must_be_http() -> None:
    with pytest.raises(ValueError, match="http"):
        Client("file:///etc/passwd", KEY)


def test_values_are_inserted_as_they_are_and_missing_ones_named(server: Server) -> None:
    prompt = make(server).get("answer")
    assert prompt.compile(name="{{name}} \\1")[0]["content"] == "Hello {{name}} \\1"
    with pytest.raises(KeyError, match="name"):
        prompt.compile()


def test_what_is_written_on_the_trace(server: Server) -> None:
    prompt = make(server).get("answer", key="anna")
    assert prompt.attributes() == {
        "gen_ai.prompt.name": "answer",
        "gen_ai.prompt.version": "1",
        "whetstone.key": "anna",
        "whetstone.release": 7,
        "whetstone.bucket": serving.bucket("salt", "anna"),
        "whetstone.digest": "d" * 64,
    }
    fields = prompt.trace_fields()
    assert (fields["prompt_name"], fields["prompt_version"]) == ("answer", "1")
    assert fields["metadata"]["whetstone.key"] == "anna"


FORK = """
import os, sys, time
from registry.client import Client
client = Client(sys.argv[1], "k", ttl=0.2)
assert client.get("answer").version == 1
client._state.lock.acquire()          # as if another thread were inside at the moment of the fork
client._state.refreshing.add("answer/plan")
child = os.fork()
if child:
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
deadline = time.monotonic() + 5
while client.get("answer").version != 2:
    if time.monotonic() > deadline:
        os._exit(1)
    time.sleep(0.01)
os._exit(0)
"""


def test_a_forked_worker_refreshes_by_itself(server: Server) -> None:
    process = subprocess.Popen([sys.executable, "-c", FORK, server.url])
    until(lambda: server.asked == [200])
    server.change(2)
    assert process.wait(timeout=15) == 0


@pytest.fixture
def live(project: Project, environment: Environment) -> Release:
    version = factories.make_prompt(project, "answer")
    return release.go_live(version=version, environment=environment, reason="x", actor=SYSTEM)


def draw_alike(live: Release, server: Server) -> set[str]:
    """Compares 300 keys drawn by client and server; the arms that occurred."""
    text = factories.make_key(live.environment).text
    server.body = Door(headers={"X-API-Key": text}).get("/api/v1/prompts/answer/plan").json()
    client = make(server)
    found = serving.serving(live.prompt, live.environment)
    assert found is not None
    arms = set()
    for key in ["", "Zoë 🦊", *(f"user{number}" for number in range(300))]:
        ours, theirs = client.get("answer", key=key), found.resolve(key)
        assert (ours.version, ours.release) == (theirs.version.number, theirs.release.pk)
        assert (ours.arm, ours.bucket) == (theirs.arm, theirs.bucket)
        arms.add(ours.arm)
    return arms


def test_client_and_server_draw_alike_without_a_canary(live: Release, server: Server) -> None:
    assert draw_alike(live, server) == {""}


def test_client_and_server_draw_alike_beside_a_canary(live: Release, server: Server) -> None:
    second = factories.make_version(live.version)
    approve(second)
    release.start_canary(
        version=second, environment=live.environment, share=0.3, reason="try", actor=SYSTEM
    )
    assert draw_alike(live, server) == {"", "canary", "control"}
