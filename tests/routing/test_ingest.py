"""Traces come in once, whole, tied to what the registry served."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from pytest_django import DjangoAssertNumQueries

from core import clock
from core.access import SYSTEM
from core.models import Environment, Project, User
from registry.models import PromptVersion
from registry.release import go_live, start_canary
from registry.serving import resolve
from routing.ingest import ingest, settle_due, store_spans
from routing.models import Payload, Trace
from routing.models.trace import Stage
from routing.spans import SpanIn, Tokens
from tests import factories
from tests.registry.facts import approve
from tests.traces import run, send, trace_in


def test_sent_twice_is_stored_once(environment: Environment) -> None:
    batch = [trace_in("a"), trace_in("b")]
    first = ingest(batch, environment=environment, actor=SYSTEM)
    again = ingest([*batch, trace_in("c")], environment=environment, actor=SYSTEM)
    assert ([row.trace_id for row in first.created], first.duplicates) == (["a", "b"], 0)
    assert ([row.trace_id for row in again.created], again.duplicates) == (["c"], 2)
    assert Payload.objects.count() == 3


def test_a_batch_that_repeats_itself_counts_the_repeat(environment: Environment) -> None:
    found = ingest([trace_in("a"), trace_in("a")], environment=environment, actor=SYSTEM)
    assert (len(found.created), found.duplicates) == (1, 1)


def test_a_thousand_cost_as_many_statements_as_one(
    environment: Environment, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_max_num_queries(12):
        ingest([trace_in() for _ in range(1000)], environment=environment, actor=SYSTEM)


def test_the_whole_output_is_kept_and_its_beginning_is_shown(environment: Environment) -> None:
    (row,) = send(environment, trace_in(output="long  text\n" * 500))
    assert Payload.objects.get(trace_id=row.pk).output == "long  text\n" * 500
    assert row.preview.startswith("long text long text")
    assert len(row.preview) == 200


def test_a_trace_is_tied_to_the_version_that_served(
    environment: Environment, prompt_version: PromptVersion, ada: User
) -> None:
    prompt = prompt_version.prompt
    live = go_live(version=prompt_version, environment=environment, reason="first", actor=ada)
    (row,) = send(environment, trace_in(prompt_name=prompt.slug, prompt_version="1", user="u1"))
    assert (row.prompt, row.prompt_version, row.release, row.unit) == (
        prompt,
        prompt_version,
        live,
        "u1",
    )


def test_only_who_says_the_key_counts_for_an_arm(
    environment: Environment, prompt_version: PromptVersion, ada: User
) -> None:
    prompt = prompt_version.prompt
    go_live(version=prompt_version, environment=environment, reason="first", actor=ada)
    second = factories.make_version(prompt_version)
    approve(second)
    canary = start_canary(
        version=second, environment=environment, share=0.5, reason="try", actor=ada
    )
    keys = (f"conversation-{number}" for number in range(100))
    key = next(each for each in keys if resolve(prompt, environment, each).arm == "canary")  # type: ignore[union-attr]
    keyed, silent = send(
        environment,
        trace_in(
            prompt_name=prompt.slug,
            prompt_version="2",
            user="u1",
            metadata={"whetstone.key": key},
        ),
        trace_in(prompt_name=prompt.slug, prompt_version="2", user="u1"),
    )
    assert (keyed.release, keyed.arm, keyed.unit) == (canary, "canary", key)
    assert (silent.arm, silent.unit) == ("", "u1")


def test_an_unknown_prompt_or_version_is_no_fault(
    environment: Environment, prompt_version: PromptVersion
) -> None:
    slug = prompt_version.prompt.slug
    rows = send(
        environment,
        trace_in(prompt_name="nobody-knows", prompt_version="7"),
        trace_in(prompt_name=slug, prompt_version="canary of May"),
    )
    assert [(row.prompt, row.prompt_version) for row in rows] == [
        (None, None),
        (prompt_version.prompt, None),
    ]


def test_a_viewer_sends_nothing(environment: Environment, vi: User, cy: User) -> None:
    for person in (vi, cy):
        with pytest.raises(PermissionDenied):
            ingest([trace_in()], environment=environment, actor=person)


def test_cy_sees_no_trace(environment: Environment, project: Project, cy: User, ann: User) -> None:
    send(environment)
    assert not Trace.objects.visible_to(cy).exists()
    assert Trace.objects.visible_to(ann).count() == 1


def span(span_id: str, parent: str = "", seconds: int = 0, **facts: object) -> SpanIn:
    start = clock.now() + timedelta(seconds=seconds)
    return SpanIn(
        trace_id="0" * 31 + "1",
        span_id=span_id * 16,
        parent_id=parent * 16,
        started_at=start,
        ended_at=start + timedelta(seconds=1),
        **facts,  # type: ignore[arg-type]
    )


def llm(output: str, **facts: object) -> SpanIn:
    return span(
        "b",
        parent="a",
        kind="LLM",
        name="chat",
        messages_in=[{"role": "user", "content": "hello"}],
        messages_out=[{"role": "assistant", "content": output}],
        **facts,
    )


def test_spans_settle_into_a_trace_whatever_their_order(environment: Environment) -> None:
    moment = clock.now()
    with clock.at(moment):
        store_spans([llm("hi there")], environment=environment, actor=SYSTEM)
        store_spans([span("a", name="root")], environment=environment, actor=SYSTEM)
        assert settle_due() == 0
    with clock.at(moment + timedelta(seconds=11)):
        assert settle_due() == 1
    row = Trace.objects.get()
    assert (row.name, row.stage, row.preview) == ("root", Stage.SETTLED, "hi there")


def test_a_span_sent_twice_changes_nothing(environment: Environment) -> None:
    with clock.at(clock.now()):
        for _ in range(2):
            store_spans([llm("hi"), span("a")], environment=environment, actor=SYSTEM)
    with clock.at(clock.now() + timedelta(minutes=1)):
        settle_due()
    assert len(Payload.objects.get().content["steps"]) == 2


def test_a_late_span_makes_the_payload_whole_and_leaves_the_decision(
    environment: Environment,
) -> None:
    moment = clock.now()
    with clock.at(moment):
        store_spans([span("a", name="root")], environment=environment, actor=SYSTEM)
        late = llm("the answer")
    with clock.at(moment + timedelta(minutes=1)):
        run()
        assert Trace.objects.get().stage == Stage.DECIDED
        store_spans([late], environment=environment, actor=SYSTEM)
    assert Trace.objects.get().stage == Stage.DECIDED
    assert Payload.objects.get().output == "the answer"


@pytest.mark.parametrize(
    "facts",
    [
        {"tokens": Tokens(input=2**31 - 1)},
        {"cost_usd": 5e8},
        {"cost_usd": 1e300},
        {"cost_usd": -1e300},
    ],
)
def test_a_number_that_no_column_holds_does_not_hold_up_the_others(
    environment: Environment, facts: dict[str, Any]
) -> None:
    moment = clock.now()
    with clock.at(moment):
        calls = [span(name, kind="LLM", output_text="hi", **facts) for name in "ab"]
        other = replace(span("c", kind="LLM", output_text="ho"), trace_id="f" * 32)
        store_spans([*calls, other], environment=environment, actor=SYSTEM)
    with clock.at(moment + timedelta(minutes=1)):
        assert settle_due() == 2
    row = Trace.objects.get(trace_id=calls[0].trace_id)
    assert (row.tokens_in, row.cost_usd) == (None, None)
    kept = Payload.objects.get(trace_id=row.pk).content
    assert kept["tokens_in"] or kept["cost_usd"]


def test_what_ran_before_the_canary_is_no_control_of_it(
    environment: Environment, prompt_version: PromptVersion, ada: User
) -> None:
    prompt = prompt_version.prompt
    live = go_live(version=prompt_version, environment=environment, reason="first", actor=ada)
    second = factories.make_version(prompt_version)
    approve(second)
    canary = start_canary(
        version=second, environment=environment, share=0.5, reason="try", actor=ada
    )
    keys = (f"conversation-{number}" for number in range(100))
    key = next(each for each in keys if resolve(prompt, environment, each).arm == "control")  # type: ignore[union-attr]
    facts: dict[str, Any] = {
        "prompt_name": prompt.slug,
        "prompt_version": "1",
        "metadata": {"whetstone.key": key},
    }
    before, since = send(
        environment,
        trace_in(started_at=canary.started_at - timedelta(days=3), **facts),
        trace_in(**facts),
    )
    assert (before.release, before.arm) == (live, "")
    assert (since.release, since.arm) == (canary, "control")


def test_a_long_key_counts_for_the_arm_that_it_was_served(
    environment: Environment, prompt_version: PromptVersion, ada: User
) -> None:
    prompt = prompt_version.prompt
    go_live(version=prompt_version, environment=environment, reason="first", actor=ada)
    second = factories.make_version(prompt_version)
    approve(second)
    start_canary(version=second, environment=environment, share=0.5, reason="try", actor=ada)
    # The column of the unit holds 120 characters; the draw was made by all of them.
    keys = ["k" * 130 + str(number) for number in range(20)]
    drawn = [resolve(prompt, environment, key) for key in keys]
    rows = send(
        environment,
        *(
            trace_in(
                prompt_name=prompt.slug,
                prompt_version=str(found.version.number),
                metadata={"whetstone.key": key},
            )
            for key, found in zip(keys, drawn, strict=True)
            if found
        ),
    )
    assert [row.arm for row in rows] == [found.arm for found in drawn if found]
