"""Bringing an answer into the JSON schema that was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]
_EMPTY: dict[str, Any] = {
    "string": "",
    "integer": 0,
    "number": 0.0,
    "boolean": False,
    "null": None,
}


def conform(value: Any, schema: Schema, root: Schema | None = None) -> Any:
    """`value` without what the schema does not know, and with the plainest value for what it
    wants and `value` lacks. Knows type, properties, items, enum, const, anyOf, $ref and $defs."""
    root = root or schema
    schema = _resolved(schema, value, root)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return value if value in schema["enum"] else schema["enum"][0]
    kind = schema.get("type")
    if kind == "object":
        given = value if isinstance(value, dict) else {}
        properties: Schema = schema.get("properties", {})
        return {key: conform(given.get(key), each, root) for key, each in properties.items()}
    if kind == "array":
        rows = value if isinstance(value, list) else []
        return [conform(row, schema.get("items", {}), root) for row in rows]
    return _scalar(value, kind)


def _resolved(schema: Schema, value: Any, root: Schema) -> Schema:
    while "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rpartition("/")[2]]
    options = schema.get("anyOf")
    if not options:
        return schema
    chosen = next((each for each in options if _fits(value, each, root)), options[0])
    return _resolved(chosen, value, root)


def _fits(value: Any, schema: Schema, root: Schema) -> bool:
    names = {dict: "object", list: "array", str: "string", bool: "boolean", type(None): "null"}
    kind = _resolved(schema, value, root).get("type")
    if type(value) in {int, float}:
        return kind in {"integer", "number"}
    return names.get(type(value)) == kind


def _scalar(value: Any, kind: Any) -> Any:
    if kind == "string":
        return value if isinstance(value, str) else "" if value is None else str(value)
    if kind == "integer":
        return int(value) if isinstance(value, (int, float)) or str(value).isdigit() else 0
    if kind == "number":
        return float(value) if isinstance(value, (int, float)) else 0.0
    return _EMPTY.get(str(kind), value) if value is None else value
