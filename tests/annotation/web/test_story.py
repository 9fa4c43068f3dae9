from __future__ import annotations

from typing import Any

import pytest
from django.template.loader import render_to_string

from annotation.web import story
from core.models import Environment
from routing.models import Trace
from tests import traces

PASSAGE = "A card can be blocked in the app at any hour, also from abroad."


def told(environment: Environment, *, blind: bool = True, whole: bool = False, **facts: Any) -> Any:
    [trace] = traces.send(environment, traces.trace_in(**facts))
    return story.tell(trace, blind=blind, whole=whole)


def test_the_last_question_is_what_was_asked(environment: Environment) -> None:
    found = told(
        environment,
        messages=[
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hello"},
            {"role": "assistant", "content": "Good day."},
            {"role": "user", "content": "Is it free?"},
        ],
    )
    assert (found.asked, found.system) == ("Is it free?", "Be brief.")
    assert [message["text"] for message in found.messages] == ["Hello", "Good day."]


def test_what_was_retrieved_is_not_told_twice(environment: Environment) -> None:
    found = told(
        environment,
        documents=[{"id": "d1", "title": "Cards", "text": PASSAGE}],
        messages=[{"role": "user", "content": f"[d1] Cards\n{PASSAGE}\n\nCan I block it?"}],
    )
    assert found.asked == "[d1] Cards\n[text under Retrieved]\n\nCan I block it?"
    assert found.documents[0]["text"] == PASSAGE


def test_calls_of_tools_are_words(environment: Environment) -> None:
    call = {"id": "1", "name": "get_fee", "arguments": {"card": "gold"}}
    found = told(environment, messages=[{"role": "assistant", "content": "", "tool_calls": [call]}])
    assert "get_fee(" in found.messages[0]["text"]
    assert "gold" in found.messages[0]["text"]


def test_steps_form_a_tree_and_judges_are_left_out_of_a_blind_one(
    environment: Environment,
) -> None:
    steps = [
        {"kind": "AGENT", "name": "run", "span_id": "a", "parent_id": "", "started_ms": 0,
         "duration_ms": 200},
        {"kind": "TOOL", "name": "fee", "span_id": "b", "parent_id": "a", "started_ms": 100,
         "duration_ms": 50, "error": "timeout"},
        {"kind": "EVALUATOR", "name": "judge", "span_id": "c", "parent_id": "a", "output": "0.9"},
    ]  # fmt: skip
    [root] = told(environment, steps=steps).steps
    [child] = root["children"]
    assert (child["name"], child["start"], child["width"], child["error"]) == ("fee", 50, 25, True)
    assert len(told(environment, blind=False, steps=steps).details) == 3


@pytest.mark.parametrize(
    "steps",
    [
        [{"span_id": "a", "parent_id": "a"}],
        [{"span_id": 7}],
        [{"started_ms": None}],
        ["text"],
        [{}],
    ],
)
def test_odd_steps_do_no_harm(environment: Environment, steps: list[Any]) -> None:
    assert len(told(environment, steps=steps).steps) <= 1


def test_long_texts_are_shown_in_part_and_counted(environment: Environment) -> None:
    facts: dict[str, Any] = {
        "output": "x" * 130_000, "messages": [{"role": "user", "content": "y" * 25_000}],
    }  # fmt: skip
    part = told(environment, **facts)
    assert part.left == 35_000
    assert "5,000 more characters" in part.asked
    whole = told(environment, whole=True, **facts)
    assert whole.left == 0
    assert len(whole.asked) == 25_000


def test_a_trace_without_payload_tells_nothing(environment: Environment) -> None:
    [trace] = traces.send(environment)
    assert story.tell(Trace(pk=0, started_at=trace.started_at), blind=True).output == ""


def names(rows: list[Any]) -> list[Any]:
    return [(row["name"], names(row["children"])) for row in rows]


def test_what_a_judge_asked_of_a_model_is_left_out_with_the_judge(
    environment: Environment,
) -> None:
    steps = [
        {"kind": "LLM", "name": "its call", "span_id": "b", "parent_id": "a", "output": "0.93"},
        {"kind": "evaluator", "name": "judge", "span_id": "a"},
        {"kind": "TOOL", "name": "its tool", "span_id": "c", "parent_id": "b", "output": "0.93"},
        {"kind": "LLM", "name": "answer", "span_id": "d", "parent_id": "elsewhere"},
    ]
    blind = told(environment, steps=steps)
    assert names(blind.steps) == [("answer", [])]
    assert [step["name"] for step in blind.details] == ["answer"]
    assert len(told(environment, steps=steps, blind=False).details) == 4


def test_steps_in_any_shape_are_shown_once(environment: Environment) -> None:
    steps = [
        {"kind": ["LLM"], "name": "odd", "span_id": {"a": 1}, "parent_id": ["x"]},
        {"name": "round", "span_id": "a", "parent_id": "b"},
        {"name": "about", "span_id": "b", "parent_id": "a"},
        {"name": "twin", "span_id": "c", "parent_id": "c"},
        {"name": "twin", "span_id": "c"},
    ]
    found = told(environment, steps=steps)
    assert names(found.steps) == [
        ("odd", []), ("twin", []), ("twin", []), ("round", [("about", [])]),
    ]  # fmt: skip


def test_a_chain_of_steps_is_as_deep_as_a_page_can_draw(environment: Environment) -> None:
    chain = [{"name": str(n), "span_id": f"s{n}", "parent_id": f"s{n - 1}"} for n in range(300)]
    found = told(environment, steps=chain)
    page = render_to_string("ui/steps.html", {"steps": found.steps})
    assert page.count('class="step"') == 300
    assert page.count("<ol") == story.DEEPEST
