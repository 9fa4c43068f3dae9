"""What an optimizer is given, what it hands back, and what it must never do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from registry.prompts import Block


@dataclass(frozen=True, slots=True)
class Feedback:
    """A failure mode to be mended, with the evidence for it.

    evidence_ids  all the evidence that asks for it, newest first; what a proposal may cite
    records       the few of them that a model is shown, as JSON values with their "evidence_id"
    contrast      outputs that people accept, so that a model sees what must not change
    history       how much evidence there is, in words
    """

    mode: str
    label: str
    definition: str
    remedy: str
    history: str
    evidence_ids: Sequence[int]
    records: Sequence[dict[str, Any]] = ()
    contrast: Sequence[dict[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class Assignment:
    """What is to be mended. `material` is text that must not end up in the prompt."""

    project_id: int
    blocks: tuple[Block, ...]
    feedback: Feedback
    material: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Edit:
    """One change of one block, with the guess behind it and the evidence that asked for it.

    operation  add (after `anchor`, or at the end), replace (`anchor` by `new_text`), or delete
    """

    block: str
    hypothesis: str
    operation: str
    anchor: str
    new_text: str
    evidence_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Proposal:
    """The prompt as it should become. `rejected` says of each refused edit why; no edit kept
    means that nothing is proposed."""

    blocks: tuple[Block, ...]
    edits: tuple[Edit, ...]
    rejected: tuple[str, ...] = ()
    calls: int = 0


class Optimizer(Protocol):
    """Never touches a locked block, reads no database, and writes nothing: it only proposes.

    Raises core.llm.LlmError where a model that it needs fails.
    """

    @property
    def name(self) -> str: ...

    def propose(self, assignment: Assignment) -> Proposal: ...
