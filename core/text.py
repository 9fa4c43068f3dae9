"""Text from outside, as a database can keep it."""

from __future__ import annotations

from typing import Any


def storable(value: Any) -> Any:
    """The same text or JSON value without what PostgreSQL refuses in text and jsonb: NUL goes, a
    lone surrogate becomes a question mark. Names of objects become text, tuples lists."""
    if isinstance(value, str):
        return value.replace("\x00", "").encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {storable(str(key)): storable(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [storable(each) for each in value]
    return value
