"""Reading: a broken line names file, line and field; the good lines are kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from annotation.replay import reader
from tests.annotation.replay.lines import row, said, write


def fault(path: Path, *rows: dict[str, object] | str) -> str:
    (only,) = reader.read(write(path / "bad.jsonl", rows)).faults
    return str(only)


def test_good_lines_are_kept_around_broken_ones(tmp_path: Path) -> None:
    path = write(tmp_path / "f.jsonl", [row(1), "{", "", row(2), row(3, task="cooking"), row(4)])
    found = reader.read(path)
    assert [line.id for line in found.lines] == ["tiny:1", "tiny:2", "tiny:4"]
    assert [str(each).partition(": ")[0] for each in found.faults] == ["f.jsonl:2", "f.jsonl:5"]
    assert found.read == 5


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"task": "cooking"}, "task: 'cooking' is not one of"),
        ({"output": ""}, "output: "),
        ({"colour": 1}, "the line: Additional properties"),
        ({"created_at": "yesterday"}, "created_at: 'yesterday' is not a date and time"),
        ({"created_at": "2024-01-01T00:00:00"}, "created_at: '2024-01-01T00:00:00' has no time"),
        ({"annotations": [said("a"), {"role": "expert"}]}, "annotations.1: 'annotator' is a req"),
        ({"annotations": [said("a"), said("a")]}, "annotations: an annotator comes twice"),
        ({"annotations": [said("a", ["no mode!"])]}, "annotations.0.failure_modes.0: 'no mode!'"),
        ({"tokens_in": -1}, "tokens_in: -1 is less than the minimum"),
    ],
)
def test_a_fault_names_the_field(tmp_path: Path, changes: dict[str, object], sentence: str) -> None:
    assert fault(tmp_path, row(**changes)).startswith(f"bad.jsonl:1: {sentence}")  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["[]", "3", '"x"', "null"])
def test_what_is_no_object_is_a_fault(tmp_path: Path, text: str) -> None:
    assert "is not of type 'object'" in fault(tmp_path, text)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999"])
def test_numbers_that_cannot_be_kept_are_a_fault(tmp_path: Path, number: str) -> None:
    assert "is no number" in fault(tmp_path, f'{{"latency_ms": {number}}}')


def test_what_is_no_utf8_is_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_bytes(b'{"id": "\xff"}\n')
    assert str(reader.read(path).faults[0]) == "bad.jsonl:1: not UTF-8 at byte 9"


def test_deep_nesting_is_a_fault_and_no_crash(tmp_path: Path) -> None:
    assert "nested too deeply" in fault(tmp_path, "[" * 100_000)


def test_an_id_that_comes_again_is_a_fault(tmp_path: Path) -> None:
    assert fault(tmp_path, row(1), row(1)) == ("bad.jsonl:2: id: 'tiny:1' stands on line 1 already")


def test_a_long_fault_stays_readable(tmp_path: Path) -> None:
    assert len(fault(tmp_path, row(prompt="x" * 100_000))) < 400


def test_what_no_text_can_hold_is_replaced_one_for_one(tmp_path: Path) -> None:
    text = "a\x00b\ud800c\U0001f600d"
    found = reader.read(write(tmp_path / "f.jsonl", [row(output=text, model="m\x00")]))
    assert found.lines[0].output == "a\ufffdb\ufffdc\U0001f600d"
    assert found.lines[0].model == "m\ufffd"


def test_the_limit_counts_lines_broken_ones_too(tmp_path: Path) -> None:
    path = write(tmp_path / "f.jsonl", [row(1), "{", row(2), row(3)])
    found = reader.read(path, limit=3)
    assert (found.read, len(found.lines), len(found.faults)) == (3, 2, 1)


def test_progress_counts_the_bytes(tmp_path: Path) -> None:
    path = write(tmp_path / "f.jsonl", [row(1), row(2)])
    ticks: list[int] = []
    reader.read(path, tick=ticks.append)
    assert ticks[-1] == path.stat().st_size
    assert ticks == sorted(ticks)


def test_the_dataset_is_what_the_lines_say_else_the_name(tmp_path: Path) -> None:
    assert reader.read(write(tmp_path / "f.jsonl", [row(1)])).dataset == "tiny"
    assert reader.read(write(tmp_path / "g.jsonl", [])).dataset == "g"
