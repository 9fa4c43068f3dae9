"""Rules of grounding: is what was said in what was given?"""

from __future__ import annotations

import re
from calendar import day_name, month_name
from typing import ClassVar

from registry.evaluators.base import Check, NotApplicable, Subject
from registry.evaluators.lexis import claims, digits, plain, quote, sentences, words

MIN_CONTEXT_WORDS = 20
BOUND_TASKS = frozenset({"summarisation", "rag_qa"})
FREE_TASKS = frozenset({"math", "creative_writing", "translation"})


def require_context(subject: Subject) -> None:
    """Raises NotApplicable where the output need not be taken from what was given, or where
    we do not have all that was given: what is missing there may stand in the rest."""
    if subject.task in FREE_TASKS:
        raise NotApplicable(f"a {subject.task} task is not bound to what was given")
    if not subject.output.strip():
        raise NotApplicable("the output is empty")
    unread = sum(not str(each.get("text") or "").strip() for each in subject.documents)
    if unread:
        raise NotApplicable(f"the text of {unread} of the documents is not known")
    if not subject.documents and subject.task not in BOUND_TASKS:
        raise NotApplicable("no documents were given")
    if len(subject.context_words) < MIN_CONTEXT_WORDS:
        raise NotApplicable("there is too little context to compare with")


class Citations(Check):
    """Documents were given; the answer names none of them, or one that was not given."""

    name: ClassVar[str] = "citations"
    modes: ClassVar[tuple[str, ...]] = ("citation_missing",)
    _mark = re.compile(r"\[([^\[\]\n]{1,80})\](?!\()")
    _told = re.compile(r"\b(?:cite|citations?|citing|name the document|sources?)\b", re.IGNORECASE)
    _looks_like_id = re.compile(r"^(?:\d{1,3}|[\w.:/-]*[\d:/_-][\w.:/-]*)$")

    def measure(self, subject: Subject) -> tuple[float, str]:
        if not subject.documents:
            raise NotApplicable("no documents were given")
        if not subject.output.strip():
            raise NotApplicable("the output is empty")
        known = self._names(subject)
        marks = [
            part.strip() for mark in self._mark.findall(subject.text) for part in mark.split(",")
        ]
        foreign = [
            mark for mark in marks if self._looks_like_id.match(mark) and mark.lower() not in known
        ]
        if foreign:
            # Numbers may follow the application's own count of documents, which we do not see.
            value = 0.4 if all(mark.isdigit() for mark in foreign) else 0.9
            return value, f"Cites {quote(foreign[0], 60)}, which was not given."
        if any(mark.lower() in known for mark in marks):
            return 0.0, "Cites a document that was given."
        told = bool(self._told.search(subject.instructions))
        if subject.task == "summarisation" and not told:
            raise NotApplicable("a summary cites nothing unless it was told to")
        # Whether an answer must cite where nobody asked for it is for the team to say.
        return (0.8 if told else 0.3), f"Cites none of {len(subject.documents)} documents."

    @staticmethod
    def _names(subject: Subject) -> set[str]:
        given = subject.documents
        names = {str(each.get(key) or "").lower() for each in given for key in ("id", "title")}
        return {name for name in names if name} | {str(n) for n in range(1, len(given) + 1)}


class Groundedness(Check):
    """The share of sentences of which less than half the words stand in what was given.

    Lexical: a paraphrase looks like an invention, so this is a hint, not a finding.
    """

    name: ClassVar[str] = "groundedness"
    modes: ClassVar[tuple[str, ...]] = ("unsupported_claim",)
    min_words: ClassVar[int] = 4

    def measure(self, subject: Subject) -> tuple[float, str]:
        require_context(subject)
        stems = {word[:6] for word in subject.context_words}
        weakest, low, total = (1.0, ""), 0, 0
        for sentence in sentences(claims(subject.text)):
            content = [word for word in words(sentence) if len(word) > 3]
            if len(content) < self.min_words:
                continue
            support = sum(word[:6] in stems for word in content) / len(content)
            total, low = total + 1, low + (support < 0.5)
            weakest = min(weakest, (support, sentence))
        if not total:
            raise NotApplicable("no sentence is long enough to compare")
        seen = f"; the weakest: {quote(weakest[1])}" if low else ""
        return low / total, f"{low} of {total} sentences are hardly in the context{seen}."

    def verdict(self, value: float) -> bool | None:
        return None if value else False


class ForeignNumbers(Check):
    """Numbers that nothing which was given holds."""

    name: ClassVar[str] = "foreign_numbers"
    modes: ClassVar[tuple[str, ...]] = ("unsupported_claim", "contradicts_context")

    def measure(self, subject: Subject) -> tuple[float, str]:
        require_context(subject)
        found = list(dict.fromkeys(digits(claims(subject.text))))
        foreign = [each for each in found if plain(each) not in subject.context_numbers]
        if not foreign:
            return 0.0, f"All {len(found)} numbers stand in the context."
        # One foreign number is already a likely failure; all foreign is a certain one.
        value = 0.5 + 0.5 * len(foreign) / len(found)
        return value, f"Not in the context: {', '.join(foreign[:5])}."


class ForeignNames(Check):
    """Names that nothing which was given holds."""

    name: ClassVar[str] = "foreign_names"
    modes: ClassVar[tuple[str, ...]] = ("unsupported_claim",)
    # A capital after a small letter or a comma: not at the beginning of a sentence.
    _name = re.compile(
        r"(?<=[a-zà-ÿ,;] )[A-ZÀ-Þ][a-zà-ÿ'’-]{2,30}(?: [A-ZÀ-Þ][a-zà-ÿ'’-]{2,30}){0,3}"
    )
    _common = frozenset(
        month_or_day.lower() for month_or_day in (*month_name, *day_name) if month_or_day
    ) | {"english", "internet"}

    def measure(self, subject: Subject) -> tuple[float, str]:
        require_context(subject)
        if subject.language[:2] == "de":
            raise NotApplicable("German writes all nouns with a capital")
        found = list(dict.fromkeys(self._name.findall(claims(subject.text))))
        foreign = [name for name in found if self._is_foreign(name, subject)]
        if not foreign:
            return 0.0, f"All {len(found)} names stand in the context."
        value = 0.2 + 0.6 * len(foreign) / max(len(found), 3)
        return value, f"{len(foreign)} of {len(found)} names are not in the context."

    def verdict(self, value: float) -> bool | None:
        # Another spelling or another language of a name looks foreign too.
        return None if value else False

    def _is_foreign(self, name: str, subject: Subject) -> bool:
        parts = [part for part in words(name) if part not in self._common]
        return any(
            part not in subject.context_words and part.rstrip("s") not in subject.context_words
            for part in parts
        )
