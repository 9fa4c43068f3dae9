"""The client of model providers, over real HTTP."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from decimal import Decimal

import pytest
from pydantic import BaseModel
from pytest_django import Settings

from annotation.demo.simulator import Simulator
from core import llm
from core.db import WrongPlace, command
from core.llm import connection
from core.models import LlmCall, Project
from tests.llm import Script

HELLO = [{"role": "user", "content": "Hello"}]
pytestmark = pytest.mark.django_db


class Colour(BaseModel):
    name: str
    warm: bool


WARM = '{"name": "red", "warm": true}'


@pytest.fixture(autouse=True)
def fresh_habits() -> Iterator[None]:
    """What one test's server understands is not what the next one's does."""
    connection._habits.clear()
    yield
    connection._habits.clear()


def test_a_reply_carries_text_counts_and_model(model: Simulator) -> None:
    reply = llm.complete("task", HELLO, project_id=None)
    assert reply.text
    assert reply.model == "simulated-1"
    assert reply.tokens_in == 5
    assert reply.tokens_out is not None
    assert reply.cost_usd is None
    assert not reply.truncated


def test_every_call_is_recorded_with_its_project(script: Script, project: Project) -> None:
    script.say("Hi")
    llm.complete("judge", HELLO, project_id=project.id)
    call = LlmCall.objects.get()
    assert (call.project, call.purpose, call.model) == (project, "judge", "scripted-1")
    assert (call.tokens_in, call.tokens_out, call.status) == (10, 5, "ok")


def test_a_price_in_the_settings_gives_a_cost(script: Script, settings: Settings) -> None:
    settings.MODEL_PRICES = {"scripted-1": (1, "2.5")}
    script.say("Hi")
    reply = llm.complete("task", HELLO, project_id=None)
    assert reply.cost_usd == Decimal("0.0000225")


def test_a_failed_call_is_recorded_too(script: Script) -> None:
    script.fail(503, "overloaded", Retry_After="7")
    with pytest.raises(llm.Unavailable) as caught:
        llm.complete("task", HELLO, project_id=None)
    assert caught.value.retry_after == 7
    call = LlmCall.objects.get()
    assert call.status == "error"
    assert "overloaded" in call.error
    assert call.tokens_in is None


def test_a_call_for_an_unknown_project_still_answers(script: Script) -> None:
    script.say("Hi")
    # The foreign key is checked at commit; a purpose too long for its column fails at once.
    llm.record_call(
        project_id=None,
        purpose="p" * 100,
        model="m",
        tokens_in=1,
        tokens_out=1,
        cost_usd=None,
        latency_ms=1,
        status="ok",
    )
    assert llm.complete("task", HELLO, project_id=None).text == "Hi"
    assert LlmCall.objects.count() == 1


def test_a_call_inside_a_command_is_refused(model: Simulator) -> None:
    @command
    def ask() -> llm.Reply:
        return llm.complete("task", HELLO, project_id=None)

    with pytest.raises(WrongPlace):
        ask()


@pytest.mark.parametrize(
    ("base_url", "key", "models", "named"),
    [
        ("", "", {"judge": ""}, ["JUDGE_MODEL", "OPENAI_API_KEY"]),
        ("", "k", {"judge": ""}, ["JUDGE_MODEL"]),
        ("http://127.0.0.1:1/v1", "", {}, ["JUDGE_MODEL"]),
        ("", "", {"judge": "m"}, ["OPENAI_API_KEY"]),
    ],
)
def test_what_is_not_configured_is_named(
    settings: Settings, base_url: str, key: str, models: dict[str, str], named: list[str]
) -> None:
    settings.OPENAI_BASE_URL, settings.OPENAI_API_KEY, settings.MODELS = base_url, key, models
    assert not llm.configured("judge")
    assert [name for name in ("JUDGE_MODEL", "OPENAI_API_KEY") if name in llm.missing("judge")] == (
        named
    )
    with pytest.raises(llm.NotConfigured, match=named[0]):
        llm.complete("judge", HELLO, project_id=None)
    with pytest.raises(llm.NotConfigured):
        llm.complete_many("judge", [HELLO], project_id=None)
    assert LlmCall.objects.count() == 0


def test_a_server_of_ones_own_needs_no_key(settings: Settings) -> None:
    settings.OPENAI_BASE_URL, settings.OPENAI_API_KEY = "http://127.0.0.1:1/v1", ""
    settings.MODELS = {"judge": "m"}
    assert llm.configured("judge")
    assert llm.missing("judge") == ""


def test_an_unknown_purpose_is_a_fault_of_the_caller() -> None:
    with pytest.raises(ValueError, match="purpose"):
        llm.configured("jugde")


def test_a_dead_endpoint_is_unavailable_at_once(settings: Settings) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        settings.OPENAI_BASE_URL = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
        settings.MODELS = {"task": "m"}
        start = time.monotonic()
        with pytest.raises(llm.Unavailable, match="not reachable"):
            llm.complete("task", HELLO, project_id=None)
    assert time.monotonic() - start < 3


def test_a_server_that_drips_is_cut_off(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "TOTAL_SECONDS", 0.3)
    script.pause = 0.1
    script.say("late " * 50)
    start = time.monotonic()
    with pytest.raises(llm.Unavailable, match="no whole answer"):
        llm.complete("task", HELLO, project_id=None)
    assert time.monotonic() - start < 1.5


def test_an_answer_without_end_is_cut_off(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "MAX_ANSWER_BYTES", 1000)
    script.say("x" * 5000)
    with pytest.raises(llm.Unavailable, match="larger than 1000"):
        llm.complete("task", HELLO, project_id=None)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_what_the_server_refuses_is_not_asked_again(script: Script, status: int) -> None:
    script.fail(status, "never")
    with pytest.raises(llm.Refused, match="never") as caught:
        llm.complete("task", HELLO, project_id=None)
    assert caught.value.status == status
    assert len(script.asked) == 1


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504])
def test_what_may_pass_is_unavailable_and_not_retried_here(script: Script, status: int) -> None:
    script.fail(status)
    with pytest.raises(llm.Unavailable):
        llm.complete("task", HELLO, project_id=None)
    assert len(script.asked) == 1


def test_retry_after_may_be_a_date(script: Script) -> None:
    script.fail(429, Retry_After="Fri, 01 Jan 2100 00:00:00 GMT")
    with pytest.raises(llm.Unavailable) as caught:
        llm.complete("task", HELLO, project_id=None)
    assert caught.value.retry_after is not None
    assert caught.value.retry_after > 1e6


@pytest.mark.parametrize("header", ["soon", ""])
def test_an_unreadable_retry_after_is_none(script: Script, header: str) -> None:
    script.fail(429, Retry_After=header)
    with pytest.raises(llm.Unavailable) as caught:
        llm.complete("task", HELLO, project_id=None)
    assert caught.value.retry_after is None


@pytest.mark.parametrize(
    "body",
    [b"<html>Gateway</html>", b"{}", b'{"choices": []}', b'{"choices": null}', b"[]", b"null", b""],
)
def test_a_body_that_is_no_completion_is_a_bad_answer(script: Script, body: bytes) -> None:
    script.send(200, body)
    with pytest.raises(llm.BadAnswer):
        llm.complete("task", HELLO, project_id=None)
    assert LlmCall.objects.get().status == "error"


def test_an_empty_answer_is_a_bad_answer_and_its_tokens_are_counted(script: Script) -> None:
    script.say(None)
    with pytest.raises(llm.BadAnswer, match="nothing"):
        llm.complete("task", HELLO, project_id=None)
    assert LlmCall.objects.get().tokens_in == 10


def test_a_model_that_declines_has_refused(script: Script) -> None:
    script.say(None, message={"role": "assistant", "content": None, "refusal": "I will not."})
    with pytest.raises(llm.Refused, match="I will not"):
        llm.complete("task", HELLO, project_id=None)


def test_usage_may_be_missing(script: Script) -> None:
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "a"}}
    script.send(200, {"choices": [choice]})
    reply = llm.complete("task", HELLO, project_id=None)
    assert (reply.tokens_in, reply.tokens_out, reply.model) == (None, None, "scripted-1")


def test_a_model_without_temperature_is_remembered(script: Script) -> None:
    script.fail(400, "Unsupported value: 'temperature'").say("one").say("two")
    assert llm.complete("task", HELLO, project_id=None).text == "one"
    assert llm.complete("task", HELLO, project_id=None).text == "two"
    assert ["temperature" in each for each in script.asked] == [True, False, False]


def test_structured_asks_by_strict_schema_first(script: Script) -> None:
    script.say(WARM)
    value, reply = llm.complete_structured("judge", HELLO, Colour, project_id=None)
    assert value == Colour(name="red", warm=True)
    assert reply.text == WARM
    wanted = script.asked[0]["response_format"]["json_schema"]
    assert wanted["strict"] is True
    assert wanted["schema"]["additionalProperties"] is False
    assert wanted["schema"]["required"] == ["name", "warm"]


def test_structured_steps_down_and_remembers(script: Script) -> None:
    script.fail(400, "response_format json_schema is not supported")
    script.fail(422, "json_object is not supported")
    script.say(f"Here you are:\n```json\n{WARM}\n```\nAnything else?")
    for _ in range(2):
        value, _ = llm.complete_structured("judge", HELLO, Colour, project_id=None)
        assert value.warm
    kinds = [each.get("response_format", {}).get("type") for each in script.asked]
    assert kinds == ["json_schema", "json_object", None, None]
    assert '"warm"' in script.asked[-1]["messages"][-1]["content"]
    assert list(LlmCall.objects.order_by("id").values_list("status", flat=True)) == [
        "error",
        "error",
        "ok",
        "ok",
    ]


def test_a_server_that_ignores_the_schema_is_asked_in_words(script: Script) -> None:
    script.say("Red is a warm colour.").say(WARM)
    value, _ = llm.complete_structured("judge", HELLO, Colour, project_id=None)
    assert value.name == "red"
    assert len(script.asked) == 2


def test_a_known_server_is_not_asked_three_times_for_one_bad_answer(script: Script) -> None:
    script.say(WARM).say('{"name": "red"}')
    llm.complete_structured("judge", HELLO, Colour, project_id=None)
    with pytest.raises(llm.BadAnswer, match="warm"):
        llm.complete_structured("judge", HELLO, Colour, project_id=None)
    assert len(script.asked) == 2


def test_a_wrong_key_is_not_tried_in_other_modes(script: Script) -> None:
    script.fail(401, "bad key")
    with pytest.raises(llm.Refused, match="OPENAI_API_KEY"):
        llm.complete_structured("judge", HELLO, Colour, project_id=None)
    assert len(script.asked) == 1


def test_a_cut_answer_is_a_bad_answer(script: Script) -> None:
    script.say(WARM).say('{"name": "re', finish_reason="length")
    llm.complete_structured("judge", HELLO, Colour, project_id=None)
    with pytest.raises(llm.BadAnswer, match="cut off"):
        llm.complete_structured("judge", HELLO, Colour, project_id=None)


def test_many_answers_come_in_order_with_errors_in_their_places(
    model: Simulator, project: Project
) -> None:
    asked = [[{"role": "user", "content": f"What about {n}?"}] for n in range(30)]
    asked[7] = []
    answers = llm.complete_many("task", asked, project_id=project.id, workers=8)
    assert isinstance(answers[7], llm.Refused)
    alone = [llm.complete("task", each, project_id=None).text for each in asked if each]
    together = [each.text for each in answers if isinstance(each, llm.Reply)]
    assert together == alone
    assert LlmCall.objects.filter(project=project).count() == 30


def test_a_dead_endpoint_is_not_tried_for_each_of_many(settings: Settings) -> None:
    settings.OPENAI_BASE_URL = "http://127.0.0.1:9/v1"
    settings.MODELS = {"task": "m"}
    answers = llm.complete_many("task", [HELLO] * 50, project_id=None, workers=2)
    assert all(isinstance(each, llm.Unavailable) for each in answers)
    assert sum("not tried" in str(each) for each in answers) >= 46
    assert LlmCall.objects.count() <= 4


def test_none_of_many_is_no_call(model: Simulator) -> None:
    assert llm.complete_many("task", [], project_id=None) == []


def test_structured_many(model: Simulator) -> None:
    answers = llm.complete_structured_many("task", [HELLO, HELLO], Colour, project_id=None)
    assert [type(each) for each in answers] == [tuple, tuple]
