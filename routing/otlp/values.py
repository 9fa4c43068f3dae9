"""Making sent values safe to keep, and reading them whatever type they came in.

Bounds: a text `MAX_TEXT` characters, a key `MAX_KEY`, a label (model, session, user, tag)
`MAX_LABEL`, a list or object `MAX_ITEMS` entries, nesting `MAX_DEPTH` levels. What is cut says
so in its last words.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from routing.spans import EARLIEST, LATEST

MAX_TEXT: Final = 2_000_000
MAX_KEY: Final = 512
MAX_LABEL: Final = 255
MAX_ITEMS: Final = 10_000
MAX_DEPTH: Final = 40
MAX_COUNT: Final = 2**31 - 1

_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def clean_text(value: str, limit: int = MAX_TEXT) -> str:
    """The text without NUL and lone surrogates, cut to `limit` characters plus a remark."""
    if "\0" in value:
        value = value.replace("\0", "")
    if not value.isascii():
        value = _SURROGATE.sub("\ufffd", value)
    if len(value) <= limit:
        return value
    if limit <= MAX_KEY:
        return value[:limit]
    return f"{value[:limit]} [{len(value) - limit} characters cut]"


def clean(value: object, depth: int = 0) -> Any:
    """The value as JSON that PostgreSQL keeps; what JSON cannot hold becomes a string."""
    if isinstance(value, str):
        return clean_text(value)
    if value is None or isinstance(value, bool | int | float):
        return _clean_scalar(value)
    if depth >= MAX_DEPTH:
        return "[nested too deeply]"
    if isinstance(value, Mapping):
        return _clean_mapping(value, depth + 1)
    if isinstance(value, list | tuple):
        return _clean_list(value, depth + 1)
    return clean_text(str(value))


def _clean_scalar(value: float | bool | None) -> bool | int | float | str | None:
    if isinstance(value, float):
        return value if math.isfinite(value) else number_name(value)
    if value is None or -(2**63) <= value < 2**64:
        return value
    # Python refuses to write very long decimals.
    return hex(value) if value.bit_length() > 4096 else str(value)


def _clean_mapping(value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
    pairs = list(value.items())
    kept = {clean_text(str(k), MAX_KEY): clean(v, depth) for k, v in pairs[:MAX_ITEMS]}
    if len(pairs) > MAX_ITEMS:
        kept["[cut]"] = f"{len(pairs) - MAX_ITEMS} more entries"
    return kept


def _clean_list(value: list[Any] | tuple[Any, ...], depth: int) -> list[Any]:
    kept = [clean(item, depth) for item in value[:MAX_ITEMS]]
    if len(value) > MAX_ITEMS:
        kept.append(f"[{len(value) - MAX_ITEMS} more items cut]")
    return kept


def number_name(value: float) -> str:
    """What JSON calls a number that it cannot hold: NaN, Infinity or -Infinity."""
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def moment(nanoseconds: int) -> datetime | None:
    """The UTC time of nanoseconds since 1970, clamped; None for zero and below."""
    if nanoseconds <= 0:
        return None
    # Beyond 64 bits a timedelta overflows; everything there is past the clamp anyway.
    micros = min(nanoseconds, 2**64) // 1000
    return clamp(_EPOCH + timedelta(microseconds=micros))


def clamp(at: datetime) -> datetime:
    """The time, moved into the range that storage is prepared for."""
    return min(max(at, EARLIEST), LATEST)


def read_json(value: object) -> Any:
    """The value that a JSON text holds; anything that is not JSON comes back as it is."""
    if not isinstance(value, str) or not value.lstrip()[:1]:
        return value
    try:
        return clean(json.loads(value))
    except (ValueError, RecursionError):
        return value


def read_structure(value: object) -> Any:
    """As `read_json`, but only for objects, lists and quoted text: "60" stays a text."""
    if isinstance(value, str) and value.lstrip()[:1] not in ("{", "[", '"'):
        return value
    return read_json(value)


def read_object(value: object) -> dict[str, Any]:
    """The object that the value is or that its JSON text holds, else an empty one."""
    found = read_structure(value)
    return found if isinstance(found, dict) else {}


def as_text(value: object) -> str:
    """The value as text: a text as it is, nothing as "", all else as JSON."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False)


def as_label(value: object) -> str:
    """The value as a short text that can stand in an index; JSON quotes are taken off."""
    if isinstance(value, str) and value[:1] == '"':
        value = read_json(value)
    return clean_text(as_text(value).strip(), MAX_LABEL)


def as_labels(value: object) -> list[str]:
    """Short texts from a list, a JSON list or a single value, without repeats."""
    found = read_structure(value)
    many = found if isinstance(found, list) else [found]
    labels = (as_label(item) for item in many[:100] if item is not None)
    return list(dict.fromkeys(label for label in labels if label))


def as_count(value: object) -> int | None:
    """A count of tokens, or None where the value is none that a database integer holds."""
    number = as_number(value)
    if number is None or not 0 <= number <= MAX_COUNT:
        return None
    return int(number)


def as_number(value: object) -> float | None:
    """A finite number, also from a text; None for anything else, true and false included."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def as_moment(value: object) -> datetime | None:
    """The time in an ISO 8601 text, JSON-quoted or not; without a zone it is UTC."""
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value.strip().strip('"'))
        return clamp(at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        return None


def rows_of(attributes: Mapping[str, Any], prefix: str) -> list[dict[str, Any]]:
    """`prefix.N.rest = value` as one `{rest: value}` per N, in the order of N.

    Only indices that are present count, so a gap (clients drop their oldest attributes) or
    an index of a billion costs nothing.
    """
    start = f"{prefix}."
    rows: dict[int, dict[str, Any]] = {}
    for key, value in attributes.items():
        if key.startswith(start):
            number, _, rest = key[len(start) :].partition(".")
            if number.isascii() and number.isdigit():
                rows.setdefault(int(number), {})[rest] = value
    return [rows[number] for number in sorted(rows)]


def under(attributes: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """`prefix.rest = value` as `{rest: value}`."""
    start = f"{prefix}."
    return {key[len(start) :]: value for key, value in attributes.items() if key.startswith(start)}


def first(attributes: Mapping[str, Any], *names: str) -> Any:
    """The first of these attributes that is there and not empty, else None."""
    for name in names:
        value = attributes.get(name)
        if value not in (None, "", [], {}):
            return value
    return None
