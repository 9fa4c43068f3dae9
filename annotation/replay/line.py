"""What stands on one line of a replay file, as values."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

LONGEST_TRACE_ID: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A place that an annotator marked, or a quotation that could not be located (start None).

    `start` and `end` are code points of the raw text of `target` (output, input, trace), half
    open; `step` is the index of the agent's step. `corrected` is the replacement: empty deletes.
    """

    target: str
    text: str
    start: int | None = None
    end: int | None = None
    step: int | None = None
    mode: str = ""
    severity: str = ""
    comment: str = ""
    corrected: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """What one person said. `modes` is None where he or she was not asked, or was unsure."""

    annotator: str
    modes: tuple[str, ...] | None
    marks: tuple[Mark, ...] = ()
    ratings: Mapping[str, Any]
    rating_comments: Mapping[str, str]
    comment: str = ""
    revised: str | None = None
    duration_ms: float | None = None

    @property
    def judges(self) -> bool:
        """Whether a verdict is stated."""
        return self.modes is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One output with its annotations. `failed` is what a known outcome says, None without one.

    Messages are `{role, content}` with, where given, `name` and `tool_calls`; documents
    `{id, title, url, text}`, the last three where given.
    """

    number: int
    id: str
    dataset: str
    item: str
    task: str
    language: str
    prompt: tuple[Mapping[str, Any], ...]
    documents: tuple[Mapping[str, Any], ...]
    output: str
    model: str
    params: Mapping[str, Any]
    tokens_in: int | None
    tokens_out: int | None
    latency_ms: float | None
    cost_usd: float | None
    created_at: datetime | None
    steps: tuple[Mapping[str, Any], ...]
    signals: Mapping[str, Any]
    annotations: tuple[Annotation, ...]
    failed: bool | None

    @property
    def trace_id(self) -> str:
        """The id, or its beginning and a digest (BLAKE2b, 64 bits) where it is too long."""
        if len(self.id) <= LONGEST_TRACE_ID:
            return self.id
        digest = hashlib.blake2b(self.id.encode(), digest_size=8).hexdigest()
        return f"{self.id[: LONGEST_TRACE_ID - 17]}-{digest}"

    @property
    def system(self) -> str:
        """The system message, or nothing."""
        return next((str(m["content"]) for m in self.prompt if m["role"] == "system"), "")

    @property
    def modes(self) -> set[str]:
        """All that any annotator names."""
        return {mode for each in self.annotations for mode in each.modes or ()}


def line_of(number: int, row: Mapping[str, Any]) -> Line:
    """The values of a row that fits the schema. Raises ValueError naming a time it cannot read."""
    return Line(
        number=number, id=row["id"], dataset=row["source_dataset"], item=row["source_item"],
        task=row["task"], language=row["language"], prompt=tuple(row["prompt"]),
        documents=tuple(row["context"]), output=row["output"], model=row["model"],
        params=row["params"], tokens_in=row["tokens_in"], tokens_out=row["tokens_out"],
        latency_ms=row["latency_ms"], cost_usd=row["cost_usd"],
        created_at=_time(row.get("created_at")), steps=tuple(row.get("trace", ())),
        signals=row.get("signals", {}), failed=row.get("reference", {}).get("failed"),
        annotations=tuple(_annotation(each) for each in row["annotations"]),
    )  # fmt: skip


def _time(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"created_at: {text!r} is not a date and time") from error
    if moment.tzinfo is None:
        raise ValueError(f"created_at: {text!r} has no time zone")
    return moment


def _annotation(row: Mapping[str, Any]) -> Annotation:
    modes = row.get("failure_modes")
    return Annotation(
        annotator=row["annotator"], modes=None if modes is None else tuple(modes),
        marks=tuple(_mark(each) for each in row.get("spans", ())),
        ratings=row.get("ratings", {}), rating_comments=row.get("rating_comments", {}),
        comment=row.get("comment", ""), revised=row.get("revised_output"),
        duration_ms=row.get("duration_ms"),
    )  # fmt: skip


def _mark(row: Mapping[str, Any]) -> Mark:
    return Mark(
        target=row["target"], text=row["text"], start=row.get("start"), end=row.get("end"),
        step=row.get("step"), mode=row.get("failure_mode", ""), severity=row.get("severity", ""),
        comment=row.get("comment", ""), corrected=row.get("corrected_text"),
    )  # fmt: skip
