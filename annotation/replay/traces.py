"""A line as the trace that its application would have sent. Pure.

What people said and what is known of the outcome stays behind: `annotations`, `reference` and
`meta` (which may hold aggregates of them) never enter the trace.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from annotation.replay.line import Line
from routing.spans import Score, TraceIn

INPUT: Final = "input"


def trace_of(line: Line, *, at: datetime, prompt_name: str = "", version: int = 0) -> TraceIn:
    """`at` is the time of a line that states none; `prompt_name` ties it to our registry."""
    return TraceIn(
        trace_id=line.trace_id,
        started_at=line.created_at or at,
        name=f"{line.task}: {line.item}",
        model=line.model,
        params=dict(line.params),
        messages=[dict(message) for message in line.prompt],
        output=line.output,
        documents=[_document(document) for document in line.documents],
        steps=list(_steps(line)),
        prompt_name=prompt_name,
        prompt_version=str(version) if prompt_name else "",
        variables={INPUT: asked(line)} if prompt_name and not line.system else {},
        # Outputs for one item are not independent; golden cases cluster by this.
        session=f"{line.dataset}:{line.item}",
        task=line.task,
        language=line.language,
        metadata={"dataset": line.dataset, "id": line.id, "source_item": line.item},
        tokens_in=line.tokens_in,
        tokens_out=line.tokens_out,
        cost_usd=line.cost_usd,
        latency_ms=line.latency_ms,
        scores=dict(_scores(line.signals)),
        complete=True,
    )


def asked(line: Line) -> str:
    """What the application put to the model: the message, or a conversation as a transcript."""
    said = [message for message in line.prompt if message["role"] != "system"]
    if len(said) == 1:
        return str(said[0]["content"])
    return "\n\n".join(f"{str(each['role']).capitalize()}: {each['content']}" for each in said)


def _document(document: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": document["id"],
        "title": document.get("title", ""),
        "text": document.get("text", ""),
        "score": None,
        "metadata": {"url": document["url"]} if "url" in document else {},
    }


def _steps(line: Line) -> Iterator[dict[str, Any]]:
    """One step a message, at the index that annotators' marks use."""
    asked_of: dict[str, str] = {}
    for message in line.steps:
        calls = message.get("tool_calls", ())
        name = str(message.get("name", ""))
        tool = message["role"] == "tool"
        yield {
            "kind": "TOOL" if tool else "LLM" if message["role"] == "assistant" else "SPAN",
            "name": name or str(message["role"]),
            "input": asked_of.pop(name, "") if tool else "",
            "output": str(message["content"]) or _called(calls),
            "error": "",
            "started_ms": 0.0,
            "duration_ms": None,
            "span_id": "",
            "parent_id": "",
        }
        asked_of.update({str(call["name"]): str(call["arguments"]) for call in calls})


def _called(calls: Sequence[Mapping[str, Any]]) -> str:
    return "\n".join(f"{call['name']}({call['arguments']})" for call in calls)


def _scores(signals: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Score]]:
    """Automatic scores under flat names; what is neither number nor text is no score."""
    for name, value in signals.items():
        if isinstance(value, Mapping):
            yield from _scores(value, f"{prefix}{name}.")
        elif isinstance(value, bool | int | float | str):
            yield f"{prefix}{name}", value
