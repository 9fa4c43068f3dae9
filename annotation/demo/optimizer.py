"""The simulated optimizer: one sentence for each failure mode that the feedback names."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from annotation.demo.judge import first_json
from annotation.demo.texts.prompts import MENDS

MAX_EDITS = 3
_MODE_KEYS = ("failure_mode", "mode", "code")
_NAME_KEYS = ("key", "block", "name", "slug")
_TEXT_KEYS = ("text", "content", "body")
_ID_KEYS = ("evidence_ids", "label_ids", "ids")
_WORD = re.compile(r"[a-z_]{4,}")


def recognises(messages: Sequence[Mapping[str, str]]) -> bool:
    """Whether these messages ask for edits of a prompt."""
    text = " ".join(each["content"] for each in messages if each["role"] == "system").lower()
    return "prompt" in text and "edit" in text and "failure mode" in text.replace("_", " ")


def edits(messages: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """{"edits": [...]}, one a failure mode, adding the sentence that mends it.

    Reads a JSON object in the last message: blocks as {"blocks": [{"key", "text", "locked"}]} or
    {"blocks": {key: text}}, feedback as objects with "failure_mode" and "evidence_ids" (or a list
    "evidence" of objects with "id"). Where there is none it looks for the modes' codes as words.
    A sentence that the prompt already holds is not proposed again.
    """
    text = messages[-1]["content"]
    data = first_json(text)
    blocks = _blocks(data)
    modes = _modes(data) or [word for word in _WORD.findall(text) if word in MENDS]
    prompt = " ".join(blocks.values()) if blocks else text
    wanted = [mode for mode in dict.fromkeys(modes) if MENDS[mode] not in prompt]
    return {"edits": [_edit(mode, _target(blocks), data) for mode in wanted[:MAX_EDITS]]}


def _edit(mode: str, block: str, data: Any) -> dict[str, Any]:
    return {
        "block": block,
        "failure_mode": mode,
        "hypothesis": f"The prompt does not say what to do about {mode.replace('_', ' ')}, "
        "so the model does as it likes.",
        "operation": "add",
        "anchor": "",
        "new_text": MENDS[mode],
        "evidence_ids": list(dict.fromkeys(_evidence(data, mode))),
    }


def _objects(data: Any) -> Iterator[dict[str, Any]]:
    waiting = [data]
    while waiting:
        each = waiting.pop(0)
        if isinstance(each, dict):
            yield each
            waiting += each.values()
        elif isinstance(each, list):
            waiting += each


def _modes(data: Any) -> list[str]:
    return [
        each[key]
        for each in _objects(data)
        for key in _MODE_KEYS
        if isinstance(each.get(key), str) and each[key] in MENDS
    ]


def _blocks(data: Any) -> dict[str, str]:
    """The blocks that may be changed."""
    for each in _objects(data):
        found = each.get("blocks")
        editable = each.get("editable")
        if isinstance(found, list):
            found = dict(_named(block) for block in found if _open(block))
        if isinstance(found, dict):
            allowed = editable if isinstance(editable, list) else list(found)
            return {key: _text(value) for key, value in found.items() if key in allowed}
    return {}


def _named(block: dict[str, Any]) -> tuple[str, str]:
    name = next((str(block[key]) for key in _NAME_KEYS if key in block), "")
    return name, next((str(block[key]) for key in _TEXT_KEYS if key in block), "")


def _open(block: Any) -> bool:
    return isinstance(block, dict) and not block.get("locked") and block.get("editable", True)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _target(blocks: Mapping[str, str]) -> str:
    if not blocks or "instructions" in blocks:
        return "instructions"
    return next(iter(blocks))


def _evidence(data: Any, mode: str) -> Iterator[Any]:
    for each in _objects(data):
        if mode not in (each.get(key) for key in _MODE_KEYS):
            continue
        for key in (*_ID_KEYS, "evidence"):
            rows = each.get(key)
            for row in rows if isinstance(rows, list) else []:
                yield row.get("id") if isinstance(row, dict) else row
