"""Prompts as blocks, and their versions: the unit of release, never changed."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any, Final

from django.core.exceptions import ValidationError

from core import clock
from core.access import Actor, Verb, require
from core.audit import record
from core.db import command, step
from core.models import Project, User
from registry.comparison import BlockDiff, diff
from registry.models import Citation, Evidence, Prompt, PromptVersion
from registry.models.prompt import Origin
from registry.verbs import RegistryVerb

__all__ = [
    "Block",
    "BlockDiff",
    "Reason",
    "add_version",
    "blocks_of",
    "check_blocks",
    "check_locked",
    "compile",
    "create_prompt",
    "diff",
    "digest",
    "messages_of",
    "store_version",
    "variables",
]

ROLES: Final = ("system", "user", "assistant")
KEY = re.compile(r"^[a-z][a-z0-9_-]{0,79}$")
# No line break between the braces: what two blocks happen to form together is no variable.
VARIABLE = re.compile(r"\{\{[ \t]*([A-Za-z_][A-Za-z0-9_]*)[ \t]*\}\}")

Reason = tuple[Evidence, str, str, str]
"""Why an edit was made: the evidence, the key of the block, the failure mode, the hypothesis."""


@dataclass(frozen=True, slots=True)
class Block:
    """A named part of a prompt; `{{name}}` in `text` is a variable.

    The optimizer may not touch a `locked` block. `role` is system, user or assistant.
    """

    key: str
    role: str
    title: str
    text: str
    locked: bool = False


@command
def create_prompt(
    *,
    project: Project,
    slug: str,
    name: str,
    blocks: Sequence[Block],
    model: str = "",
    params: Mapping[str, Any] | None = None,
    description: str = "",
    task: str = "",
    origin: Origin = Origin.PERSON,
    actor: Actor,
) -> PromptVersion:
    """A prompt and its version 1."""
    require(actor, Verb.EDIT_PROMPT, project=project)
    author = actor if isinstance(actor, User) else None
    prompt = Prompt(
        project=project,
        slug=slug,
        name=name,
        description=description,
        task=task,
        created_by=author,
        created_at=clock.now(),
    )
    prompt.full_clean(exclude=["created_by"])
    prompt.save()
    version = _insert(
        prompt,
        number=1,
        blocks=blocks,
        model=model,
        params=dict(params or {}),
        origin=origin,
        author=author,
    )
    after = {"slug": slug, "digest": version.digest}
    record(RegistryVerb.PROMPT_CREATED, prompt, actor=actor, project=project, after=after)
    return version


@command
def add_version(
    *,
    prompt: Prompt,
    blocks: Sequence[Block],
    model: str | None = None,
    params: Mapping[str, Any] | None = None,
    note: str = "",
    parent: PromptVersion | None = None,
    origin: Origin = Origin.PERSON,
    citations: Sequence[Reason] = (),
    actor: Actor,
) -> PromptVersion:
    """The next version. What is None stays as in `parent`, which is the latest where not given."""
    return store_version(
        prompt=prompt,
        blocks=blocks,
        model=model,
        params=params,
        note=note,
        parent=parent,
        origin=origin,
        citations=citations,
        actor=actor,
    )


@step
def store_version(
    *,
    prompt: Prompt,
    blocks: Sequence[Block],
    model: str | None = None,
    params: Mapping[str, Any] | None = None,
    note: str = "",
    parent: PromptVersion | None = None,
    origin: Origin = Origin.PERSON,
    citations: Sequence[Reason] = (),
    actor: Actor,
) -> PromptVersion:
    """`add_version` for a command that does more than that."""
    require(actor, Verb.EDIT_PROMPT, project=prompt.project)
    Prompt.objects.select_for_update(no_key=True).get(pk=prompt.pk)
    latest = PromptVersion.objects.filter(prompt=prompt).latest("number")
    parent = parent or latest
    if parent.prompt_id != prompt.pk:
        raise ValidationError({"parent": f"{parent} is a version of another prompt."})
    if origin == Origin.OPTIMIZER:
        check_locked(blocks_of(parent), blocks)
    new_model = parent.model if model is None else model
    new_params = dict(parent.params if params is None else params)
    if digest(blocks, new_model, new_params) == parent.digest:
        raise ValidationError({"blocks": f"Nothing differs from version {parent.number}."})
    author = actor if isinstance(actor, User) else None
    version = _insert(
        prompt,
        number=latest.number + 1,
        blocks=blocks,
        model=new_model,
        params=new_params,
        parent=parent,
        origin=origin,
        note=note,
        author=author,
    )
    _cite(version, blocks, citations)
    after = {"number": version.number, "digest": version.digest, "origin": str(origin)}
    record(
        RegistryVerb.VERSION_ADDED,
        version,
        actor=actor,
        project=prompt.project,
        before={"parent": parent.number},
        after=after,
    )
    return version


def _insert(
    prompt: Prompt,
    *,
    number: int,
    blocks: Sequence[Block],
    model: str,
    params: dict[str, Any],
    origin: Origin,
    author: User | None,
    parent: PromptVersion | None = None,
    note: str = "",
) -> PromptVersion:
    check_blocks(blocks)
    return PromptVersion.objects.create(
        prompt=prompt,
        number=number,
        blocks=[asdict(block) for block in blocks],
        model=model,
        params=params,
        digest=digest(blocks, model, params),
        parent=parent,
        origin=origin,
        note=note,
        created_by=author,
        created_at=clock.now(),
    )


def _cite(version: PromptVersion, blocks: Sequence[Block], citations: Sequence[Reason]) -> None:
    keys = {block.key for block in blocks}
    for evidence, key, mode, _ in citations:
        if key not in keys:
            raise ValidationError({"citations": f"{mode}: there is no block {key!r}."})
        if evidence.project_id != version.prompt.project_id:
            raise ValidationError({"citations": f"{mode}: the evidence is of another project."})
    Citation.objects.bulk_create(
        Citation(version=version, evidence=evidence, block=key, mode=mode, hypothesis=hypothesis)
        for evidence, key, mode, hypothesis in citations
    )


def check_blocks(blocks: Sequence[Block]) -> None:
    """Raises ValidationError on `blocks` that cannot make a prompt."""
    if not any(block.text.strip() for block in blocks):
        raise ValidationError({"blocks": "A prompt needs at least one block with text."})
    for block in blocks:
        if not KEY.fullmatch(block.key):
            raise ValidationError(
                {"blocks": f"{block.key!r} is not a key: small letters, digits, - and _."}
            )
        if block.role not in ROLES:
            raise ValidationError({"blocks": f"{block.key}: role is {' or '.join(ROLES)}."})
    if len({block.key for block in blocks}) < len(blocks):
        raise ValidationError({"blocks": "Each block needs a key of its own."})


def check_locked(old: Sequence[Block], new: Sequence[Block]) -> None:
    """Raises ValidationError where a locked block of `old` is not in `new`, byte for byte."""
    kept = {block.key: block for block in new}
    for block in old:
        if block.locked and kept.get(block.key) != block:
            raise ValidationError({"blocks": f"{block.key} is locked and may not be changed."})


def blocks_of(version: PromptVersion) -> tuple[Block, ...]:
    """Its blocks as values, in order."""
    return tuple(Block(**block) for block in version.blocks)


def digest(blocks: Iterable[Block], model: str, params: Mapping[str, Any]) -> str:
    """SHA-256 (hex) of the canonical JSON of blocks, model and parameters."""
    content = {"blocks": [asdict(block) for block in blocks], "model": model, "params": params}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def variables(blocks: Iterable[Block]) -> set[str]:
    """The names between double braces."""
    return {name for block in blocks for name in VARIABLE.findall(block.text)}


def messages_of(version: PromptVersion) -> list[dict[str, str]]:
    """The chat messages, variables left as they are: neighbours of one role make one message."""
    full = [block for block in blocks_of(version) if block.text.strip()]
    return [
        {"role": role, "content": "\n\n".join(block.text for block in run)}
        for role, run in groupby(full, key=lambda block: block.role)
    ]


def compile(version: PromptVersion, variables: Mapping[str, str]) -> list[dict[str, str]]:  # noqa: A001 - what it does
    """The chat messages that the model is sent. A value is inserted as it is, never expanded.

    Raises ValidationError that names the variables without a value.
    """
    messages = messages_of(version)
    wanted = {name for each in messages for name in VARIABLE.findall(each["content"])}
    if missing := sorted(wanted - variables.keys()):
        raise ValidationError({"variables": f"No value for {', '.join(missing)}."})
    return [
        {
            "role": each["role"],
            "content": VARIABLE.sub(lambda hit: str(variables[hit[1]]), each["content"]),
        }
        for each in messages
    ]
