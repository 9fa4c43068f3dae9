"""Published: Newcombe 1998 (single and two proportions). By hand: closed forms at 0 hits."""

from __future__ import annotations

import json

import pytest

from core.stats.intervals import (
    Estimate,
    Stratum,
    clopper_pearson,
    korn_graubard,
    mover,
    newcombe,
    upper_limit,
    wilson,
)


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_the_published_limits(k: int, n: int, low: float, high: float) -> None:
    found = wilson(k, n)
    assert (found.low, found.high) == pytest.approx((low, high), abs=6e-5)
    assert found.value == k / n


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [
        (81, 263, 0.2527, 0.3676),
        (15, 148, 0.0578, 0.1617),
        (0, 20, 0, 0.1684),
        (1, 29, 0.0009, 0.1776),
        (10, 100, 0.0490047, 0.1762226),
    ],
)
def test_clopper_pearson_gives_the_published_limits(
    k: int, n: int, low: float, high: float
) -> None:
    found = clopper_pearson(k, n)
    assert (found.low, found.high) == pytest.approx((low, high), abs=6e-5)


def test_upper_limit_without_a_hit_is_the_closed_form() -> None:
    assert upper_limit(0, 149, 0.05) == pytest.approx(1 - 0.05 ** (1 / 149), abs=1e-12)
    assert upper_limit(5, 500, 0.05) == pytest.approx(0.0209103, abs=1e-6)


@pytest.mark.parametrize(
    ("counts", "low", "high"),
    [
        ((56, 70, 48, 80), 0.0524, 0.3339),
        ((9, 10, 3, 10), 0.1705, 0.8090),
        ((6, 7, 2, 7), 0.0582, 0.8062),
        ((5, 56, 0, 29), -0.0381, 0.1926),
    ],
)
def test_newcombe_gives_the_published_limits(
    counts: tuple[int, int, int, int], low: float, high: float
) -> None:
    found = newcombe(*counts)
    assert (found.low, found.high) == pytest.approx((low, high), abs=6e-5)


def test_mover_keeps_the_doubt_of_a_clean_audit_sample() -> None:
    found = mover([Stratum(300, 300, 60), Stratum(19700, 300, 0)])
    assert found.value == pytest.approx(0.003, abs=1e-12)
    assert found.low == pytest.approx(0.003, abs=1e-12)
    assert found.high == pytest.approx(0.003 + 0.985 * (1 - 0.025 ** (1 / 300)), abs=1e-9)
    assert found.n == 600


def test_mover_refuses_a_stratum_that_nobody_looked_at() -> None:
    with pytest.raises(ValueError, match="labelled is 0"):
        mover([Stratum(10, 5, 1), Stratum(100, 0, 0)])
    with pytest.raises(ValueError, match="population"):
        mover([Stratum(10, 20, 1)])


def test_korn_graubard_is_clopper_pearson_for_a_plain_share() -> None:
    plain = clopper_pearson(12, 80)
    weighted = korn_graubard(0.15, 0.15 * 0.85 / 80, 80, 80)
    assert (weighted.low, weighted.high) == pytest.approx((plain.low, plain.high), abs=1e-9)
    assert weighted.n_eff == pytest.approx(80)


def test_korn_graubard_uses_the_kish_size_where_the_variance_is_silent() -> None:
    found = korn_graubard(0.0, 0.0, 100, 40.0)
    assert found.n_eff == 40.0
    assert found.high == pytest.approx(1 - 0.025 ** (1 / 40), abs=1e-9)


def test_too_few_units_hide_the_number_and_keep_the_count() -> None:
    few = wilson(2, 9).shown(10)
    assert (few.value, few.low, few.high, few.n) == (None, None, None, 9)
    assert wilson(2, 10).shown(10).is_shown
    assert not Estimate(0.1, 0.0, 0.4, 500, 0.95, "weighted", n_eff=6.0).shown(10).is_shown


def test_nothing_looked_at_is_undefined_not_zero() -> None:
    assert wilson(0, 0).value is None
    assert clopper_pearson(0, 0).value is None
    assert newcombe(0, 0, 1, 2).value is None


@pytest.mark.parametrize(("k", "n"), [(3, 2), (-1, 2), (1, -2), (0.5, 2)])
def test_impossible_counts_are_refused_by_name(k: float, n: int) -> None:
    with pytest.raises(ValueError, match=r"^(k|n) "):
        wilson(k, n)  # type: ignore[arg-type]


def test_a_level_outside_0_and_1_is_refused() -> None:
    with pytest.raises(ValueError, match="level"):
        wilson(1, 2, level=95)


def test_an_estimate_survives_json() -> None:
    found = wilson(3, 40)
    assert Estimate.from_json(json.loads(json.dumps(found.to_json()))) == found
