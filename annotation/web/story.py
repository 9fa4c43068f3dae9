"""What was asked, found, done and answered in one trace, as the pages show it.

Nothing of what machines thought of it: scores and metadata of the sender stay in the payload.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from django.utils.safestring import SafeString

from core import rich
from routing.models import Payload, Trace

Json: TypeAlias = dict[str, Any]

# How much of a text a page shows before somebody asks for all of it, in characters.
SHOWN: Final = 20_000
SHOWN_OUTPUT: Final = 100_000
# A shorter passage is no burden, and may be the customer's own words.
WORTH_LEAVING_OUT: Final = 40
# Levels of steps that a page draws.
DEEPEST: Final = 16
# Steps in which a machine judges; a blind reader must not see what it said.
JUDGING: Final = frozenset({"EVALUATOR", "GUARDRAIL"})
ICONS: Final = {
    "LLM": "model", "RETRIEVER": "search", "RERANKER": "search", "TOOL": "tool", "AGENT": "traces",
    "EMBEDDING": "search", "PROMPT": "prompt", "GUARDRAIL": "shield", "EVALUATOR": "gauge",
}  # fmt: skip


@dataclass(slots=True)
class Story:
    """`output` is the whole raw text; `left` counts the characters that the page leaves out.

    `html` is None where the output is too long to be read as markdown: then there is raw only.
    """

    output: str = ""
    html: SafeString | None = None
    raw: SafeString = field(default_factory=SafeString)
    asked: str = ""
    system: str = ""
    messages: list[Json] = field(default_factory=list)
    documents: list[Json] = field(default_factory=list)
    steps: list[Json] = field(default_factory=list)
    details: list[Json] = field(default_factory=list)
    left: int = 0

    def shorten(self, text: str, most: int = SHOWN) -> str:
        """The beginning of `text`; what is left out is said in it, and counted."""
        shown, left = rich.cut(text, most)
        self.left += left
        return f"{shown}\n\n[{left:,} more characters]" if left else shown


def tell(trace: Trace, *, blind: bool, whole: bool = False) -> Story:
    """The story of `trace`; without the steps of judges where `blind`, in full where `whole`."""
    payload = Payload.objects.filter(trace_id=trace.pk, started_at=trace.started_at).first()
    if payload is None:
        return Story()
    story = Story(output=payload.output)
    _tell_output(story, whole)
    documents = _dicts(payload.content.get("documents"))
    _tell_asked(story, _dicts(payload.content.get("messages")), documents, whole)
    story.documents = [
        _document(story, place, each, whole) for place, each in enumerate(documents, start=1)
    ]
    steps = _dicts(payload.content.get("steps"))
    steps = _without_judges(steps) if blind else steps
    story.steps = _tree(steps)
    story.details = [
        _detail(story, place, step, whole) for place, step in enumerate(steps, start=1)
    ]
    return story


def output_of(trace: Trace) -> str:
    """The raw output, from which the places that people mark are cut."""
    row = Payload.objects.filter(trace_id=trace.pk, started_at=trace.started_at)
    return row.values_list("output", flat=True).first() or ""


def _dicts(value: Any) -> list[Json]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _tell_output(story: Story, whole: bool) -> None:
    text = story.output
    shown, left = rich.cut(text, len(text) if whole else SHOWN_OUTPUT)
    story.left += left
    story.raw = rich.raw(shown)
    story.html = rich.render(text) if len(text) <= rich.LONGEST else None


def _limit(text: str, whole: bool) -> int:
    return len(text) if whole else SHOWN


def _tell_asked(story: Story, messages: list[Json], documents: list[Json], whole: bool) -> None:
    system = [each for each in messages if each.get("role") in {"system", "developer"}]
    talk = [each for each in messages if each.get("role") not in {"system", "developer"}]
    last = next(
        (place for place in range(len(talk) - 1, -1, -1) if talk[place].get("role") == "user"), None
    )
    said = "\n\n".join(_said(each) for each in system)
    story.system = story.shorten(said, _limit(said, whole))
    if last is not None:
        asked = _without(_said(talk[last]), documents)
        story.asked = story.shorten(asked, _limit(asked, whole))
    story.messages = [
        _message(story, each, whole) for place, each in enumerate(talk) if place != last
    ]


def _without(text: str, documents: Sequence[Json]) -> str:
    """A question is often sent with all that was retrieved for it; that stands under its own
    heading already, and nobody should have to read past it twice to find the question."""
    for document in documents:
        words = _plain(document.get("text")).strip()
        if len(words) >= WORTH_LEAVING_OUT:
            text = text.replace(words, "[text under Retrieved]")
    return text


def _message(story: Story, message: Json, whole: bool) -> Json:
    text = _said(message)
    return {
        "role": message.get("role", ""),
        "name": message.get("name", ""),
        "text": story.shorten(text, _limit(text, whole)),
    }


def _said(message: Json) -> str:
    """The words of a message, and the tools that it calls."""
    content = message.get("content") or ""
    words = content if isinstance(content, str) else _plain(content)
    calls = [f"{_name(call)}({_plain(call.get('arguments'))})" for call in _calls(message)]
    return "\n\n".join(part for part in (words, *calls) if part)


def _calls(message: Json) -> Iterable[Json]:
    for call in _dicts(message.get("tool_calls")):
        inner = call.get("function")
        yield inner if isinstance(inner, dict) else call


def _name(call: Json) -> str:
    return str(call.get("name") or "tool")


def _plain(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False, indent=2)


def _document(story: Story, place: int, document: Json, whole: bool) -> Json:
    text = _plain(document.get("text"))
    return {
        "mark": str(document.get("id") or place),
        "title": str(document.get("title") or document.get("url") or f"Document {place}"),
        "text": story.shorten(text, _limit(text, whole)),
    }


def _detail(story: Story, place: int, step: Json, whole: bool) -> Json:
    parts = {name: _plain(step.get(name)) for name in ("input", "output", "error")}
    return {
        "place": place,
        "icon": _icon(step),
        "name": step.get("name") or step.get("kind") or "step",
        **{name: story.shorten(text, _limit(text, whole)) for name, text in parts.items()},
    }


def _icon(step: Json) -> str:
    return ICONS.get(_kind(step), "branch")


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _without_judges(steps: Sequence[Json]) -> list[Json]:
    """The steps that no judge took: neither a judge's own nor those below it, such as its call of
    a model, whose answer is the score in words."""
    _, below = _below(steps)
    hidden = {place for place, step in enumerate(steps) if _kind(step) in JUDGING}
    left = list(hidden)
    while left:
        fresh = set(below.get(_id(steps[left.pop()]), [])) - hidden
        hidden |= fresh
        left += fresh
    return [step for place, step in enumerate(steps) if place not in hidden]


def _below(steps: Sequence[Json]) -> tuple[list[int], dict[str, list[int]]]:
    """Places of the steps above which there is none, and of the others by the span above them."""
    known = {_id(step) for step in steps} - {""}
    heads: list[int] = []
    found: dict[str, list[int]] = {}
    for place, step in enumerate(steps):
        parent = _id(step, "parent_id")
        under = parent in known and parent != _id(step)
        (found.setdefault(parent, []) if under else heads).append(place)
    return heads, found


def _kind(step: Json) -> str:
    """Applications that send whole traces spell it as they like."""
    return str(step.get("kind") or "").upper()


def _tree(steps: Sequence[Json]) -> list[Json]:
    """Rows for `ui/steps.html`: children under their parents, bars in percent of the whole.

    Below `DEEPEST` levels all stand on one: a template that includes itself has its limits.
    """
    whole = max(
        (_number(step.get("started_ms")) + _number(step.get("duration_ms")) for step in steps),
        default=0.0,
    )
    rows = [_row(place, step, whole) for place, step in enumerate(steps, start=1)]
    heads, below = _below(steps)
    top: list[Json] = []
    seen: set[int] = set()
    # Spans that name each other as parents hang below nothing: they come last, at the top.
    left = [(place, 1, top) for place in reversed([*heads, *range(len(steps))])]
    while left:
        place, level, beside = left.pop()
        if place not in seen:
            seen.add(place)
            beside.append(rows[place])
            inner = rows[place]["children"] if level < DEEPEST else beside
            under = below.get(_id(steps[place]), [])
            left += [(each, level + 1, inner) for each in reversed(under)]
    return top


def _id(step: Json, key: str = "span_id") -> str:
    name = step.get(key)
    return name if isinstance(name, str) else ""


def _row(place: int, step: Json, whole: float) -> Json:
    start, length = _number(step.get("started_ms")), _number(step.get("duration_ms"))
    return {
        "icon": _icon(step),
        "name": step.get("name") or step.get("kind") or "step",
        "seconds": length / 1000 if step.get("duration_ms") is not None else None,
        "start": round(start / whole * 100, 2) if whole else 0,
        "width": max(1, round(length / whole * 100, 2)) if whole else 0,
        "url": f"#step-{place}",
        "error": bool(step.get("error")),
        "children": [],
    }
