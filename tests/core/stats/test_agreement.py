"""P published, X computed by another library, H by hand.

P: Krippendorff 2011; the 3 x 15 example of the literature on alpha; Gwet's 4 raters and the three
abstractors (X: irrCAC, krippendorff 0.9).
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from core.stats.agreement import (
    alpha,
    bootstrap,
    credit_matrix,
    estimate,
    evaluate,
    fleiss,
    gwet,
    interval,
    krippendorff_alpha,
    ordinal,
    percent,
    positive,
)
from core.stats.coders import coder_matrix, cohen_kappa
from core.stats.counts import CountTable, count_table, from_rows

N = None
THREE = [
    [N, N, N, N, N, 3, 4, 1, 2, 1, 1, 3, 3, N, 3],
    [1, N, 2, 1, 3, 3, 4, 3, N, N, N, N, N, N, N],
    [N, N, 2, 1, 3, 4, 4, N, 2, 1, 1, 3, 3, N, 4],
]
FOUR = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, N, N, N],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, N, 3],
    [N, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, N],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, N],
]
ABSTRACTORS = [[13, 0, 0], [0, 20, 7], [0, 4, 56]]


def abstractors() -> tuple[list[int], list[int]]:
    cells = [(i, j) for i in range(3) for j in range(3) for _ in range(ABSTRACTORS[i][j])]
    return [i for i, _ in cells], [j for _, j in cells]


def two_raters(both: int, split: int, neither: int) -> CountTable:
    counts = np.array([[0.0, 2], [1, 1], [2, 0]])
    return CountTable(counts, np.array([both, split, neither], dtype=float))


@pytest.mark.parametrize(
    ("rows", "nominal_", "ordinal_", "interval_"),
    [(THREE, 0.6914, 0.8067, 0.8108), (FOUR, 0.7434, 0.8154, 0.8491)],
)
def test_alpha_gives_the_published_values(
    rows: list[list[float | None]], nominal_: float, ordinal_: float, interval_: float
) -> None:
    table, values = from_rows(rows)
    assert krippendorff_alpha(table) == pytest.approx(nominal_, abs=6e-5)
    assert krippendorff_alpha(table, ordinal) == pytest.approx(ordinal_, abs=6e-5)
    assert krippendorff_alpha(table, interval(values)) == pytest.approx(interval_, abs=6e-5)


def test_four_raters_give_the_published_ac1_fleiss_and_agreement() -> None:
    table, _ = from_rows(FOUR)
    assert evaluate(table, gwet(5)) == pytest.approx(0.77544, abs=1e-5)
    assert evaluate(table, fleiss) == pytest.approx(0.76117, abs=1e-5)
    assert evaluate(table, percent) == pytest.approx(0.81818, abs=1e-5)


def test_three_abstractors_give_the_published_values() -> None:
    first, second = abstractors()
    table, _ = from_rows([first, second])
    assert evaluate(table, gwet(3)) == pytest.approx(0.84933, abs=1e-5)
    assert krippendorff_alpha(table) == pytest.approx(0.79726, abs=1e-5)
    assert evaluate(table, fleiss) == pytest.approx(0.79624, abs=1e-5)  # Scott's pi for two
    assert cohen_kappa(first, second) == pytest.approx(0.79641, abs=1e-5)


def test_the_kappa_paradox() -> None:
    table = two_raters(5, 20, 975)
    assert evaluate(table, gwet(2)) == pytest.approx(0.97939, abs=1e-5)  # X
    assert evaluate(table, fleiss) == pytest.approx(0.32318, abs=1e-5)  # X
    assert krippendorff_alpha(table) == pytest.approx(0.32352, abs=1e-5)  # X
    assert evaluate(table, positive()) == pytest.approx(1 / 3, abs=1e-12)  # H


def test_ac1_does_not_notice_that_no_mark_is_ever_seconded() -> None:
    table = two_raters(0, 20, 980)
    assert evaluate(table, gwet(2)) == pytest.approx(0.980, abs=5e-4)
    assert krippendorff_alpha(table) == pytest.approx(-0.010, abs=5e-4)
    assert evaluate(table, positive()) == 0


def test_ac2_by_hand_on_three_grades() -> None:
    # Two coders, three units: (0,0), (1,2), (2,2). Linear credit: 1, 1/2, 1 -> 5/6 observed.
    # pi = (1/3, 1/6, 1/2); sum pi(1-pi) = 11/18; all credits add up to 5 -> chance 5/6 * 11/18.
    table, values = from_rows([[0, 1, 2], [0, 2, 2]])
    chance = 5 / 6 * 11 / 18
    found = evaluate(table, gwet(3, credit_matrix(values, power=1)))
    assert found == pytest.approx((5 / 6 - chance) / (1 - chance), abs=1e-12)


def test_ac1_depends_on_the_number_of_possible_categories() -> None:
    table, _ = from_rows(FOUR)
    assert evaluate(table, gwet(9)) > evaluate(table, gwet(5))
    with pytest.raises(ValueError, match="categories"):
        evaluate(table, gwet(4))
    with pytest.raises(ValueError, match="categories"):
        gwet(1)
    with pytest.raises(ValueError, match="credit"):
        gwet(3, np.eye(2))


def test_no_variation_is_undefined() -> None:
    table, _ = from_rows([[1, 1, 1], [1, 1, 1]])
    assert math.isnan(krippendorff_alpha(table))
    assert math.isnan(evaluate(table, fleiss))
    assert math.isnan(cohen_kappa([1, 1], [1, 1]))
    assert evaluate(table, percent) == 1
    found = estimate(table, alpha(), "alpha")
    assert (found.value, found.low, found.n) == (None, None, 3)


def test_single_labels_carry_no_pair() -> None:
    pairs, _ = from_rows([[1, 2, 1], [1, 2, 2]])
    with_singles, _ = from_rows([[1, 2, 1, 1, 2], [1, 2, 2, N, N]])
    assert krippendorff_alpha(pairs) == krippendorff_alpha(with_singles)
    assert with_singles.pairable().n_units == 3
    assert (with_singles.n_units, with_singles.n_labels) == (5, 8)


def test_an_empty_table_is_undefined() -> None:
    table, _ = from_rows([])
    assert math.isnan(krippendorff_alpha(table))
    assert bootstrap(table, alpha()) is None
    assert estimate(table, alpha(), "alpha").n == 0


def test_count_table_refuses_bad_input_by_name() -> None:
    with pytest.raises(ValueError, match="value must lie in"):
        count_table([0, 1], [0, 2], 2)
    with pytest.raises(ValueError, match="differ in length"):
        count_table([0, 1, 2], [0, 1], 2)
    with pytest.raises(ValueError, match="unit must hold whole"):
        count_table([0.5], [1], 2)


def test_cohen_kappa_refuses_unequal_lengths() -> None:
    with pytest.raises(ValueError, match="differ in length"):
        cohen_kappa([1, 2], [1])


def test_the_bootstrap_is_seeded_and_resamples_units() -> None:
    table, _ = from_rows(FOUR)
    first = bootstrap(table, alpha(), seed=3)
    assert first == bootstrap(table, alpha(), seed=3)
    assert first != bootstrap(table, alpha(), seed=4)
    # Each unit twice as often: the same value, an interval about sqrt(2) narrower.
    double = CountTable(table.counts, table.weight * 2)
    assert krippendorff_alpha(double) == pytest.approx(krippendorff_alpha(table), abs=0.02)
    wide, narrow = bootstrap(table, alpha(), reps=4000), bootstrap(double, alpha(), reps=4000)
    assert wide is not None
    assert narrow is not None
    assert 1.2 < (wide[1] - wide[0]) / (narrow[1] - narrow[0]) < 1.9


def test_the_bootstrap_draws_in_blocks_without_changing_the_result(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table, _ = from_rows(FOUR)
    whole = bootstrap(table, alpha(ordinal), reps=200)
    monkeypatch.setattr("core.stats.agreement.BLOCK_CELLS", 70)
    assert bootstrap(table, alpha(ordinal), reps=200) == pytest.approx(whole)


def test_the_interval_covers_the_true_alpha() -> None:
    rng = np.random.default_rng(5)
    n, prevalence, error = 200, 0.3, 0.1
    mark = prevalence * (1 - error) + (1 - prevalence) * error
    disagree = 2 * error * (1 - error)
    truth = 1 - disagree / (2 * mark * (1 - mark))
    covered = 0
    for seed in range(120):
        real = rng.random(n) < prevalence
        labels = real[:, None] ^ (rng.random((n, 3)) < error)
        table = count_table(np.repeat(np.arange(n), 3), labels.astype(int).ravel(), 2)
        found = bootstrap(table, alpha(), reps=300, seed=seed)
        assert found is not None
        covered += found[0] <= truth <= found[1]
    assert covered / 120 > 0.88


def test_a_million_labels_are_quick() -> None:
    rng = np.random.default_rng(0)
    unit = np.repeat(np.arange(333_334), 3)[:1_000_000]
    truth = rng.integers(0, 5, 333_334)
    value = np.where(rng.random(len(unit)) < 0.8, truth[unit], rng.integers(0, 5, len(unit)))
    table = count_table(unit, value, 5)
    assert len(table.weight) <= 35 + 15  # 35 patterns of three labels, 15 of the cut-off unit
    found = estimate(table, alpha(ordinal), "alpha ordinal")
    assert found.low is not None
    assert found.high is not None
    assert found.high - found.low < 0.01


def test_every_two_coders_agree_with_cohen_kappa() -> None:
    rng = np.random.default_rng(2)
    labels = rng.integers(0, 2, (4, 60))
    given = rng.random((4, 60)) < 0.7
    coder, unit = np.nonzero(given)
    matrix = coder_matrix(coder, unit, labels[coder, unit], 4)
    for i in range(4):
        for j in range(4):
            both = given[i] & given[j]
            a, b = labels[i, both].tolist(), labels[j, both].tolist()
            assert matrix.shared[i, j] == both.sum()
            assert matrix.kappa[i, j] == pytest.approx(cohen_kappa(a, b), abs=1e-12)
            assert matrix.agreement[i, j] == pytest.approx(np.mean(np.equal(a, b)), abs=1e-12)
            assert matrix.joint[i, j] == sum(x and y for x, y in zip(a, b, strict=True))


def test_a_coder_cannot_label_a_unit_twice() -> None:
    with pytest.raises(ValueError, match="twice"):
        coder_matrix([0, 0, 1], [5, 5, 5], [1, 0, 1], 2)


def test_coders_who_share_nothing_have_no_agreement() -> None:
    matrix = coder_matrix([0, 1], [1, 2], [1, 1], 2)
    assert matrix.shared[0, 1] == 0
    assert math.isnan(matrix.agreement[0, 1])
    assert math.isnan(matrix.kappa[0, 1])
