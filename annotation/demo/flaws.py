"""How often the simulated model fails, and which words in a prompt make it fail less or more."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from annotation.demo.texts.questions import share

HARD_SHARE = 0.2
UNSTEADY_SHARE = 0.1
_SENTENCE = re.compile(r"[^.!?;\n]+")
_NO_WISH = re.compile(r"\b(?:no need to|need not|do not have to)\b", re.IGNORECASE)
_MOOD = r"(?:playful|cheeky|funny|witty|humou?r|jokes?|joke|emojis?|slang|breezy|casual|chatty)"


@dataclass(frozen=True)
class Flaw:
    """A failure mode's rate without and with the instruction that `told` finds in the prompt.

    `spoilt` finds an instruction that makes it worse: then the rate is `spoilt_rate`.
    """

    base: float
    ruled: float
    told: re.Pattern[str]
    spoilt: re.Pattern[str] | None = None
    spoilt_rate: float = 0.0


def _flaw(base: float, ruled: float, told: str, spoilt: str = "", worse: float = 0.0) -> Flaw:
    bad = re.compile(spoilt, re.IGNORECASE) if spoilt else None
    return Flaw(base, ruled, re.compile(told, re.IGNORECASE), bad, worse)


_NOT = r"(?:never|not|n't|no|avoid|without|neither)\b"
FLAWS: dict[str, Flaw] = {
    "citation_missing": _flaw(
        0.16,
        0.02,
        r"\bcit(?:e|es|ing|ation)|\b(?:name|give) (?:the|your) source|\bname\b.*\bdocument",
    ),
    "unsupported_claim": _flaw(
        0.1,
        0.02,
        r"(?:not|n't) know|\bonly (?:from|use|what|say)\b.*\b(?:document|text|passage)|"
        rf"{_NOT}.*\b(?:invent|guess|make up|made up|add)|"
        r"documents? (?:do|does) not (?:say|cover|contain|state)|\bsupported by",
    ),
    "contradicts_context": _flaw(
        0.04,
        0.008,
        r"(?:exact|copy|check|compare|verbatim|word for word).*"
        r"(?:figure|number|amount|fee|limit|date)|"
        r"(?:figure|number|amount|fee|limit|date)s?\b.*(?:exact|unchanged|match|as written)",
    ),
    "incomplete": _flaw(
        0.24,
        0.03,
        r"\b(?:all|every|each|complete|full|whole)\b.*\b(?:step|part|point|question|procedure)|"
        r"step by step|\bleave (?:out )?no(?:thing)?\b",
    ),
    "tone": _flaw(
        0.06,
        0.015,
        r"\b(?:calm|polite|formal|professional|neutral|courteous|respectful|sober)|"
        rf"{_NOT}.*{_MOOD}",
        # An order to be playful, not a ban on it.
        rf"^(?:(?!{_NOT}).)*\b{_MOOD}",
        0.7,
    ),
    "policy_violation": _flaw(
        0.06, 0.015, rf"{_NOT}.*(?:promis|guarant|advi[cs]|recommend|commit)"
    ),
    "injection_followed": _flaw(
        0.5,
        0.03,
        r"(?:ignore|not follow|never follow|not obey|disregard)\b.*(?:instruction|command|order)|"
        r"\btreat\b.*\bas (?:data|text)",
    ),
    "privacy_leak": _flaw(
        0.18,
        0.02,
        r"(?:mask|redact|omit|remove|leave out|leave away|last four|never|not)\b.*"
        r"(?:card|phone|personal|private|account) (?:number|data|detail)",
    ),
    "format_broken": _flaw(
        0.12, 0.02, r"(?:exactly|these|four|following)\b.*(?:heading|label|format)|in this order"
    ),
    "over_refusal": _flaw(
        0.25,
        0.03,
        r"(?:ordinary|harmless|everyday|alarming|wording).*(?:answer|help|refus)|"
        r"(?:answer|help).*(?:ordinary|harmless|everyday|alarming|wording|every other request)|"
        r"\b(?:decline|refuse) only",
        r"when in doubt,? (?:refuse|decline)|refuse (?:anything|everything|whatever)",
        0.9,
    ),
    "under_refusal": _flaw(
        0.4,
        0.03,
        r"\b(?:refuse|decline|do not explain|never explain|do not help|never help)\b.*"
        r"(?:check|harm|hurt|another person|other people|someone else|fraud|get round)|"
        r"\bmust be (?:declined|refused)",
    ),
}
_LIMIT = re.compile(
    r"(?:under|at most|no more than|fewer than|less than|up to|maximum of|within) (\d{1,3}) words",
    re.IGNORECASE,
)


@lru_cache(maxsize=256)
def rate(mode: str, prompt: str) -> float:
    """How often a question of ordinary difficulty shows `mode` under this system prompt."""
    flaw = FLAWS[mode]
    wishes = [line for line in _SENTENCE.findall(prompt) if not _NO_WISH.search(line)]
    if flaw.spoilt and any(flaw.spoilt.search(line) for line in wishes):
        return flaw.spoilt_rate
    told = any(flaw.told.search(line) for line in wishes)
    return flaw.ruled if told else flaw.base


def shows(mode: str, prompt: str, question: str) -> bool:
    """Whether the answer to `question` has this flaw: always the same for the same texts.

    A fifth of the questions are hard; a tenth are unsteady and react to any change of the
    prompt, as real models do; the others change only with the rate.
    """
    hard = share("hard", question) < HARD_SHARE
    steady = share("steady", mode, question) >= UNSTEADY_SHARE
    chance = share(mode, question) if steady else share(mode, question, prompt)
    return chance < rate(mode, prompt) * (1.8 if hard else 0.8)


def word_limit(prompt: str) -> int | None:
    """The greatest number of words the prompt allows, if it says one."""
    found = [int(each) for each in _LIMIT.findall(prompt)]
    return min(found) if found else None
