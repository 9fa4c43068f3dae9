from __future__ import annotations

from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from registry import prompts, serving
from registry.models import PromptVersion
from registry.models.release import Arm
from registry.prompts import Block
from registry.release.monitor import Row, take_blocks

TEXT = st.text(st.sampled_from("ab {}\n\\é🦊"), max_size=30)
KEYS = st.sampled_from(["a", "b", "c", "d"])
BLOCKS = st.dictionaries(KEYS, st.tuples(st.sampled_from(prompts.ROLES), TEXT), max_size=4)
ROWS = st.lists(st.tuples(st.sampled_from(Arm.values), st.booleans()), max_size=120)


def version_of(blocks: dict[str, tuple[str, str]]) -> PromptVersion:
    rows = [
        {"key": key, "role": role, "title": key, "text": text, "locked": False}
        for key, (role, text) in blocks.items()
    ]
    return PromptVersion(blocks=rows, model="", params={})


def numbered(rows: list[tuple[str, bool]]) -> list[Row]:
    return [(place, arm, defect) for place, (arm, defect) in enumerate(rows)]


@given(BLOCKS, BLOCKS)
def test_a_diff_holds_all_of_both_versions(
    old: dict[str, tuple[str, str]], new: dict[str, tuple[str, str]]
) -> None:
    found = prompts.diff(version_of(old), version_of(new))
    assert [each.key for each in found if each.kind != "removed"] == list(new)
    for each in found:
        for version, sign in ((old, "-"), (new, "+")):
            lines = [text for mark, text in each.lines if mark in {" ", sign}]
            expected = version[each.key][1].splitlines() if each.key in version else []
            assert lines[len(lines) - len(expected) :] == expected
        assert (each.kind == "same") == (old.get(each.key) == new.get(each.key))


@example({"a": ("system", "{{"), "b": ("system", "a}}")}, "x")
@given(BLOCKS, TEXT)
def test_compiling_keeps_every_word_of_the_blocks(
    blocks: dict[str, tuple[str, str]], value: str
) -> None:
    version = version_of(blocks)
    names = prompts.variables(Block(key, role, key, text) for key, (role, text) in blocks.items())
    messages = prompts.compile(version, dict.fromkeys(names, value))
    plain = prompts.VARIABLE.sub(lambda _: value, "\n\n".join(
        text for _, text in blocks.values() if text.strip()
    ))  # fmt: skip
    assert "\n\n".join(each["content"] for each in messages) == plain
    roles = [each["role"] for each in messages]
    assert all(one != other for one, other in pairwise(roles))


@given(ROWS, st.integers(1, 6), st.integers(0, 120))
def test_when_one_looks_does_not_change_the_blocks(
    rows: list[tuple[str, bool]], size: int, cut: int
) -> None:
    everything = numbered(rows)
    at_once, used = take_blocks(everything, size)
    early, taken = take_blocks(everything[:cut], size)
    late, rest = take_blocks(everything[len(taken) :], size)
    assert early + late == at_once
    assert taken + rest == used == list(range(len(used)))
    assert all(min(len(block.canary), len(block.control)) == size for block in at_once)


@given(st.text(max_size=20), st.text(max_size=40), st.floats(0.001, 0.999))
def test_a_key_stays_in_the_canary_when_the_share_grows(salt: str, key: str, share: float) -> None:
    place = serving.bucket(salt, key)
    assert 0 <= place < serving.BUCKETS
    assert serving.is_canary(place, share) <= serving.is_canary(place, min(1.0, share * 2))
