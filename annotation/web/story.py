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
    steps = [
        step
        for step in _dicts(payload.content.get("steps"))
        if not (blind and step.get("kind") in JUDGING)
    ]
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
    return ICONS.get(str(step.get("kind")), "branch")


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _tree(steps: Sequence[Json]) -> list[Json]:
    """Rows for `ui/steps.html`: children under their parents, bars in percent of the whole."""
    whole = max(
        (_number(step.get("started_ms")) + _number(step.get("duration_ms")) for step in steps),
        default=0.0,
    )
    rows = [_row(place, step, whole) for place, step in enumerate(steps, start=1)]
    by_id = {step["span_id"]: row for step, row in zip(steps, rows, strict=True) if _id(step)}
    top: list[Json] = []
    for step, row in zip(steps, rows, strict=True):
        parent = by_id.get(step.get("parent_id") or "")
        (parent["children"] if parent and parent is not row else top).append(row)
    return top


def _id(step: Json) -> bool:
    return isinstance(step.get("span_id"), str) and bool(step["span_id"])


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
