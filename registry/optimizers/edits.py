"""Edits of blocks: carried out one by one, each checked by itself. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from registry.evaluators.guardrails import personal
from registry.optimizers.base import Assignment, Edit, Proposal
from registry.prompts import Block, variables

LEAK_WORDS: Final = 8
MOST_ADDED: Final = 2_000
"""Characters by which a proposal may lengthen the prompt: rules that pile up are read by nobody."""
NEW_BLOCK: Final = Block("guidance", "system", "Guidance", "")

_WORD = re.compile(r"\w+")
_Run = tuple[str, ...]


class Rejected(Exception):
    """The edit may not be made. The message says why."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What edits are measured by: the prompt as it was, and texts they must not copy."""

    base: tuple[Block, ...]
    known_ids: frozenset[int]
    allowed_runs: frozenset[_Run]
    material: Sequence[str]


def limits_of(assignment: Assignment) -> Limits:
    """The prompt's own words and the rubric's are nobody's secret, wherever they are quoted."""
    feedback = assignment.feedback
    own = [block.text for block in assignment.blocks]
    allowed = [*own, feedback.remedy, feedback.definition]
    return Limits(
        base=assignment.blocks,
        known_ids=frozenset(feedback.evidence_ids),
        allowed_runs=frozenset(run for text in allowed for run in _runs(text)),
        material=assignment.material,
    )


def carry_out(
    edits: Iterable[Edit],
    assignment: Assignment,
    *,
    blocks: Sequence[Block] = (),
    calls: int = 0,
) -> Proposal:
    """The blocks after all edits that may be made, and why the others may not.

    blocks  what to start from where it is not the assignment's own: the same with room for more
    """
    limits = limits_of(assignment)
    blocks = tuple(blocks) or with_room(assignment.blocks)
    made: list[Edit] = []
    rejected: list[str] = []
    for edit in edits:
        try:
            blocks = _apply(edit, blocks, limits)
        except Rejected as reason:
            rejected.append(f"{edit.operation} in {edit.block or 'no block'}: {reason}")
        else:
            made.append(edit)
    kept = tuple(block for block in blocks if block.text or block in assignment.blocks)
    return Proposal(kept, tuple(made), tuple(rejected), calls)


def with_room(blocks: Sequence[Block]) -> tuple[Block, ...]:
    """`blocks`, with an empty one for guidance where no system block may be written into."""
    if any(takes_rules(block) for block in blocks):
        return tuple(blocks)
    return insert_guidance(blocks)


def insert_guidance(blocks: Sequence[Block]) -> tuple[Block, ...]:
    """`blocks` with an empty one for guidance before the first that is not a system block."""
    taken = {block.key for block in blocks}
    names = (NEW_BLOCK.key, *(f"{NEW_BLOCK.key}-{n}" for n in range(2, len(blocks) + 3)))
    block = replace(NEW_BLOCK, key=next(name for name in names if name not in taken))
    place = next((i for i, each in enumerate(blocks) if each.role != "system"), len(blocks))
    return (*blocks[:place], block, *blocks[place:])


def takes_rules(block: Block) -> bool:
    """Whether a rule may be added to it: not locked, and no turn of the conversation."""
    return not block.locked and block.role == "system"


def _apply(edit: Edit, blocks: tuple[Block, ...], limits: Limits) -> tuple[Block, ...]:
    place = next((i for i, block in enumerate(blocks) if block.key == edit.block), None)
    if place is None:
        raise Rejected("there is no such block.")
    block = blocks[place]
    if block.locked:
        raise Rejected("the block is locked.")
    text = _edited(edit, block.text)
    changed = (*blocks[:place], replace(block, text=text), *blocks[place + 1 :])
    _check_words(edit, limits)
    _check_blocks(block.text, changed, limits, text)
    return changed


def _edited(edit: Edit, text: str) -> str:
    new = edit.new_text.strip()
    if edit.operation not in {"add", "replace", "delete"}:
        raise Rejected("an operation is add, replace or delete.")
    if not new and edit.operation != "delete":
        raise Rejected("there is no new text.")
    if edit.operation == "add" and _squeezed(new) in _squeezed(text):
        raise Rejected("the block says so already.")
    if edit.operation == "add" and not edit.anchor:
        return f"{text.rstrip()}\n{new}" if text.strip() else new
    if not edit.anchor or text.count(edit.anchor) != 1:
        raise Rejected("its anchor does not stand in the block exactly once.")
    if edit.operation == "add":
        return text.replace(edit.anchor, f"{edit.anchor}\n{new}")
    return text.replace(edit.anchor, new if edit.operation == "replace" else "")


def _check_words(edit: Edit, limits: Limits) -> None:
    if not edit.evidence_ids or not limits.known_ids.issuperset(edit.evidence_ids):
        raise Rejected("it cites evidence that it was not given.")
    runs = set(_runs(edit.new_text)) - limits.allowed_runs
    if runs and any(not runs.isdisjoint(_runs(text)) for text in limits.material):
        raise Rejected(f"it copies {LEAK_WORDS} words or more of a case.")
    own = "\n".join(block.text for block in limits.base)
    if any(data not in own for _, data in personal(edit.new_text)):
        raise Rejected("it holds what looks like personal data.")


def _check_blocks(before: str, changed: Sequence[Block], limits: Limits, text: str) -> None:
    if text == before:
        raise Rejected("it changes nothing.")
    if not any(block.text.strip() for block in changed):
        raise Rejected("it leaves no prompt.")
    old, new = variables(limits.base), variables(changed)
    if lost := sorted(old - new):
        raise Rejected(f"it loses the variable {', '.join(lost)}.")
    if invented := sorted(new - old):
        raise Rejected(f"it invents the variable {', '.join(invented)}.")
    if _length(changed) > _length(limits.base) + MOST_ADDED:
        raise Rejected(f"it makes the prompt longer by more than {MOST_ADDED} characters.")


def _length(blocks: Sequence[Block]) -> int:
    return sum(len(block.text) for block in blocks)


def _squeezed(text: str) -> str:
    return " ".join(text.lower().split())


def _runs(text: str) -> Iterable[_Run]:
    words = _WORD.findall(text.lower())
    return zip(*(words[start:] for start in range(LEAK_WORDS)), strict=False)
