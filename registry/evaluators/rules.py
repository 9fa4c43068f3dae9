"""Rules of form: is there an answer, of the right length and shape, in the right language?"""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any, ClassVar

from registry.evaluators.base import Check, NotApplicable, Subject
from registry.evaluators.languages import expected_share, script_of
from registry.evaluators.lexis import quote, words


class EmptyOutput(Check):
    """Nothing was said, or the call failed."""

    name: ClassVar[str] = "empty_output"
    modes: ClassVar[tuple[str, ...]] = ("incomplete",)

    def measure(self, subject: Subject) -> tuple[float, str]:
        if subject.error:
            return 1.0, f"The call failed: {quote(subject.error)}."
        if not subject.output.strip():
            return 1.0, "The output is empty."
        return 0.0, "There is an output."


class Length(Check):
    """More words than the instructions allow, or than anybody reads."""

    name: ClassVar[str] = "length"
    modes: ClassVar[tuple[str, ...]] = ("instruction_not_followed",)
    _limit = re.compile(
        r"\b(?:at most|under|no more than|fewer than|less than|up to|maximum of|within|max\.?)"
        r" (\d{1,5}) words",
        re.IGNORECASE,
    )

    def __init__(self, max_words: int = 4000) -> None:
        self.max_words = max_words

    def measure(self, subject: Subject) -> tuple[float, str]:
        told = [int(each) for each in self._limit.findall(subject.instructions)]
        limit = min(told) if told else self.max_words
        # Counted on the whole output: to split is linear.
        count = len(subject.output.split())
        if count <= limit:
            return 0.0, f"{count} words of at most {limit}."
        # A tenth too long is a slip (0.3), half as long again a failure (0.7), twice: 1.
        value = 0.24 + 0.76 * min(1.0, (count - limit) / max(limit, 1))
        return (value if told else min(value, 0.6)), f"{count} words where {limit} are allowed."


class JsonValidity(Check):
    """JSON was asked for, and this is none."""

    name: ClassVar[str] = "json_validity"
    modes: ClassVar[tuple[str, ...]] = ("format_broken",)
    _asked = re.compile(
        r"\b(?:answer|respond|reply|return|output|produce|format|valid|as|in)\b[^.\n]{0,60}\bjson\b",
        re.IGNORECASE,
    )

    def measure(self, subject: Subject) -> tuple[float, str]:
        if not self._wanted(subject):
            raise NotApplicable("JSON was not asked for")
        text = subject.output.strip()
        if self._parses(text):
            return 0.0, "The output is valid JSON."
        start, end = text.find("{"), text.rfind("}")
        if 0 <= start < end and self._parses(text[start : end + 1]):
            return 0.6, "The output holds valid JSON among other text."
        return 1.0, "The output is not valid JSON."

    def _wanted(self, subject: Subject) -> bool:
        format_: Any = subject.metadata.get("response_format")
        kind = format_.get("type") if isinstance(format_, dict) else format_
        if isinstance(kind, str) and "json" in kind:
            return True
        return bool(self._asked.search(subject.instructions))

    @staticmethod
    def _parses(text: str) -> bool:
        try:
            json.loads(text)
        except (ValueError, RecursionError):
            return False
        return True


class Repetition(Check):
    """The same words again and again: a model in a loop."""

    name: ClassVar[str] = "repetition"
    modes: ClassVar[tuple[str, ...]] = ("format_broken",)
    size: ClassVar[int] = 6

    def measure(self, subject: Subject) -> tuple[float, str]:
        found = subject.text.split()
        if len(found) < 4 * self.size:
            raise NotApplicable(f"fewer than {4 * self.size} words")
        runs = Counter(zip(*(found[start:] for start in range(self.size)), strict=False))
        total = sum(runs.values())
        again = (total - len(runs)) / total
        # A quarter of repeated runs is common in tables and code; three quarters is a loop.
        return (again - 0.25) / 0.5, f"{again:.0%} of runs of {self.size} words come again."


