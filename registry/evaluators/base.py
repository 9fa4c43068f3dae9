"""What an evaluator is given, what it says, and what it must never do."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Protocol, TypeAlias

from registry.evaluators.lexis import MAX_CHARS, clip, numbers, words

log = logging.getLogger(__name__)

Step: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True)
class Subject:
    """One output with everything that is known about how it came to be.

    messages    [{role, content}] as sent to the model
    documents   [{id, title, text, score}] as retrieved
    steps       [{name, kind, input, output, status, error}] of an agent, in order
    language    ISO 639-1 code that the output should have; empty where it is not known
    latency_ms, cost_usd, tokens_out   None where they were not measured
    error       what the provider or the application reported; empty where nothing
    """

    messages: Sequence[Mapping[str, Any]] = ()
    output: str = ""
    documents: Sequence[Mapping[str, Any]] = ()
    steps: Sequence[Step] = ()
    variables: Mapping[str, Any] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)
    task: str = ""
    language: str = ""
    latency_ms: float | None = None
    cost_usd: float | None = None
    tokens_out: int | None = None
    error: str = ""

    @cached_property
    def text(self) -> str:
        """The output as far as checks read it: at most MAX_CHARS, the middle left out."""
        return clip(self.output)

    @cached_property
    def asked(self) -> str:
        """The messages as one text."""
        return clip("\n".join(str(each.get("content") or "") for each in self.messages))

    @cached_property
    def instructions(self) -> str:
        """What the output was told to be: system messages and the last message of the user."""
        system = [m for m in self.messages if m.get("role") in {"system", "developer"}]
        users = [m for m in self.messages if m.get("role") == "user"]
        return clip("\n".join(str(m.get("content") or "") for m in (*system, *users[-1:])))

    @cached_property
    def read(self) -> str:
        """The documents as one text."""
        return clip(
            "\n".join(
                f"{each.get('title') or ''}\n{each.get('text') or ''}" for each in self.documents
            )
        )

    @cached_property
    def context(self) -> str:
        """Everything that the output could have been taken from."""
        steps = "\n".join(str(each.get("output") or "") for each in self.steps)
        given = "\n".join(str(value) for value in self.variables.values())
        return clip(f"{self.asked}\n{self.read}\n{clip(steps)}\n{clip(given)}")

    @cached_property
    def context_words(self) -> frozenset[str]:
        return frozenset(words(self.context))

    @cached_property
    def context_numbers(self) -> frozenset[str]:
        return numbers(self.context)


@dataclass(frozen=True)
class Signal:
    """What one evaluator says of one subject.

    value        0 to 1, 1 the worst risk; None where it could not say, or does not apply
    failed       whether it would call the output a failure; None where it takes no side
    modes        codes of the failure modes that it suspects
    explanation  one sentence, without personal data
    error        why `value` is missing; empty where the check does not apply
    """

    name: str
    version: str
    value: float | None
    failed: bool | None = None
    modes: tuple[str, ...] = ()
    explanation: str = ""
    error: str = ""


class Evaluator(Protocol):
    """Answers in the order of `subjects`, one signal each.

    Never raises because of a subject, and never says 0 where it does not know.
    """

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    def evaluate(self, subjects: Sequence[Subject]) -> list[Signal]: ...


class NotApplicable(Exception):
    """A check has nothing to go by. The message says what is lacking."""


class Check(ABC):
    """A pure, fast evaluator of one subject at a time."""

    name: ClassVar[str]
    version: ClassVar[str] = "1"
    modes: ClassVar[tuple[str, ...]] = ()

    def evaluate(self, subjects: Sequence[Subject]) -> list[Signal]:
        return [self._guarded(subject) for subject in subjects]

    @abstractmethod
    def measure(self, subject: Subject) -> tuple[float, str]:
        """Risk in [0, 1] and one sentence. Raises NotApplicable where there is nothing to say."""

    def verdict(self, value: float) -> bool | None:
        """Whether this much risk is a failure."""
        return value >= 0.5

    def _guarded(self, subject: Subject) -> Signal:
        try:
            value, explanation = self.measure(subject)
        except NotApplicable as reason:
            return Signal(self.name, self.version, None, explanation=str(reason))
        except Exception as error:
            # One strange trace must not stop the batch it came in.
            log.exception("check %s failed", self.name)
            fault = f"{type(error).__name__}: {error}"[:300]
            return Signal(self.name, self.version, None, error=fault)
        value = round(min(1.0, max(0.0, value)), 4)
        suspected = self.modes if value > 0 else ()
        return Signal(self.name, self.version, value, self.verdict(value), suspected, explanation)


__all__ = ["MAX_CHARS", "Check", "Evaluator", "NotApplicable", "Signal", "Step", "Subject"]
