"""Reading a replay file: every line is checked; a broken one is told, the good ones are kept."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NoReturn

from jsonschema import Draft202012Validator

from annotation.replay.line import Line, line_of

SCHEMA: Final = json.loads(Path(__file__).with_name("schema.json").read_text(encoding="utf-8"))
_VALIDATOR: Final = Draft202012Validator(SCHEMA)
# What PostgreSQL keeps in no text: replaced one for one, so that offsets still point right.
_NO_TEXT: Final = re.compile("[\x00\ud800-\udfff]")
_MAY_HOLD_NO_TEXT: Final = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
LONGEST_FAULT: Final = 300


@dataclass(frozen=True, slots=True)
class Fault:
    """A line that could not be used. `sentence` names the field."""

    file: str
    number: int
    sentence: str

    def __str__(self) -> str:
        return f"{self.file}:{self.number}: {self.sentence}"


@dataclass(slots=True)
class Reading:
    """What was read: the good lines in order, the faults, and how many lines there were."""

    path: Path
    lines: list[Line] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    read: int = 0

    @property
    def dataset(self) -> str:
        """The dataset that the lines name; the file's name where there is no good line."""
        return self.lines[0].dataset if self.lines else self.path.stem


def read(
    path: Path, *, limit: int | None = None, tick: Callable[[int], None] = lambda _: None
) -> Reading:
    """The first `limit` lines of the file (all without). Blank lines are passed over.

    `tick` is told how many bytes of the file have been read. Raises OSError where the file cannot
    be read at all.
    """
    reading = Reading(path)
    seen: dict[str, int] = {}
    for number, raw, place in _raw_lines(path):
        if limit is not None and reading.read >= limit:
            break
        reading.read += 1
        try:
            line = line_of(number, _parse(raw))
            _check_unique(line, seen)
            reading.lines.append(line)
        except ValueError as error:
            sentence = " ".join(str(error).split())[:LONGEST_FAULT]
            reading.faults.append(Fault(path.name, number, sentence))
        tick(place)
    return reading


def _raw_lines(path: Path) -> Iterator[tuple[int, bytes, int]]:
    place = 0
    with path.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            place += len(raw)
            if raw.strip():
                yield number, raw, place


def _parse(raw: bytes) -> dict[str, Any]:
    """The row, checked against the schema. Raises ValueError with a sentence."""
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 at byte {error.start + 1}") from error
    try:
        row = json.loads(text, parse_constant=_refuse, parse_float=_finite)
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error.msg} at column {error.colno}") from error
    except RecursionError as error:
        raise ValueError("not JSON that can be kept: nested too deeply") from error
    if _MAY_HOLD_NO_TEXT.search(text):
        row = _as_text(row)
    _validate(row)
    found: dict[str, Any] = row
    return found


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"not JSON: {name} is no number")


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _refuse(text)


def _as_text(value: Any) -> Any:
    if isinstance(value, str):
        return _NO_TEXT.sub("\ufffd", value)
    if isinstance(value, list):
        return [_as_text(each) for each in value]
    if isinstance(value, dict):
        return {_as_text(key): _as_text(each) for key, each in value.items()}
    return value


def _validate(row: Any) -> None:
    error = next(iter(_VALIDATOR.iter_errors(row)), None)
    if error is not None:
        where = ".".join(str(part) for part in error.absolute_path) or "the line"
        raise ValueError(f"{where}: {_short(error.message)}")


def _short(message: str) -> str:
    """jsonschema quotes the whole value first; what is wrong with it stands at the end."""
    return message if len(message) <= 200 else f"{message[:60]} ... {message[-120:]}"


def _check_unique(line: Line, seen: dict[str, int]) -> None:
    if first := seen.get(line.id):
        raise ValueError(f"id: {line.id!r} stands on line {first} already")
    names = [each.annotator for each in line.annotations]
    if len(set(names)) < len(names):
        raise ValueError("annotations: an annotator comes twice")
    seen[line.id] = line.number
