"""Rules of grounding."""

from __future__ import annotations

from typing import Any

import pytest

from registry.evaluators import Signal, Subject
from registry.evaluators.base import Check
from registry.evaluators.grounding import Citations, ForeignNames, ForeignNumbers, Groundedness
from registry.evaluators.lexis import numbers, plain

DOCUMENTS = [
    {
        "id": "fees-02",
        "title": "Fees",
        "text": "The Plus account costs £7 a month, taken on the 3rd. Transfers abroad cost 1,500 "
        "points or seven pounds. Ask Marta Velling in Ashcombe for an arranged overdraft.",
    }
]


def judge(check: Check, output: str, **facts: Any) -> Signal:
    [signal] = check.evaluate([Subject(output=output, **{"documents": DOCUMENTS, **facts})])
    return signal


@pytest.mark.parametrize(
    ("output", "value"),
    [
        ("It costs £7 [fees-02].", 0),
        ("It costs £7 [1].", 0),
        ("It costs £7 [Fees, fees-02].", 0),
        ("It costs £7.", 0.3),
        ("It costs £7 [cards-01].", 0.9),
        ("It costs £7 [5].", 0.4),
        ("It costs £7 [fees-02] and more [cards-01].", 0.9),
        ("It costs £7 [sic] as [the page](https://example.org) says.", 0.3),
    ],
)
def test_citations(output: str, value: float) -> None:
    assert judge(Citations(), output).value == value


def test_a_citation_that_was_asked_for_weighs_more() -> None:
    told = [{"role": "system", "content": "Cite the document after each statement."}]
    signal = judge(Citations(), "It costs £7.", messages=told)
    assert (signal.value, signal.failed) == (0.8, True)


def test_a_summary_need_not_cite() -> None:
    assert judge(Citations(), "It costs £7.", task="summarisation").value is None


def test_documents_without_text_are_no_ground_to_judge_by() -> None:
    partly = [*DOCUMENTS, {"id": "d", "text": ""}]
    for check in (ForeignNumbers(), ForeignNames(), Groundedness()):
        signal = judge(check, "It is 42, says Ada Lovelace.", documents=partly)
        assert signal.value is None
        assert "not known" in signal.explanation


def test_without_documents_no_citation_is_missing() -> None:
    signal = judge(Citations(), "It costs £7.", documents=[])
    assert signal.value is None
    assert "documents" in signal.explanation


def test_groundedness_counts_the_sentences_that_stand_nowhere() -> None:
    good = "The Plus account costs seven pounds a month."
    bad = "Dolphins communicate through underwater whistles."
    assert judge(Groundedness(), good).value == 0
    mixed = judge(Groundedness(), f"{good} {bad}")
    assert mixed.value == 0.5
    assert "Dolphins" in mixed.explanation
    assert judge(Groundedness(), "Yes.").value is None


@pytest.mark.parametrize(
    ("output", "value"),
    [
        ("It costs £7, taken on the 3rd.", 0),
        ("It costs seven pounds or 1500 points.", 0),
        ("1. Ask.\n2. Wait.\n3. Pay £7.00 [99].", 0),
        ("It costs £8.", 1),
        ("It costs £7 or £8.", 0.75),
    ],
)
def test_foreign_numbers(output: str, value: float) -> None:
    assert judge(ForeignNumbers(), output).value == value


@pytest.mark.parametrize("task", ["math", "creative_writing", "translation"])
def test_free_tasks_are_not_held_to_the_context(task: str) -> None:
    for check in (ForeignNumbers(), ForeignNames(), Groundedness()):
        assert judge(check, "It is 42, says Ada Lovelace.", task=task).value is None


def test_a_short_question_is_no_context() -> None:
    asked = [{"role": "user", "content": "Who wrote Emma?"}]
    for check in (ForeignNumbers(), ForeignNames(), Groundedness()):
        assert (
            judge(check, "It was Jane Austen in 1815.", documents=[], messages=asked).value is None
        )


def test_foreign_names() -> None:
    assert judge(ForeignNames(), "Please ask Marta Velling in Ashcombe on Monday.").value == 0
    signal = judge(ForeignNames(), "Please ask Owen Tarrick in Ashcombe.")
    assert signal.value == 0.4
    assert signal.failed is None
    assert signal.modes == ("unsupported_claim",)


def test_numbers_have_one_spelling() -> None:
    assert plain("1,500") == plain("1500.00") == plain("01500") == "1500"
    assert plain("2.10") == "2.1"
    assert plain("0") == plain("0.0") == "0"
    assert numbers("Seven of 1,500 at 18:00") == {"7", "1500", "18:00"}
