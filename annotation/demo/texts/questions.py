"""Customers' questions, thousands of them, and what each one is about."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from random import Random

from annotation.demo.texts.complaints import COMPLAINTS, LETTER_SLOTS, letter
from annotation.demo.texts.template import Template
from annotation.demo.texts.templates import CLOSERS, INJECTIONS, OPENERS, SLOTS, TEMPLATES

_SLOT = re.compile(r"\{(\w+)\}")
INJECTED_SHARE = 0.03


@dataclass(frozen=True)
class Question:
    """What a customer wrote. `prompt` is the prompt that serves it, `topic` its template."""

    id: str
    text: str
    prompt: str
    topic: str
    kind: str


def questions(n: int, seed: int, *, prompt: str = "support-answer") -> list[Question]:
    """`n` different texts, the same for the same seed; `prompt` "support-answer" gives
    questions, "complaint-summary" gives letters of complaint."""
    random = Random(f"{prompt}:{seed}")  # noqa: S311 - a demo must repeat itself
    write = _question if prompt == "support-answer" else _complaint
    found: dict[str, Question] = {}
    for _ in range(50 * n + 100):
        if len(found) >= n:
            break
        question = write(random)
        found.setdefault(question.text, question)
    if len(found) < n:
        raise ValueError(f"n: only {len(found)} different texts of {prompt} can be made")
    return list(found.values())


@lru_cache(maxsize=8192)
def recognise(text: str) -> Template | None:
    """The template from which `text` was made, or None for a text of somebody else's."""
    for template, pattern in _PATTERNS:
        if pattern.search(text):
            return template
    return None


def share(*keys: str) -> float:
    """A number in [0, 1) that depends on nothing but `keys`: the demo's only chance."""
    digest = blake2b("\x1f".join(keys).encode(errors="replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def _question(random: Random) -> Question:
    template = random.choice(TEMPLATES)
    core = _SLOT.sub(lambda match: random.choice(SLOTS[match[1]]), template.text)
    text = random.choice(OPENERS) + core + random.choice(CLOSERS)
    if random.random() < INJECTED_SHARE:
        text += random.choice(INJECTIONS)
    return _named(text, "support-answer", template)


def _complaint(random: Random) -> Question:
    template = random.choice(COMPLAINTS)
    text = letter(template, random)
    if random.random() < INJECTED_SHARE:
        text += random.choice(INJECTIONS)
    return _named(text, "complaint-summary", template)


def _named(text: str, prompt: str, template: Template) -> Question:
    digest = blake2b(text.encode(), digest_size=6).hexdigest()
    return Question(f"{template.id}-{digest}", text, prompt, template.id, template.kind)


def _pattern(template: Template) -> re.Pattern[str]:
    values = {**SLOTS, **LETTER_SLOTS}
    parts: list[str] = []
    for index, part in enumerate(_SLOT.split(template.text)):
        words = values[part] if index % 2 else (part,)
        parts.append("(?:" + "|".join(re.escape(word) for word in words) + ")")
    return re.compile("".join(parts))


_PATTERNS: tuple[tuple[Template, re.Pattern[str]], ...] = tuple(
    (template, _pattern(template)) for template in (*TEMPLATES, *COMPLAINTS)
)
