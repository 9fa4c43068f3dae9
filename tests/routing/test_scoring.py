"""The judge at work on what the rules have scored: no project and no answer stops the others."""

from __future__ import annotations

import json

import pytest

from core.models import Environment, Project
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
