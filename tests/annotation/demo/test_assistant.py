"""The simulated bank: its texts, and answers that obey the rules in the prompt."""

from __future__ import annotations

from collections import Counter

import pytest

from annotation.demo import detectors, retrieval
from annotation.demo.assistant import answer
from annotation.demo.flaws import FLAWS, rate, word_limit
from annotation.demo.texts import questions as source
from annotation.demo.texts.documents_more import BY_ID, LIBRARY
from annotation.demo.texts.prompts import MENDS, PLAYFUL, PROMPTS, TERSE
from annotation.demo.texts.questions import questions, recognise
from annotation.demo.texts.templates import TEMPLATES
from registry.rubrics import STARTER

COUNT = 400


def system(name: str, *extra: str) -> str:
    blocks = [block.text for block in PROMPTS[name] if block.role == "system"]
    return "\n\n".join([*blocks, *extra])


def shares(name: str, *extra: str) -> dict[str, float]:
    """The share of answers with each failure mode, and with any."""
    counts: Counter[str] = Counter()
    for question in questions(COUNT, 3, prompt=name):
        docs = retrieval.documents_for(question)
        word = "Question" if name == "support-answer" else "Complaint"
        asked = f"Documents:\n{retrieval.render(docs)}\n\n{word}: {question.text}"
        text = answer(system(name, *extra), [{"role": "user", "content": asked}])
        found = {mode for mode, _ in detectors.defects(text, question.text, docs)}
        counts.update(found | ({"any"} if found else set()))
    return {mode: count / COUNT for mode, count in counts.items()}


def test_questions_are_many_different_and_repeatable() -> None:
    first = questions(3000, 1)
    assert len({question.text for question in first}) == 3000
    assert first == questions(3000, 1)
    assert first[:50] != questions(50, 2)
    assert {question.topic for question in first} == {template.id for template in TEMPLATES}


@pytest.mark.parametrize("name", PROMPTS)
def test_every_question_is_recognised(name: str) -> None:
    for question in questions(300, 5, prompt=name):
        template = recognise(question.text)
        assert template is not None
        assert template.id == question.topic


def test_more_questions_than_there_are_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    few = tuple(template for template in TEMPLATES if template.id == "fees-02.paper")
    monkeypatch.setattr(source, "TEMPLATES", few)
    with pytest.raises(ValueError, match="n: only"):
        questions(2000, 1)


def test_what_templates_name_is_in_the_documents() -> None:
    for template in TEMPLATES:
        document = BY_ID[template.document]
        assert set(template.facts) <= document.facts.keys()
        assert template.procedure in {"", *document.procedures}


def test_retrieval_is_good_and_not_perfect() -> None:
    found = [
        BY_ID[recognised.document].id in {passage["id"] for passage in passages}
        for question in questions(COUNT, 9)
        if (recognised := recognise(question.text))
        and (passages := retrieval.documents_for(question))
    ]
    assert 0.9 < sum(found) / len(found) < 1


def test_passages_survive_the_prompt() -> None:
    passages = retrieval.documents_for("What does a card cost abroad?")
    read = retrieval.read(f"Documents:\n{retrieval.render(passages)}\n\nQuestion: x")
    assert [each["text"] for each in read] == [each["text"] for each in passages]
    assert len(LIBRARY) == 12


@pytest.mark.parametrize("mode", FLAWS)
def test_the_sentence_that_mends_a_mode_lowers_its_rate_and_raises_none(mode: str) -> None:
    name = "complaint-summary" if mode in {"privacy_leak", "format_broken"} else "support-answer"
    remedies = {each.code: each.remedy for each in STARTER}
    before = {each: rate(each, system(name)) for each in FLAWS}
    for sentence in (MENDS[mode], remedies[mode]):
        after = {each: rate(each, system(name, sentence)) for each in FLAWS}
        assert after[mode] <= before[mode] / 4, sentence
        assert all(after[each] <= before[each] for each in FLAWS), sentence


@pytest.mark.parametrize("mode", ["citation_missing", "unsupported_claim", "incomplete"])
def test_answers_follow_the_rule(mode: str) -> None:
    before, after = shares("support-answer"), shares("support-answer", MENDS[mode])
    assert before[mode] > 0.03
    assert after.get(mode, 0) < before[mode] / 2
    assert after["any"] < before["any"]


@pytest.mark.parametrize("name", PROMPTS)
def test_all_rules_leave_few_defects(name: str) -> None:
    before, after = shares(name), shares(name, *MENDS.values())
    assert 0.3 < before["any"] < 0.75
    assert after["any"] < 0.2


@pytest.mark.parametrize(("sentence", "mode"), [(PLAYFUL, "tone"), (TERSE, "incomplete")])
def test_a_bad_idea_makes_it_worse(sentence: str, mode: str) -> None:
    mended = [*MENDS.values()]
    before, after = shares("support-answer", *mended), shares("support-answer", *mended, sentence)
    assert after[mode] > before.get(mode, 0) + 0.3


def test_a_change_of_nothing_changes_little() -> None:
    before, after = shares("support-answer"), shares("support-answer", "Write in English.")
    assert abs(before["any"] - after["any"]) < 0.05


def test_rules_are_understood_in_other_words() -> None:
    assert rate("tone", "No jokes, no emojis.") < FLAWS["tone"].base
    assert rate("tone", "Use jokes.") == FLAWS["tone"].spoilt_rate
    assert rate("citation_missing", "You need not cite anything.") == FLAWS["citation_missing"].base
    assert rate("unsupported_claim", "Never invent numbers.") < FLAWS["unsupported_claim"].base
    assert word_limit("At most 40 words, better under 30 words.") == 30
    assert word_limit("Be brief.") is None


def test_a_question_of_somebody_elses_is_answered_from_the_documents() -> None:
    docs = retrieval.documents_for("Tell me about the fraud line, please: is it open all day?")
    asked = f"{retrieval.render(docs)}\n\nQuestion: Is the fraud line open all day?"
    text = answer(system("support-answer", *MENDS.values()), [{"role": "user", "content": asked}])
    assert "24 hours" in text
    assert detectors.defects("Haha, mate!", "Anything?", [])[0][0] == "tone"
