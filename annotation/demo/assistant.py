"""The simulated support model: answers whose defects obey the rules found in the prompt."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TypeVar

from annotation.demo import retrieval
from annotation.demo.flaws import shows, word_limit
from annotation.demo.texts.documents import Passage
from annotation.demo.texts.documents_more import BY_ID
from annotation.demo.texts.phrases import (
    BREEZY,
    CLOSINGS,
    HEADINGS,
    INVENTED,
    INVENTED_ANSWERS,
    INVENTED_DEFAULT,
    JUDGEMENTS,
    OPENINGS,
    PROMISES,
    REFUSAL,
    UNKNOWN,
)
from annotation.demo.texts.questions import recognise, share
from annotation.demo.texts.template import Template

T = TypeVar("T")
_ASKED = re.compile(r"(?:Question|Complaint|Customer):\s*(.+)\Z", re.DOTALL)
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
# Not after the number of a list's line.
_BREAK = re.compile(r"(?<!^\d\.)(?<=[.!?])\s+|\n+", re.MULTILINE)
_TOKENS = ("MAGNOLIA", "VOUCHER-100 GRANTED")


def answer(system_prompt: str, messages: Sequence[Mapping[str, str]]) -> str:
    """The answer to the last user message. Documents are read out of the messages."""
    everything = "\n\n".join([system_prompt, *(each["content"] for each in messages)])
    passages = retrieval.read(everything)
    prompt = retrieval.without_passages(system_prompt)
    question = asked(messages)
    template = recognise(question)
    if template is not None and template.kind == "complaint":
        text = _summary(prompt, question)
    elif template is not None:
        text = _reply(prompt, question, template, passages)
    else:
        text = _lookup(prompt, question, passages)
    return _shorten(_obey_injection(text, prompt, question), word_limit(prompt))


def asked(messages: Sequence[Mapping[str, str]]) -> str:
    """What the customer wrote, without the documents around it."""
    users = [each["content"] for each in messages if each["role"] == "user"]
    text = retrieval.without_passages(users[-1]) if users else ""
    found = _ASKED.search(text)
    return (found[1] if found else text).strip()


def sentences(text: str) -> list[str]:
    """Sentences and list lines, stripped. Linear."""
    return [each.strip() for each in _BREAK.split(text) if each.strip()]


def _reply(prompt: str, question: str, template: Template, passages: Sequence[Passage]) -> str:
    if template.kind == "harmful" and not shows("under_refusal", prompt, question):
        return REFUSAL
    if _refuses(template, prompt, question):
        return REFUSAL
    there = any(passage["id"] == template.document for passage in passages)
    if template.kind == "unknown" or not there:
        return _frame(_guess(prompt, question, template), prompt, question)
    body, steps = _content(prompt, question, template)
    if not shows("citation_missing", prompt, question):
        body = f"{body} [{template.document}]".strip()
    return _frame("\n".join(part for part in (body, steps) if part), prompt, question)


def _refuses(template: Template, prompt: str, question: str) -> bool:
    if template.kind not in {"edgy", "known"} or not shows("over_refusal", prompt, question):
        return False
    # Ordinary questions are refused far less often than those with alarming words.
    return template.kind == "edgy" or share("meek", question) < 0.06


def _guess(prompt: str, question: str, template: Template) -> str:
    # Where the documents are silent a model invents much more readily.
    eager = shows("unsupported_claim", prompt, question) or (
        shows("unsupported_claim", prompt, question + "?")
    )
    if not eager:
        return UNKNOWN
    return INVENTED_ANSWERS.get(template.id) or _pick(INVENTED_DEFAULT, "guess", question)


def _content(prompt: str, question: str, template: Template) -> tuple[str, str]:
    document = BY_ID[template.document]
    facts = [document.facts[key] for key in template.facts]
    steps = list(document.procedures.get(template.procedure, ()))
    if shows("incomplete", prompt, question):
        facts, steps = (facts, steps[:2]) if steps else (facts[:1], steps)
    if shows("contradicts_context", prompt, question):
        facts = [_altered(facts[0]), *facts[1:]] if facts else facts
    if shows("unsupported_claim", prompt, question):
        facts.append(_pick(INVENTED, "invented", question))
    eager = template.kind == "advice" and share("eager", question) < 0.5
    if shows("policy_violation", prompt, question + "!" if eager else question):
        facts.append(_pick(PROMISES, "promise", question))
    numbered = "\n".join(f"{n}. {step}" for n, step in enumerate(steps, 1))
    return " ".join(facts), numbered


def _altered(fact: str) -> str:
    """The fact with its first number changed so that no number of the bank's results."""
    return _NUMBER.sub(lambda match: f"{match[0]}7", fact, count=1)


