"""The simulated model over HTTP: a server like any other, and honest about being simulated."""

from __future__ import annotations

import http.client
import json
import os
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from annotation.demo.simulator import MAX_BODY_BYTES, MODEL, Simulator

ROOT = Path(__file__).resolve().parents[3]
HELLO = [{"role": "user", "content": "Hello"}]
EDITS = {
    "type": "object",
    "properties": {
        "edits": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "block": {"type": "string"},
                    "failure_mode": {"type": "string"},
                    "operation": {"enum": ["add", "replace", "delete"]},
                    "new_text": {"type": "string"},
                    "evidence_ids": {"type": "array", "items": {"type": "integer"}},
                },
            },
        }
    },
}


def call(
    simulator: Simulator, method: str, path: str, body: bytes | None = None, **headers: str
) -> tuple[int, dict[str, Any]]:
    line = http.client.HTTPConnection("127.0.0.1", simulator.port, timeout=10)
    try:
        line.request(method, path, body, headers)
        response = line.getresponse()
        return response.status, json.loads(response.read())
    finally:
        line.close()


def complete(simulator: Simulator, **request: Any) -> tuple[int, dict[str, Any]]:
    body = json.dumps({"model": MODEL, "messages": HELLO} | request).encode()
    return call(simulator, "POST", "/v1/chat/completions", body)


def said(simulator: Simulator, **request: Any) -> Any:
    status, body = complete(simulator, **request)
    assert status == 200, body
    return json.loads(body["choices"][0]["message"]["content"])


def test_it_is_healthy_and_calls_itself_simulated(simulator: Simulator) -> None:
    assert call(simulator, "GET", "/healthz")[0] == 200
    status, body = call(simulator, "GET", "/v1/models")
    assert (status, [each["id"] for each in body["data"]]) == (200, ["simulated-1"])


def test_the_same_question_has_the_same_answer(simulator: Simulator) -> None:
    first, second = complete(simulator), complete(simulator)
    assert first == second
    usage = first[1]["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


@pytest.mark.parametrize(
    ("request_", "status", "named"),
    [
        ({"model": "gpt-5"}, 404, "model"),
        ({"messages": []}, 400, "messages"),
        ({"messages": "Hello"}, 400, "messages"),
        ({"messages": [{"content": "a"}]}, 400, "messages.0.role"),
        ({"messages": [{"role": "user", "content": 3}]}, 400, "messages.0.content"),
        ({"stream": True}, 400, "stream"),
        ({"response_format": {"type": "xml"}}, 400, "response_format"),
        ({"response_format": {"type": "json_schema"}}, 400, "response_format.json_schema"),
    ],
)
def test_a_bad_request_names_the_field(
    simulator: Simulator, request_: dict[str, Any], status: int, named: str
) -> None:
    found, body = complete(simulator, **request_)
    assert found == status
    assert body["error"]["message"].startswith(named)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_request_is_refused(simulator: Simulator, body: bytes) -> None:
    status, answer = call(simulator, "POST", "/v1/chat/completions", body)
    assert status == 400
    assert answer["error"]["message"]


def test_a_body_without_end_is_not_read(simulator: Simulator) -> None:
    length = str(MAX_BODY_BYTES + 1)
    status, _ = call(simulator, "POST", "/v1/chat/completions", b"x", **{"Content-Length": length})
    assert status == 413


def test_other_paths_are_not_found(simulator: Simulator) -> None:
    assert call(simulator, "GET", "/")[0] == 404
    assert call(simulator, "POST", "/v1/responses", b"{}")[0] == 404


def test_one_connection_serves_many_requests(simulator: Simulator) -> None:
    line = http.client.HTTPConnection("127.0.0.1", simulator.port, timeout=10)
    for _ in range(3):
        line.request("GET", "/healthz")
        assert line.getresponse().read()
    line.request("POST", "/nowhere", b"{}")
    assert line.getresponse().read()
    line.request("GET", "/healthz")
    assert line.getresponse().status == 200
    line.close()


def test_many_may_ask_at_once(simulator: Simulator) -> None:
    found: list[int] = []
    threads = [
        threading.Thread(target=lambda: found.append(complete(simulator)[0])) for _ in range(40)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [200] * 40


def test_an_answer_fits_the_schema_that_is_asked_for(simulator: Simulator) -> None:
    schema = {
        "type": "object",
        "properties": {
            "answer": {"type": "string"},
            "mood": {"enum": ["calm", "cross"]},
            "score": {"anyOf": [{"type": "number"}, {"type": "null"}]},
            "parts": {"type": "array", "items": {"$ref": "#/$defs/part"}},
            "part": {"$ref": "#/$defs/part"},
        },
        "$defs": {"part": {"type": "object", "properties": {"n": {"type": "integer"}}}},
    }
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    value = said(simulator, response_format=wanted)
    assert isinstance(value.pop("answer"), str)
    assert value == {"mood": "calm", "score": None, "parts": [], "part": {"n": 0}}


def test_the_optimizer_mends_what_the_feedback_names(simulator: Simulator) -> None:
    feedback = {
        "blocks": [
            {"key": "role", "text": "You answer.", "locked": False},
            {"key": "instructions", "text": "Be kind.", "locked": False},
            {"key": "guardrails", "text": "Never ask for a PIN.", "locked": True},
        ],
        "feedback": [
            {"failure_mode": "citation_missing", "evidence_ids": [4, 5]},
            {"failure_mode": "citation_missing", "evidence": [{"id": 9}]},
        ],
    }
    messages = [
        {"role": "system", "content": "Propose an edit of the prompt for each failure mode."},
        {"role": "user", "content": json.dumps(feedback)},
    ]
    wanted = {"type": "json_schema", "json_schema": {"name": "e", "schema": EDITS}}
    [edit] = said(simulator, messages=messages, response_format=wanted)["edits"]
    assert (edit["block"], edit["operation"]) == ("instructions", "add")
    assert edit["evidence_ids"] == [4, 5, 9]
    assert "Cite" in edit["new_text"]
    feedback["blocks"][1]["text"] += " " + edit["new_text"]  # type: ignore[index]
    messages[1]["content"] = json.dumps(feedback)
    assert said(simulator, messages=messages, response_format=wanted) == {"edits": []}


def test_the_command_serves_and_says_what_to_set(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "manage.py", "simulated_model"],
        cwd=ROOT,
        env={**os.environ, "WHETSTONE_HOME": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            found = re.fullmatch(
                r"OPENAI_BASE_URL=http://127\.0\.0\.1:(\d+)/v1\n", process.stdout.readline()
            )
            assert found is not None
            line = http.client.HTTPConnection("127.0.0.1", int(found[1]), timeout=10)
            line.request("GET", "/healthz")
            assert line.getresponse().status == 200
            line.close()
        finally:
            process.terminate()
