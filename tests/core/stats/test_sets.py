"""MASI by hand, and the two ways to compute alpha over sets against each other."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from core.stats.agreement import alpha, evaluate, fixed
from core.stats.counts import count_table
from core.stats.sets import masi_alpha, masi_distance, masi_matrix, membership


def subsets(size: int) -> list[frozenset[int]]:
    return [frozenset(np.flatnonzero(bits).tolist()) for bits in product((0, 1), repeat=size)]


@pytest.mark.parametrize(
    ("first", "second", "distance"),
    [
        ({1, 2}, {1, 2, 3, 4}, 1 - 1 / 2 * 2 / 3),
        ({1, 2}, {2, 3}, 1 - 1 / 3 * 1 / 3),
        ({1}, {2}, 1),
        ({1}, set(), 1),
        (set(), set(), 0),
        ({1, 2}, {2, 1}, 0),
    ],
)
def test_masi_by_hand(first: set[int], second: set[int], distance: float) -> None:
    assert masi_distance(frozenset(first), frozenset(second)) == pytest.approx(distance, abs=1e-12)


def test_the_matrix_holds_the_distances_of_single_pairs() -> None:
    sets = subsets(4)
    members = membership(sets)
    single = [[masi_distance(a, b) for b in sets] for a in sets]
    assert masi_matrix(members, members) == pytest.approx(np.array(single), abs=1e-12)


def test_many_distinct_sets_give_the_same_alpha_as_few(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    sets = subsets(3)
    unit, value = np.repeat(np.arange(40), 3)[:-1], rng.integers(0, 8, 119)
    members = membership(sets)
    direct = evaluate(count_table(unit, value, 8), alpha(fixed(masi_matrix(members, members))))
    few = masi_alpha(unit, value, sets)
    monkeypatch.setattr("core.stats.sets.CELL_LIMIT", 0)
    assert masi_alpha(unit, value, sets).value == pytest.approx(direct, abs=1e-12)
    monkeypatch.setattr("core.stats.sets.SET_LIMIT", 0)
    many = masi_alpha(unit, value, sets)
    assert few.value == pytest.approx(direct, abs=1e-12)
    assert many.value == pytest.approx(direct, abs=1e-12)
    assert few.n == many.n == 40
    assert few.low == pytest.approx(many.low, abs=0.05)
    assert few.high == pytest.approx(many.high, abs=0.05)


def test_sets_that_never_vary_have_no_alpha(monkeypatch: pytest.MonkeyPatch) -> None:
    sets = [frozenset[int]()]
    assert masi_alpha([0, 0, 1, 1], [0, 0, 0, 0], sets).value is None
    monkeypatch.setattr("core.stats.sets.SET_LIMIT", 0)
    assert masi_alpha([0, 0, 1, 1], [0, 0, 0, 0], sets).value is None
    assert masi_alpha([], [], []).value is None