class Refusal(Check):
    """The model declined. Whether it should have is for others to say."""

    name: ClassVar[str] = "refusal"
    modes: ClassVar[tuple[str, ...]] = ("over_refusal",)
    _declines = re.compile(
        r"\b(?:I(?: a|')m (?:very )?sorry,? but I|"
        r"I (?:cannot|can ?not|can't|can’t|won't|won’t|will not|am unable to|am not able to|"
        r"am not allowed to|must decline)|"
        r"(?:I'm|I’m) (?:unable|not able|not allowed) to|"
        r"as an? (?:AI|language model|assistant),? I (?:cannot|can't|am not)|"
        r"unable to (?:help|assist|comply)|not able to (?:help|assist) with)\b",
        re.IGNORECASE,
    )

    def measure(self, subject: Subject) -> tuple[float, str]:
        if not subject.output.strip():
            raise NotApplicable("the output is empty")
        found = self._declines.search(subject.text[:400])
        if not found:
            return 0.0, "The output does not decline."
        # A long text after "I cannot" is mostly an answer with a reservation.
        value = 0.6 if len(subject.output) < 600 else 0.25
        return value, f"The output declines: {quote(found[0])}."

    def verdict(self, value: float) -> bool | None:
        return None if value else False


class LanguageMismatch(Check):
    """The output is not in the language that was wanted. Cheap: scripts and common words."""

    name: ClassVar[str] = "language_mismatch"
    modes: ClassVar[tuple[str, ...]] = ("instruction_not_followed",)

    def measure(self, subject: Subject) -> tuple[float, str]:
        wanted = subject.language.lower()[:2]
        if not wanted:
            raise NotApplicable("the wanted language is not known")
        found = words(subject.text[:3000])
        if len("".join(found[:200])) < 24:
            raise NotApplicable("the output is too short to tell its language")
        script, share = script_of(subject.text[:3000])
        fit, best = expected_share(wanted, script, share, found)
        if fit is None:
            raise NotApplicable(f"language {wanted!r} is not among those that can be told")
        if fit:
            return 0.0, f"The output looks like {wanted!r}."
        return 0.9, f"The output looks like {best!r}, not {wanted!r}."


class Budget(Check):
    """Slower or dearer than agreed."""

    name: ClassVar[str] = "budget"

    def __init__(self, latency_ms: float = 20_000, cost_usd: float = 0.10) -> None:
        self.latency_ms = latency_ms
        self.cost_usd = cost_usd

    def measure(self, subject: Subject) -> tuple[float, str]:
        shares = []
        if subject.latency_ms is not None:
            shares.append((subject.latency_ms / self.latency_ms, "time"))
        if subject.cost_usd is not None:
            shares.append((float(subject.cost_usd) / self.cost_usd, "cost"))
        if not shares:
            raise NotApplicable("neither time nor cost was measured")
        share, what = max(shares)
        # Up to the budget no risk; at the budget 0.5; at twice the budget 1.
        value = 0.0 if share < 1 else min(1.0, share / 2)
        return value, f"{share:.0%} of the budget of {what}."


class ToolErrors(Check):
    """Steps of an agent that failed."""

    name: ClassVar[str] = "tool_errors"
    modes: ClassVar[tuple[str, ...]] = ("tool_misuse",)
    _failed = re.compile(
        r"\A[^\w{]{0,4}(?:error|exception|traceback|failed|invalid)\b|"
        r"\A\s*\{\s*[\"']error[\"']\s*:(?!\s*(?:null|none|false|\"\"))",
        re.IGNORECASE,
    )

    def measure(self, subject: Subject) -> tuple[float, str]:
        steps = [each for each in subject.steps if each.get("kind", "tool") in {"tool", "TOOL"}]
        if not steps:
            raise NotApplicable("there are no tool steps")
        failed = [self._broken(each) for each in steps]
        share = sum(failed) / len(failed)
        # A failure that the agent recovered from matters less than one it ended on.
        value = max(share, 0.8) if failed[-1] else share * 0.8
        return value, f"{sum(failed)} of {len(failed)} tool steps failed."

    def _broken(self, step: Any) -> bool:
        status = str(step.get("status") or "").lower()
        if step.get("error") or status in {"error", "failed", "2"}:
            return True
        return bool(self._failed.search(str(step.get("output") or "")[:200]))