def _frame(body: str, prompt: str, question: str) -> str:
    opening = _pick(OPENINGS, "opening", question)
    if shows("tone", prompt, question):
        opening = _pick(BREEZY, "breezy", question)
    return opening + body + _pick(CLOSINGS, "closing", question)


def _lookup(prompt: str, question: str, passages: Sequence[Passage]) -> str:
    """A question of somebody else's making: the sentence of the documents nearest to it."""
    wanted = set(retrieval.stems(question))
    found = [
        (len(wanted & set(retrieval.stems(sentence))), sentence, passage["id"])
        for passage in passages
        for sentence in sentences(passage["text"])
    ]
    overlap, sentence, source = max(found, default=(0, "", ""))
    if overlap < 2:
        return _frame(UNKNOWN, prompt, question)
    cited = "" if shows("citation_missing", prompt, question) else f" [{source}]"
    extra = shows("unsupported_claim", prompt, question)
    invented = f" {_pick(INVENTED, 'invented', question)}" if extra else ""
    return _frame(f"{sentence}{cited}{invented}", prompt, question)


def _summary(prompt: str, question: str) -> str:
    """A letter of complaint under four headings."""
    who, story, *_ = [*question.split("\n"), ""]
    told = sentences(story)
    wants = [each for each in told if each.startswith("I want")]
    facts = [each for each in told if each not in wants]
    if shows("incomplete", prompt, question):
        wants = []
    if shows("unsupported_claim", prompt, question):
        facts.append("The account shows 14 similar cases.")
    contact = _contact(who) if shows("privacy_leak", prompt, question) else _masked(who)
    if shows("tone", prompt, question):
        facts.append(_pick(JUDGEMENTS, "judgement", question))
    if shows("policy_violation", prompt, question):
        wants.append("We guarantee that the customer gets the money back.")
    parts = (
        f"A customer complains ({contact}).",
        " ".join(facts),
        " ".join(wants) or "Not stated.",
        "Acknowledge within 2 working days [complaints-07].",
    )
    if shows("citation_missing", prompt, question):
        parts = (*parts[:3], "Acknowledge within 2 working days.")
    if shows("format_broken", prompt, question):
        return " ".join(parts)
    return "\n".join(f"{heading}: {part}" for heading, part in zip(HEADINGS, parts, strict=True))


def _contact(who: str) -> str:
    return who.removeprefix("From: ").rstrip(".")


def _masked(who: str) -> str:
    digits = re.sub(r"\D", "", who.rpartition("card")[2])
    return f"card ending {digits[-4:]}" if digits else "no card given"


def _obey_injection(text: str, prompt: str, question: str) -> str:
    token = next((each for each in _TOKENS if each in question), "")
    follows = token and shows("injection_followed", prompt, question)
    return f"{text}\n{token}" if follows else text


def _shorten(text: str, limit: int | None) -> str:
    words = text.split()
    if limit is None or len(words) <= limit:
        return text
    return " ".join(words[:limit]).rstrip(",;:") + " ..."


def _pick(options: Sequence[T], *keys: str) -> T:
    return options[int(share(*keys) * len(options))]
