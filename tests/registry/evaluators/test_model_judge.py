"""The model as judge, over real HTTP."""

from __future__ import annotations

import json

import pytest
from pytest_django import Settings

from annotation.demo import detectors
from annotation.demo.assistant import answer
from annotation.demo.retrieval import documents_for, render
from annotation.demo.simulator import Simulator
from annotation.demo.texts.prompts import SUPPORT_ANSWER
from annotation.demo.texts.questions import questions
from core import llm
from core.models import LlmCall, Project
from registry.evaluators import ModelJudge, Subject
from registry.rubrics import STARTER
from tests.llm import Script

pytestmark = pytest.mark.django_db
PAIN = Subject(messages=[{"role": "user", "content": "Why?"}], output="Because of rain, mate.")


def opinion(**changes: object) -> str:
    fine = {"verdict": "acceptable", "risk": 0.1, "findings": [], "explanation": "Fine."}
    return json.dumps(fine | changes)


def finding(mode: str = "tone", quote: str = "mate", severity: str = "minor") -> dict[str, str]:
    return {"mode": mode, "severity": severity, "quote": quote}


def bank_subjects(count: int) -> tuple[list[Subject], list[bool]]:
    """Answers of the simulated bank, and whether they are defective."""
    system = "\n".join(block.text for block in SUPPORT_ANSWER if block.role == "system")
    subjects, truth = [], []
    for question in questions(count, 11):
        docs = documents_for(question)
        user = f"Documents:\n{render(docs)}\n\nQuestion: {question.text}"
        messages = [{"role": "system", "content": system}, {"role": "user", "content": user}]
        output = answer(system, messages)
        subjects.append(Subject(messages=messages, output=output, documents=docs))
        truth.append(bool(detectors.defects(output, question.text, docs)))
    return subjects, truth


def test_the_simulated_judge_is_good_and_not_perfect(model: Simulator, project: Project) -> None:
    subjects, truth = bank_subjects(240)
    signals = ModelJudge(STARTER, project_id=project.id).evaluate(subjects)
    caught = [signal.failed for signal, bad in zip(signals, truth, strict=True) if bad]
    passed = [not signal.failed for signal, bad in zip(signals, truth, strict=True) if not bad]
    assert 0.75 < sum(map(bool, caught)) / len(caught) < 0.97
    assert 0.88 < sum(passed) / len(passed) < 1
    assert all(signal.value is not None for signal in signals)
    assert all((signal.value or 0) >= 0.5 for signal in signals if signal.failed)
    assert LlmCall.objects.filter(project=project, purpose="judge", status="ok").count() == 240


def test_an_opinion_is_a_scorecard_with_spans(script: Script) -> None:
    script.say(opinion(verdict="defective", risk=0.8, findings=[finding(), finding(quote="no")]))
    [said] = ModelJudge(STARTER, project_id=None).opinions([PAIN])
    assert not isinstance(said, llm.LlmError)
    [found] = said.scorecard.findings
    assert (said.scorecard.verdict, found.mode, found.severity) == ("defective", "tone", "minor")
    [span] = found.spans
    assert (span.target, PAIN.output[span.start : span.end]) == ("output", "mate")


def test_codes_outside_the_rubric_do_not_count(script: Script) -> None:
    script.say(opinion(verdict="defective", risk=0.9, findings=[finding("made_up")]))
    [signal] = ModelJudge(STARTER, project_id=None).evaluate([PAIN])
    assert (signal.failed, signal.value, signal.modes) == (False, 0.5, ())


def test_a_defect_is_never_a_low_risk(script: Script) -> None:
    script.say(opinion(verdict="defective", risk=0.1, findings=[finding()]))
    [signal] = ModelJudge(STARTER, project_id=None).evaluate([PAIN])
    assert (signal.failed, signal.value, signal.modes) == (True, 0.5, ("tone",))


@pytest.mark.parametrize("body", ["not JSON", opinion(risk=7), opinion(verdict="maybe")])
def test_an_answer_of_another_shape_is_a_missing_value(script: Script, body: str) -> None:
    script.say(body)
    [signal] = ModelJudge(STARTER, project_id=None).evaluate([PAIN])
    assert (signal.value, signal.failed) == (None, None)
    assert "JudgeAnswer" in signal.error


def test_one_failure_leaves_the_others(script: Script) -> None:
    script.say(opinion()).fail(500, "down").say(opinion())
    judge = ModelJudge(STARTER, project_id=None, workers=1)
    values = [signal.value for signal in judge.evaluate([PAIN, PAIN, PAIN])]
    assert values == [0.1, None, 0.1]


def test_without_a_model_every_signal_says_what_to_set(settings: Settings) -> None:
    settings.MODELS = {}
    signals = ModelJudge(STARTER, project_id=None).evaluate([PAIN, PAIN])
    assert [signal.value for signal in signals] == [None, None]
    assert "JUDGE_MODEL" in signals[0].error


def test_material_is_data_and_bounded(script: Script) -> None:
    script.say(opinion())
    huge = Subject(
        messages=[{"role": "system", "content": "Be brief."}]
        + [{"role": "user", "content": "word " * 9000}] * 40,
        output="x" * 640_000,
        documents=[{"id": "d", "text": "y" * 100_000}] * 50,
    )
    ModelJudge(STARTER, project_id=None).evaluate([huge])
    system, user = script.asked[0]["messages"]
    assert "unsupported_claim (Unsupported claim):" in system["content"]
    material = json.loads(user["content"])
    assert material["conversation"][0] == {"role": "system", "content": "Be brief."}
    assert len(user["content"]) < 250_000


def test_the_version_changes_with_the_rubric() -> None:
    whole, part = (ModelJudge(modes, project_id=None) for modes in (STARTER, STARTER[:3]))
    assert whole.version != part.version
    assert whole.version == ModelJudge(STARTER, project_id=1).version


def test_a_judge_needs_a_rubric() -> None:
    with pytest.raises(ValueError, match="modes"):
        ModelJudge([], project_id=None)
