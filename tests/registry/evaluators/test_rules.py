"""Rules of form."""

from __future__ import annotations

import json
from typing import Any

import pytest

from registry.evaluators import Signal, Subject, deterministic
from registry.evaluators.base import Check
from registry.evaluators.rules import (
    Budget,
    EmptyOutput,
    JsonValidity,
    LanguageMismatch,
    Length,
    Refusal,
    Repetition,
    ToolErrors,
)


def judge(check: Check, **facts: Any) -> Signal:
    [signal] = check.evaluate([Subject(**facts)])
    return signal


def silent(signal: Signal) -> bool:
    """It does not apply: no value, no fault, a reason."""
    return signal.value is None and not signal.error and bool(signal.explanation)


def told(text: str) -> list[dict[str, str]]:
    return [{"role": "system", "content": text}, {"role": "user", "content": "Go on."}]


@pytest.mark.parametrize(
    ("facts", "value"),
    [({"output": " \n"}, 1), ({"output": "x", "error": "429"}, 1), ({"output": "x"}, 0)],
)
def test_empty_output(facts: dict[str, Any], value: float) -> None:
    assert judge(EmptyOutput(), **facts).value == value


@pytest.mark.parametrize(("count", "failed"), [(20, False), (21, False), (35, True), (100, True)])
def test_length_follows_the_limit_in_the_instructions(count: int, failed: bool) -> None:
    signal = judge(Length(), output="word " * count, messages=told("Use at most 20 words."))
    assert signal.failed is failed
    assert (signal.value == 0) is (count <= 20)


def test_length_has_a_limit_of_its_own() -> None:
    assert judge(Length(max_words=10), output="word " * 25).failed is True
    assert judge(Length(), output="word " * 25).value == 0


@pytest.mark.parametrize(
    ("output", "value"),
    [
        ('{"a": 1}', 0),
        ('```json\n{"a": 1}\n```', 0.6),
        ("a: 1", 1),
        ('{"a": 1', 1),
        ("[" * 100_000, 1),
    ],
)
def test_json_validity(output: str, value: float) -> None:
    signal = judge(JsonValidity(), output=output, messages=told("Answer in JSON."))
    assert signal.value == value


def test_json_is_not_missed_where_nobody_asked() -> None:
    signal = judge(JsonValidity(), output="a", messages=told("Explain what JSON means."))
    assert silent(signal)
    assert signal.failed is None


def test_json_may_be_asked_for_by_the_request() -> None:
    wanted = {"response_format": {"type": "json_object"}}
    assert judge(JsonValidity(), output="a", metadata=wanted).value == 1


def test_repetition_sees_a_loop_and_not_a_text() -> None:
    text = " ".join(f"word{n}" for n in range(200))
    assert judge(Repetition(), output=text).value == 0
    loop = judge(Repetition(), output="I will now check the order status. " * 50)
    assert loop.failed is True
    assert silent(judge(Repetition(), output="short"))


@pytest.mark.parametrize(
    ("output", "risky"),
    [
        ("I'm sorry, but I cannot help with that.", True),
        ("I can’t assist with this request.", True),
        ("As an AI language model, I cannot say.", True),
        ("I am sorry to hear that. Your card is on its way.", False),
        ("You cannot use the card abroad.", False),
    ],
)
def test_refusal_is_seen_and_takes_no_side(output: str, risky: bool) -> None:
    signal = judge(Refusal(), output=output)
    assert (signal.value or 0) > 0 if risky else signal.value == 0
    assert signal.failed is (None if risky else False)


GERMAN = "Die Karte ist nicht mit der Post gekommen und ich habe das Geld für die Reise nicht mehr."
FRENCH = (
    "Nous ne pouvons pas vous aider avec cette carte, et les frais sont pour la banque du pays."
)
RUSSIAN = "Карта не пришла по почте, и я не могу заплатить за поездку в этом месяце."
JAPANESE = "カードがまだ届いていません。旅行の前に新しいカードを送っていただけますか。"
ENGLISH = "The card has not come in the post and it is not clear to me that you will send it."


@pytest.mark.parametrize(
    ("language", "output", "value"),
    [
        ("en", ENGLISH, 0),
        ("de", GERMAN, 0),
        ("fr", FRENCH, 0),
        ("ru", RUSSIAN, 0),
        ("ja", JAPANESE, 0),
        ("en", GERMAN, 0.9),
        ("en", RUSSIAN, 0.9),
        ("en", JAPANESE, 0.9),
        ("de", ENGLISH, 0.9),
        ("zh", JAPANESE, 0.9),
        ("ru", ENGLISH, 0.9),
        ("en", "def main(): return sorted(values, key=len)[0] " * 4, 0),
        ("", ENGLISH, None),
        ("en", "Yes.", None),
        ("xx", ENGLISH, None),
    ],
)
def test_language_mismatch(language: str, output: str, value: float | None) -> None:
    assert judge(LanguageMismatch(), language=language, output=output).value == value


@pytest.mark.parametrize(
    ("facts", "value"),
    [
        ({}, None),
        ({"latency_ms": 19_000}, 0),
        ({"latency_ms": 20_000}, 0.5),
        ({"latency_ms": 90_000, "cost_usd": 0.01}, 1),
        ({"cost_usd": 0.15}, 0.75),
    ],
)
def test_budget(facts: dict[str, Any], value: float | None) -> None:
    assert judge(Budget(), output="x", **facts).value == value


def test_tool_errors_weigh_the_last_step_most() -> None:
    good, bad = {"kind": "tool", "output": "42"}, {"kind": "tool", "output": "Error: no such order"}
    assert judge(ToolErrors(), steps=[good, good]).value == 0
    assert judge(ToolErrors(), steps=[bad, good, good, good]).value == 0.2
    assert judge(ToolErrors(), steps=[good, bad]).value == 0.8
    assert silent(judge(ToolErrors(), steps=[{"kind": "llm", "output": "Error"}]))
    assert judge(ToolErrors(), steps=[{"status": "ERROR", "output": None}]).failed is True
    assert judge(ToolErrors(), steps=[{"output": '{"error": null, "ok": 1}'}]).value == 0


def test_a_strange_subject_spoils_no_batch() -> None:
    strange = Subject(output=None, messages=[{"role": None}], steps=[None])  # type: ignore[arg-type, list-item]
    fine = Subject(output="A plain answer.")
    for evaluator in deterministic():
        first, second = evaluator.evaluate([strange, fine])
        assert first.value is not None or first.error or first.explanation
        assert second == evaluator.evaluate([fine])[0]


def test_every_check_is_whole() -> None:
    checks = deterministic()
    assert len({check.name for check in checks}) == len(checks) == 14
    subject = Subject(
        messages=told(json.dumps({"a": 1})),
        output="word " * 50,
        documents=[{"id": "d", "text": None}],
    )
    for check in checks:
        [signal] = check.evaluate([subject])
        assert signal.explanation
        assert not signal.error
        assert signal.name == check.name
        assert signal.value is None or 0 <= signal.value <= 1
        assert check.evaluate([]) == []
