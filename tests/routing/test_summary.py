"""One trace out of its spans, as a reviewer reads it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from routing.spans import PromptRef, SpanIn, Tokens
from routing.summary import MAX_STEP_TEXT, summarise

START = datetime(2026, 11, 20, 9, tzinfo=UTC)
TRACE = "ab" * 16


def span(
    number: int, parent: int = 0, at: int = 0, length: int | None = 10, **facts: Any
) -> SpanIn:
    """A span with easy ids; `at` and `length` in milliseconds, no length while it runs."""
    started = START + timedelta(milliseconds=at)
    ended = None if length is None else started + timedelta(milliseconds=length)
    return SpanIn(
        trace_id=TRACE,
        span_id=f"{number:016x}",
        parent_id=f"{parent:016x}" if parent else "",
        started_at=started,
        ended_at=ended,
        **{"name": f"span {number}", **facts},
    )


def llm(number: int, parent: int = 0, said: str = "", asked: str = "", **facts: Any) -> SpanIn:
    """A model call that was asked something and said something."""
    return span(
        number,
        parent,
        kind="LLM",
        messages_in=[{"role": "user", "content": asked}] if asked else [],
        messages_out=[{"role": "assistant", "content": said}] if said else [],
        **facts,
    )


def test_the_root_s_words_are_the_output_and_pick_the_call_that_answered() -> None:
    trace = summarise(
        [
            span(1, kind="CHAIN", output_text="The branch opens at 9.", length=100),
            llm(2, 1, said="opening hours branch", asked="Rewrite the question", at=1),
            llm(3, 1, said="The branch opens at 9.", asked="When do you open?", at=20, model="m"),
            llm(4, 1, said="Title: opening hours", asked="Find a title", at=60),
        ]
    )

    assert trace.output == "The branch opens at 9."
    assert trace.messages == [{"role": "user", "content": "When do you open?"}]
    assert trace.model == "m"


def test_a_judge_s_call_is_never_the_answer() -> None:
    trace = summarise(
        [
            span(1, kind="CHAIN", length=100),
            llm(2, 1, said="Your limit is 900.", at=1),
            span(3, 1, kind="EVALUATOR", at=50),
            llm(4, 3, said="5 out of 5", at=51),
        ]
    )

    assert trace.output == "Your limit is 900."


def test_a_structured_root_output_gives_way_to_the_words_inside_it() -> None:
    root = span(1, kind="CHAIN", output_text='{"a": {"b": "Say \\"hi\\"."}, "usage": 3}')

    assert summarise([root, llm(2, 1, said='Say "hi".', at=1)]).output == 'Say "hi".'
    assert summarise([root]).output == root.output_text


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("plain words", "plain words"),
        ('"quoted"', "quoted"),
        ('{"answer": "one text"}', "one text"),
        ('{"type": "ai", "data": {"content": "from LangChain"}}', "from LangChain"),
        ('{"choices": [{"message": {"role": "assistant", "content": "choice"}}]}', "choice"),
        (
            '{"candidates": [{"content": {"parts": [{"text": "gemini"}], "role": "model"}}]}',
            "gemini",
        ),
        ('{"args": ["first"], "kwargs": {"tone": "kind"}}', "first\nkind"),
        ("{not json", "{not json"),
        ('{"a": 1, "b": 2}', '{"a": 1, "b": 2}'),
    ],
)
def test_envelopes_are_opened_for_reading(sent: str, read: str) -> None:
    assert summarise([span(1, kind="CHAIN", output_text=sent)]).output == read


def test_without_messages_the_first_input_is_what_the_user_said() -> None:
    trace = summarise(
        [span(1, name="POST /chat"), span(2, 1, at=1, kind="CHAIN", input_text='{"q": "Hello?"}')]
    )

    assert trace.messages == [{"role": "user", "content": "Hello?"}]


def test_a_bare_server_span_lets_its_chain_speak() -> None:
    trace = summarise(
        [
            span(1, name="POST /chat", length=100),
            span(2, 1, at=1, kind="CHAIN", output_text="draft"),
            span(3, 1, at=20, kind="CHAIN", output_text="final words"),
        ]
    )

    assert (trace.name, trace.output) == ("POST /chat", "final words")


def test_a_call_that_only_calls_tools_reads_as_the_call() -> None:
    call = {"id": "1", "name": "freeze", "arguments": {"card": "debit"}}
    message = {"role": "assistant", "content": "", "tool_calls": [call]}

    assert summarise([span(1, kind="LLM", messages_out=[message])]).output == (
        'freeze({"card": "debit"})'
    )


def test_any_order_gives_the_same_trace() -> None:
    spans = [
        span(1, kind="CHAIN", output_text="done", length=100),
        llm(2, 1, said="done", asked="go", at=5, tokens=Tokens(input=3, output=1)),
        span(3, 1, at=2, kind="RETRIEVER", documents=[_document("d1"), _document("d2")]),
        span(4, 2, at=6, kind="TOOL", tool={"name": "t", "arguments": {}, "result": "r"}),
    ]
    wholes = [summarise(order) for order in permutations(spans)]

    assert all(whole == wholes[0] for whole in wholes)
    assert [step["span_id"][-1] for step in wholes[0].steps] == ["1", "3", "2", "4"]


def _document(name: str) -> dict[str, Any]:
    return {"id": name, "title": "", "text": f"text of {name}", "score": 0.5, "metadata": {}}


def test_orphans_are_shown_until_the_root_comes() -> None:
    early = [
        span(2, 1, at=1, kind="RETRIEVER", documents=[_document("d")]),
        llm(3, 9, said="an answer", at=5),
    ]
    partial = summarise(early)
    whole = summarise([*early, span(1, name="late root", output_text="the answer", length=90)])

    assert [step["kind"] for step in partial.steps] == ["RETRIEVER", "LLM"]
    assert (partial.output, partial.latency_ms) == ("an answer", 14.0)
    assert (whole.name, whole.output, whole.latency_ms) == ("late root", "the answer", 90.0)


def test_an_inner_chain_does_not_speak_for_a_root_that_is_still_missing() -> None:
    trace = summarise(
        [
            span(2, 1, at=1, kind="CHAIN", output_text='{"context": [1], "question": "q"}'),
            llm(3, 1, said="an answer", at=20),
        ]
    )

    assert trace.output == "an answer"


def test_wrappers_repeat_tokens_and_costs_and_count_once() -> None:
    trace = summarise(
        [
            span(1, kind="AGENT", tokens=Tokens(input=99, output=99), cost_usd=0.5),
            llm(2, 1, tokens=Tokens(input=30, output=7), cost_usd=0.5, at=1),
            llm(3, 2, tokens=Tokens(input=10, output=2), cost_usd=0.2, at=2),
            llm(4, 2, tokens=Tokens(input=20, output=5), cost_usd=0.3, at=3),
            span(5, 1, kind="EMBEDDING", tokens=Tokens(input=4), at=4),
        ]
    )

    assert (trace.tokens_in, trace.tokens_out) == (10 + 20 + 4, 2 + 5)
    assert trace.cost_usd == 0.5


def test_a_wrapper_counts_where_its_children_say_nothing() -> None:
    trace = summarise([llm(1, tokens=Tokens(input=30), cost_usd=0.1), llm(2, 1, at=1)])

    assert (trace.tokens_in, trace.tokens_out, trace.cost_usd) == (30, None, 0.1)


def test_unknown_is_none_and_never_zero() -> None:
    trace = summarise([span(1, length=None)])

    assert (trace.tokens_in, trace.tokens_out, trace.cost_usd) == (None, None, None)
    assert (trace.latency_ms, trace.ttft_ms, trace.ended_at) == (None, None, None)
    assert trace.complete is False


@pytest.mark.parametrize(
    ("spans", "status", "error"),
    [
        ([span(1, status="error", error="boom")], "error", "boom"),
        ([span(1, status="error"), span(2, 1, status="error", error="deep")], "error", "deep"),
        ([span(1, status="error")], "error", "span 1 failed"),
        ([span(1), llm(2, 1, status="error", error="401", at=1)], "error", "401"),
        ([span(1, status="ok"), llm(2, 1, status="error", error="401", at=1)], "ok", ""),
        (
            [span(1), llm(2, 1, status="error", error="401", at=1), llm(3, 1, said="y", at=20)],
            "ok",
            "",
        ),
        ([span(1), span(2, 1, kind="TOOL", status="error", error="x", at=1)], "ok", ""),
    ],
)
def test_status_is_that_of_the_outcome(spans: list[SpanIn], status: str, error: str) -> None:
    trace = summarise(spans)

    assert (trace.status, trace.error) == (status, error)


def test_the_prompt_of_the_answering_call_wins_over_one_that_stands_everywhere() -> None:
    everywhere = PromptRef(name="system", version="1")
    trace = summarise(
        [
            span(1, kind="CHAIN", prompt=everywhere),
            llm(2, 1, said="a", at=1, prompt=PromptRef(name="answer", version="7")),
        ]
    )

    assert (trace.prompt_name, trace.prompt_version) == ("answer", "7")


def test_a_template_from_a_prompt_step_is_better_than_nothing() -> None:
    template = PromptRef(template="Hello {name}", variables={"name": "Kim"})
    trace = summarise([llm(1, said="a"), span(2, 1, kind="PROMPT", prompt=template)])

    assert (trace.prompt_template, trace.variables) == ("Hello {name}", {"name": "Kim"})


def test_context_comes_from_the_first_span_that_has_it() -> None:
    trace = summarise(
        [
            span(1, metadata={"task": "support", "plan": "pro"}, tags=["a"]),
            span(2, 1, metadata={"plan": "other", "lang": "de"}, tags=["b", "a"], session="s"),
        ]
    )

    assert trace.metadata == {"task": "support", "plan": "pro", "lang": "de"}
    assert (trace.task, trace.language, trace.session) == ("support", "de", "s")
    assert trace.tags == ["a", "b"]


def test_steps_say_what_happened_in_words() -> None:
    history = [
        {"role": "user", "content": "my limit?"},
        {"role": "tool", "content": "900"},
    ]
    steps = summarise(
        [
            span(1, kind="AGENT", messages_in=history, length=50),
            span(2, 1, at=1, kind="LLM", messages_in=history),
            span(3, 1, at=2, kind="RETRIEVER", documents=[_document("d")], input_text="limit"),
            span(4, 1, at=3, kind="EMBEDDING", input_text="a", output_text="[0.1, 0.2]"),
            span(5, 1, at=4, output_text="x" * (MAX_STEP_TEXT + 5), status="error"),
        ]
    ).steps

    assert [step["input"] for step in steps] == ["my limit?", "900", "limit", "a", ""]
    assert steps[2]["output"] == "d\ntext of d"
    assert steps[3]["output"] == ""
    assert steps[4]["output"].endswith("[5 characters cut]")
    assert (steps[4]["error"], steps[4]["started_ms"], steps[4]["duration_ms"]) == ("failed", 4, 10)


def test_a_span_that_comes_twice_counts_once_and_finished_beats_running() -> None:
    done = llm(1, said="done", tokens=Tokens(output=2))
    running = span(1, kind="LLM", length=None)

    assert summarise([done, running]) == summarise([running, done]) == summarise([done])
    assert summarise([done, done]).tokens_out == 2


def test_logfire_s_placeholder_of_a_running_span_is_left_out() -> None:
    placeholder = span(2, 1, attributes={"logfire.span_type": "pending_span"})

    assert len(summarise([span(1), placeholder]).steps) == 1
    assert len(summarise([placeholder]).steps) == 1


def test_ids_in_a_circle_end() -> None:
    trace = summarise([span(1, 2), span(2, 1, at=1), span(3, 2, at=2), span(4, 4, at=3)])

    assert [step["span_id"][-1] for step in trace.steps] == ["1", "2", "3", "4"]


def test_a_tree_of_thousands_is_no_recursion() -> None:
    chain = [span(n, n - 1, at=n, kind="LLM", tokens=Tokens(input=1)) for n in range(1, 3001)]

    assert summarise(chain).tokens_in == 1


@pytest.mark.parametrize("trace_ids", [[], [TRACE, "cd" * 16]])
def test_spans_of_exactly_one_trace(trace_ids: list[str]) -> None:
    spans = [
        SpanIn(trace_id=trace_id, span_id="1" * 16, started_at=START) for trace_id in trace_ids
    ]

    with pytest.raises(ValueError, match="exactly one trace"):
        summarise(spans)
