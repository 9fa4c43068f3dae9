"""What differs between two versions of a prompt, block by block, for the page."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from registry.models import PromptVersion

Sign = Literal[" ", "+", "-"]
Kind = Literal["same", "changed", "added", "removed"]
Lines = tuple[tuple[Sign, str], ...]


@dataclass(frozen=True, slots=True)
class BlockDiff:
    """One block; `lines` are its lines, each kept (space), new (+) or gone (-).

    A change of title, role or lock comes as lines too. The last one, with an empty key, stands
    for model and parameters and is there only where those differ.
    """

    key: str
    title: str
    kind: Kind
    lines: Lines


def diff(old: PromptVersion, new: PromptVersion) -> list[BlockDiff]:
    """The blocks of `new` in order; a removed block stands where it stood."""
    before = {block["key"]: block for block in old.blocks}
    after = {block["key"]: block for block in new.blocks}
    blocks = [_block(key, before.get(key), after.get(key)) for key in _order(before, after)]
    return blocks + _settings(old, new)


def _order(before: dict[str, dict[str, str]], after: dict[str, dict[str, str]]) -> list[str]:
    order, previous = list(after), ""
    for key in before:
        if key not in after:
            order.insert(order.index(previous) + 1 if previous else 0, key)
        previous = key
    return order


def _block(key: str, old: dict[str, str] | None, new: dict[str, str] | None) -> BlockDiff:
    shown = new or old or {}
    kind: Kind = "same" if old == new else "changed"
    if old is None:
        kind = "added"
    elif new is None:
        kind = "removed"
    heads = ([], []) if old is None or new is None else (_head(old), _head(new))
    head = _lines(*heads) if heads[0] != heads[1] else ()
    texts = [each["text"].splitlines() if each else [] for each in (old, new)]
    return BlockDiff(key, shown["title"], kind, head + _lines(*texts))


def _head(block: dict[str, str]) -> list[str]:
    """What a block says of itself, as lines, so that a change of it shows."""
    state = "locked" if block["locked"] else "open"
    return [f"title: {block['title']}", f"role: {block['role']}", f"{state} to the optimizer"]


def _settings(old: PromptVersion, new: PromptVersion) -> list[BlockDiff]:
    if (old.model, old.params) == (new.model, new.params):
        return []
    lines = _lines(*([_model_line(each), *_params(each)] for each in (old, new)))
    return [BlockDiff("", "Model and parameters", "changed", lines)]


def _model_line(version: PromptVersion) -> str:
    return f"model: {version.model or 'not stated'}"


def _params(version: PromptVersion) -> list[str]:
    return [f"{name}: {json.dumps(value)}" for name, value in sorted(version.params.items())]


def _lines(old: Sequence[str], new: Sequence[str]) -> Lines:
    lines: list[tuple[Sign, str]] = []
    for tag, a, b, c, d in SequenceMatcher(a=old, b=new, autojunk=False).get_opcodes():
        if tag == "equal":
            lines += [(" ", text) for text in new[c:d]]
        else:
            lines += [("-", text) for text in old[a:b]]
            lines += [("+", text) for text in new[c:d]]
    return tuple(lines)
