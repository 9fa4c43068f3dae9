"""Inputs and outputs of steps as people read them, whatever envelope they were sent in."""

from __future__ import annotations

import json
from typing import Any, Final

from routing.otlp.messages import read_messages, text_of
from routing.otlp.values import as_text, read_structure
from routing.spans import Json

_SAID: Final = {"asked": ("user",), "input": ("user", "tool"), "output": ("assistant",)}


def readable(text: str, side: str) -> str:
    """The words inside a JSON envelope: the last message of the side that speaks ("input" or
    "output"), the one text of an object, the arguments of a call. Anything else stays as sent.
    """
    value = read_structure(text)
    if isinstance(value, str):
        return value
    return _in_envelope(value, side) or text


def is_plain(text: str) -> bool:
    """True when the text is words and not an object or a list."""
    return isinstance(read_structure(text), str)


def holds(envelope: str, words: str) -> bool:
    """True when the words occur in the text, as they are or as JSON writes them."""
    if not words:
        return False
    return words in envelope or any(
        json.dumps(words, ensure_ascii=ascii_only)[1:-1] in envelope for ascii_only in (True, False)
    )


def _in_envelope(value: Any, side: str) -> str:
    messages = read_messages(value)
    if messages:
        return last_said(messages, side)
    return _only_text(value) if isinstance(value, dict) else ""


def last_said(messages: list[Json], side: str) -> str:
    """What the last message of that side says, else the last message of all.

    "asked" is what a person said, "input" also takes the answer of a tool.
    """
    wanted = [message for message in messages if message["role"] in _SAID[side]]
    return text_of((wanted or messages)[-1:])


def _only_text(value: Json) -> str:
    """The one text in an object: of `{"question": ...}` or of recorded call arguments."""
    if set(value) == {"args", "kwargs"}:
        args = value["args"] if isinstance(value["args"], list) else []
        kwargs = value["kwargs"] if isinstance(value["kwargs"], dict) else {}
        return "\n".join(as_text(part) for part in (*args, *kwargs.values()))
    texts = [part for part in value.values() if isinstance(part, str)]
    return texts[0] if len(value) == 1 and texts else ""
