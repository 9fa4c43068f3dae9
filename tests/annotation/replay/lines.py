"""Rows of a replay file for tests, each the smallest that the schema lets pass."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from annotation.replay.line import Line, line_of


def row(number: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "schema_version": "1", "id": f"tiny:{number}", "source_dataset": "tiny",
        "source_item": f"item-{number}", "task": "summarisation", "language": "en",
        "prompt": [{"role": "user", "content": "Sum this up."}], "context": [],
        "output": "All went well.", "model": "m", "params": {}, "tokens_in": None,
        "tokens_out": None, "latency_ms": None, "cost_usd": None, "annotations": [],
        **changes,
    }  # fmt: skip


def said(annotator: str, modes: list[str] | None = None, **more: Any) -> dict[str, Any]:
    """An annotation; without `modes` one that states no verdict."""
    named = {} if modes is None else {"failure_modes": modes}
    return {"annotator": annotator, "role": "expert", **named, **more}


def line(number: int = 1, **changes: Any) -> Line:
    return line_of(number, row(number, **changes))


def write(path: Path, rows: Iterable[dict[str, Any] | str]) -> Path:
    """One row a line; a string is written as it is."""
    texts = (each if isinstance(each, str) else json.dumps(each) for each in rows)
    path.write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
    return path
