"""P published (Fagerland, Lydersen & Laake; Tango), X another library, H by hand, S own pin."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from core.stats.paired import (
    Pairs,
    cases_needed,
    holm,
    mcnemar_mid_p,
    mcnemar_p,
    non_inferior,
    non_inferiority_power,
    pair_outcomes,
    pass_all_k,
    pass_at_k,
    sign_flip_p,
    tango,
)


@pytest.mark.parametrize(
    ("b", "c", "p"),
    [(2, 10, 0.0385742), (16, 37, 0.0054863), (1, 7, 0.0703125)],  # X, X, P
)
def test_mcnemar_two_sided(b: int, c: int, p: float) -> None:
    assert mcnemar_p(Pairs(b, c, 100), "different") == pytest.approx(p, abs=1e-6)


def test_mcnemar_one_sided_is_a_binomial_tail() -> None:
    pairs = Pairs(2, 10, 100)
    tail = sum(math.comb(12, k) for k in (10, 11, 12)) / 2**12
    assert mcnemar_p(pairs) == pytest.approx(tail, abs=1e-12)  # H
    assert mcnemar_p(Pairs(10, 2, 100), "worse") == pytest.approx(tail, abs=1e-12)
    assert mcnemar_p(Pairs(10, 2, 100)) > 0.99
    assert mcnemar_p(Pairs(0, 0, 50)) == 1
    assert mcnemar_mid_p(Pairs(1, 7, 21)) == pytest.approx(0.0390625, abs=1e-9)  # P
    assert mcnemar_mid_p(Pairs(0, 0, 5)) == 1


@pytest.mark.parametrize(
    ("pairs", "low", "high", "within"),
    [(Pairs(7, 1, 21), -0.5172, -0.0260, 5e-4), (Pairs(20, 40, 160), 0.03086, 0.21806, 1e-4)],
)
def test_tango(pairs: Pairs, low: float, high: float, within: float) -> None:
    found = tango(pairs)
    assert (found.low, found.high) == pytest.approx((low, high), abs=within)


def test_tango_at_the_borders() -> None:
    assert tango(Pairs(0, 0, 0)).value is None
    equal = tango(Pairs(0, 0, 50))
    z2 = 1.959964**2  # H: no discordant case gives -+ z^2 / (n + z^2)
    assert (equal.low, equal.high) == pytest.approx((-z2 / (50 + z2), z2 / (50 + z2)), abs=1e-5)
    one_way = tango(Pairs(0, 20, 20))
    assert one_way.high == 1
    assert one_way.low is not None
    assert 0.5 < one_way.low < 1
    other_way = tango(Pairs(20, 0, 20))
    assert other_way.high == pytest.approx(-one_way.low)


@pytest.mark.parametrize(
    ("discordance", "margin", "n"),
    [
        (0.1, 0.02, 1546),
        (0.1, 0.03, 687),
        (0.1, 0.05, 248),
        (0.2, 0.03, 1374),
        (0.2, 0.05, 495),
        (0.05, 0.02, 773),
    ],
)
def test_cases_needed(discordance: float, margin: float, n: int) -> None:
    assert cases_needed(discordance, margin) == n
    assert non_inferiority_power(n, discordance, margin) >= 0.8
    assert non_inferiority_power(n - 1, discordance, margin) < 0.8


def test_too_few_cases_are_said_and_not_passed() -> None:
    assert non_inferior(Pairs(5, 5, 300), 0.05).passed
    few = non_inferior(Pairs(5, 5, 60), 0.05)
    assert few.outcome == "not enough cases"
    assert few.needed > 60
    assert non_inferior(Pairs(0, 0, 0), 0.05).outcome == "not enough cases"
    assert non_inferior(Pairs(60, 5, 2000), 0.02).outcome == "failed"
    assert json.loads(json.dumps(few.to_json()))["outcome"] == "not enough cases"


def test_a_golden_set_of_100_cannot_show_a_margin_of_5_points() -> None:
    assert non_inferior(Pairs(5, 5, 100), 0.05).outcome == "not enough cases"


def test_non_inferiority_has_its_power_and_its_level() -> None:
    rng, n, margin, psi = np.random.default_rng(0), 687, 0.03, 0.10

    def share_passed(worse: float) -> float:
        p = [psi / 2 + worse / 2, psi / 2 - worse / 2, 1 - psi]
        draws = rng.multinomial(n, p, size=300)
        return float(
            np.mean([non_inferior(Pairs(int(b), int(c), n), margin).passed for b, c, _ in draws])
        )

    assert share_passed(0.0) == pytest.approx(0.8, abs=0.07)
    assert share_passed(margin) <= 0.064 + 0.03


def test_sign_flips_are_exact_for_few_cases() -> None:
    assert sign_flip_p([1, 1, 1, 1]) == pytest.approx(1 / 16)
    assert sign_flip_p([0.5, 0.5, -0.5, 0, 0]) == pytest.approx(4 / 8)  # 3 up or 2 up of 3
    assert sign_flip_p([0, 0]) == 1
    assert sign_flip_p([-1] * 10) == 1


def test_sign_flips_of_many_cases_are_near_the_binomial_tail() -> None:
    diffs = [1.0] * 16 + [-1.0] * 6
    exact = mcnemar_p(Pairs(6, 16, 22))
    assert sign_flip_p(diffs, reps=20_000) == pytest.approx(exact, abs=0.004)
    assert sign_flip_p(diffs) == sign_flip_p(diffs)
    assert sign_flip_p([1.0] * 60) == pytest.approx(1 / 10_001)


def test_samples_are_not_cases() -> None:
    wins = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        base = 0.2 + 0.6 * rng.beta(2, 1, 60)
        other = np.clip(base + rng.choice([-0.2, 0.2], 60), 0, 1)
        diff = (rng.binomial(20, other) - rng.binomial(20, base)) / 20
        wins += sign_flip_p(diff, reps=400, seed=seed) <= 0.05
    assert wins / 60 <= 0.05 + 0.06


def test_holm() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])  # X
    assert holm([]) == []
    with pytest.raises(ValueError, match="p_values"):
        holm([1.2])


def test_pass_at_k() -> None:
    assert pass_at_k(10, 3, 5) == pytest.approx(0.916667, abs=1e-6)  # H
    assert pass_at_k(20, 4, 10) == pytest.approx(0.957, abs=5e-4)
    assert (pass_at_k(5, 1, 5), pass_at_k(5, 0, 1)) == (1, 0)
    assert pass_all_k(10, 8, 3) == pytest.approx(math.comb(8, 3) / math.comb(10, 3))
    assert pass_all_k(10, 2, 3) == 0
    with pytest.raises(ValueError, match="k"):
        pass_at_k(3, 1, 4)


def test_outcomes_are_paired() -> None:
    outcomes = [(True, True), (True, False), (False, True), (False, True), (False, False)]
    assert pair_outcomes(outcomes) == Pairs(1, 2, 5)
    assert Pairs(1, 2, 5).discordance == 0.6
    assert Pairs(0, 0, 0).discordance == 0


def test_impossible_plans_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="discordance"):
        cases_needed(0, 0.02)
    with pytest.raises(ValueError, match="margin"):
        cases_needed(0.1, 0.02, difference=-0.05)
    with pytest.raises(ValueError, match="margin"):
        non_inferior(Pairs(1, 1, 10), 0)
    with pytest.raises(ValueError, match="alpha"):
        non_inferior(Pairs(1, 1, 10), 0.1, alpha=0.6)
    with pytest.raises(ValueError, match="cannot be larger"):
        mcnemar_p(Pairs(5, 6, 10))
