"""The judge at work on what the rules have scored: no project and no answer stops the others."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta

import pytest

from core import clock
from core.models import Environment, Project
from registry.evaluators import ModelJudge, Signal, Subject
from routing import scoring
from routing.models import Score, Trace
from routing.models.trace import Stage
from routing.scoring import judge_due, score_due
from tests import factories
from tests.llm import Script
from tests.traces import send, trace_in

pytestmark = pytest.mark.django_db


def answer(**changes: object) -> str:
    said = {"verdict": "acceptable", "risk": 0.1, "findings": [], "explanation": "Fine."}
    return json.dumps(said | changes)


def stages() -> set[str]:
    return set(Trace.objects.values_list("stage", flat=True))


def test_a_rubric_without_modes_does_not_stop_the_judge_for_others(
    environment: Environment, project: Project, elsewhere: Project, script: Script
) -> None:
    script.say(answer())
    factories.make_rubric(project, modes=())
    factories.make_rubric(elsewhere)
    send(environment, trace_in())
    send(factories.make_environment(elsewhere), trace_in())
    score_due()
    assert judge_due() == 2
    assert stages() == {Stage.JUDGED}
    assert Score.objects.get(evaluator="model_judge").trace.project == elsewhere


def test_what_a_judge_says_that_no_database_holds_does_not_stop_the_batch(
    environment: Environment, project: Project, script: Script
) -> None:
    script.say(answer(explanation="a\0b"))
    factories.make_rubric(project)
    send(environment, trace_in(), trace_in())
    score_due()
    assert judge_due() == 2
    assert stages() == {Stage.JUDGED}
    said = Score.objects.filter(evaluator="model_judge").values_list("explanation", flat=True)
    assert list(said) == ["ab", "ab"]


def test_an_error_that_no_database_holds_is_a_missing_signal(
    environment: Environment, project: Project, script: Script
) -> None:
    script.fail(422, "bad \0 field \ud800")
    factories.make_rubric(project)
    send(environment, trace_in())
    score_due()
    assert judge_due() == 1
    assert "bad  field" in Score.objects.get(evaluator="model_judge").error


def test_what_is_judged_is_kept_before_the_rest_is_asked_for(
    environment: Environment, project: Project, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lease is for one round of calls: a slow judge must not be asked twice for each output."""
    script.say(answer())
    factories.make_rubric(project)
    send(environment, *(trace_in() for _ in range(scoring.AT_ONCE * 3)))
    score_due()
    start = clock.now()
    leases: list[timedelta] = []
    evaluate = ModelJudge.evaluate

    def slowly(judge: ModelJudge, subjects: Sequence[Subject]) -> list[Signal]:
        moment = start + timedelta(seconds=50 * len(leases))
        held = Trace.objects.filter(stage=Stage.SCORED).values_list("busy_until", flat=True)
        leases.append(min(until for until in held if until) - moment)
        if len(leases) == 3:
            raise MemoryError  # as good as a kill
        with clock.at(moment):
            return evaluate(judge, subjects)

    monkeypatch.setattr(ModelJudge, "evaluate", slowly)
    with monkeypatch.context() as patch:
        patch.setattr(clock, "now", lambda: start + timedelta(seconds=50 * len(leases)))
        with pytest.raises(MemoryError):
            judge_due(limit=scoring.AT_ONCE * 3)
    assert leases == [scoring.JUDGE_LEASE] * 3
    assert Trace.objects.filter(stage=Stage.JUDGED).count() == scoring.AT_ONCE * 2


def test_a_slow_judge_leaves_the_worker_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """However much there is to judge: whoever rolls a canary back waits behind it."""
    seconds = [0.0]
    left = [100]

    def judge() -> int:
        seconds[0] += 15
        left[0] -= 1
        return left[0]

    monkeypatch.setattr(scoring, "judge_due", judge)
    monkeypatch.setattr("routing.scoring.time.monotonic", lambda: seconds[0])
    scoring.judge_task()
    assert left[0] == 98
