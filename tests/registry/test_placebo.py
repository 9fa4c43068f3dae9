"""The placebo test: candidates that change nothing must not pass the gate.

A gate that asks for a better mean lets nearly every second of them through.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import blake2b
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import numpy as np
import pytest
from numpy.typing import NDArray
from pytest_django import Settings

from core.access import SYSTEM
from core.models import Project
from registry import gate
from registry.gate import Outcome, decide
from registry.models import PromptVersion
from registry.models.gate import GateState
from tests.registry.bank import add_rule, make_bank, make_cases

MODE = "tone"
MOST_FALSE_PASSES = 0.05
GATES = 2_000

pytestmark = pytest.mark.soak


def coin(rng: np.random.Generator, cases: int) -> NDArray[np.float64]:
    """Every case as hard as the others."""
    return np.full(cases, 0.3)


def uneven(rng: np.random.Generator, cases: int) -> NDArray[np.float64]:
    """Most cases are easy and some hard, as in real golden sets."""
    return rng.beta(0.3, 0.7, cases)


def rare(rng: np.random.Generator, cases: int) -> NDArray[np.float64]:
    """A failure that shows on few cases."""
    return np.full(cases, 0.05)


def modes(bad: bool, aimed: bool) -> frozenset[str]:
    return frozenset({MODE if aimed else "other"} if bad else ())


def gated(rng: np.random.Generator, chances: NDArray[np.float64]) -> GateState:
    """One gate whose two arms fail each case with the same chance; half of the failures are
    another mode than the target."""
    shape = (len(chances), 2)
    bad, aimed = rng.random(shape) < chances[:, None], rng.random(shape) < 0.5
    outcomes = [
        Outcome(
            case, False, True, *(modes(*arm) for arm in zip(bad[case], aimed[case], strict=True))
        )
        for case in range(len(chances))
    ]
    return decide(outcomes, target=MODE).state


@pytest.mark.parametrize("difficulty", [coin, uneven, rare])
@pytest.mark.parametrize("cases", [20, 50, 100, 200])
def test_no_more_than_one_placebo_in_twenty_passes(difficulty: object, cases: int) -> None:
    rng = np.random.default_rng(cases)
    states = [gated(rng, difficulty(rng, cases)) for _ in range(GATES)]  # type: ignore[operator]
    assert states.count(GateState.PASSED) <= MOST_FALSE_PASSES * GATES


def test_what_really_mends_passes_most_of_the_time() -> None:
    """The other side: a gate that passes nothing would pass the test above too."""
    rng = np.random.default_rng(1)
    passed = 0
    for _ in range(200):
        was, now = rng.random(200) < 0.3, rng.random(200) < 0.1
        rows = [
            Outcome(case, False, True, modes(was[case], True), modes(now[case], True))
            for case in range(200)
        ]
        passed += decide(rows, target=MODE).state == GateState.PASSED
    assert passed >= 190


@pytest.fixture
def wavering(settings: Settings) -> Iterator[None]:
    """A model whose answer to a question is bad with a chance of 0.3 under any prompt, drawn anew
    for each prompt, and a judge who sees it. Both depend on nothing but the texts."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            choice = {
                "index": 0,
                "finish_reason": "stop",
                "message": {"role": "assistant", "content": reply(body)},
            }
            whole = {"id": "x", "object": "chat.completion", "created": 0, "model": "wavering"}
            answer = json.dumps(whole | {"choices": [choice]}).encode()
            head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(answer)}\r\n"
            kind = "Content-Type: application/json\r\n\r\n"
            self.wfile.write((head + kind).encode() + answer)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Quiet."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        settings.OPENAI_BASE_URL = f"http://127.0.0.1:{server.server_address[1]}/v1"
        settings.MODELS = dict.fromkeys(("task", "judge"), "wavering")
        yield
        server.shutdown()
        thread.join()


def reply(body: dict[str, object]) -> str:
    if "response_format" not in body:
        digest = blake2b(json.dumps(body["messages"]).encode(), digest_size=8).digest()
        return "bad" if int.from_bytes(digest, "big") / 2**64 < 0.3 else "good"
    asked = body["messages"]
    assert isinstance(asked, list)
    bad = json.loads(asked[-1]["content"])["output"] == "bad"
    findings = [{"mode": MODE, "severity": "major", "quote": ""}] if bad else []
    verdict = "defective" if bad else "acceptable"
    return json.dumps({"verdict": verdict, "risk": 0.5, "findings": findings, "explanation": ""})


@pytest.fixture
def bank(project: Project) -> PromptVersion:
    return make_bank(project)


def test_the_whole_gate_passes_no_placebo_over_http(bank: PromptVersion, wavering: None) -> None:
    make_cases(bank, 50)
    states, gains = [], 0
    for number in range(40):
        placebo = add_rule(bank, f"This is edition {number}.")
        run = gate.run(gate.request(version=placebo, target_mode=MODE, actor=SYSTEM).pk)
        states.append(run.state)
        overall = run.result["overall"]
        gains += overall["only_baseline_fails"] > overall["only_candidate_fails"]
    assert set(states) <= {GateState.PASSED, GateState.INCONCLUSIVE, GateState.BLOCKED}
    assert states.count(GateState.PASSED) <= MOST_FALSE_PASSES * len(states)
    # The bait was there: by their means alone many of them look better.
    assert gains >= 10
