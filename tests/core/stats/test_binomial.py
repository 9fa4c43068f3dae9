"""Sample sizes by hand (smallest n with P(Bin(n, limit) <= k) <= .05); the walk over thresholds."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from scipy.stats import norm

from core.stats.binomial import (
    Certificate,
    LookPlan,
    certify,
    certify_power,
    corrected_rate,
    defects_allowed,
    exceedance_p,
    fixed_sequence,
    labels_for_power,
    labels_needed,
    threshold_grid,
)
from core.stats.inputs import Floats, Ints
from core.stats.intervals import upper_limit


@pytest.mark.parametrize(
    ("limit", "sizes"),
    [
        (0.02, {0: 149, 1: 236, 2: 313, 3: 386, 4: 456, 5: 523, 10: 845, 20: 1449}),
        (0.01, {0: 299, 1: 473, 2: 628, 5: 1049}),
        (0.05, {0: 59, 1: 93, 2: 124, 5: 208}),
    ],
)
def test_labels_that_certify(limit: float, sizes: dict[int, int]) -> None:
    assert {k: labels_needed(k, limit, 0.05) for k in sizes} == sizes


def test_no_defect_needs_the_closed_form() -> None:
    assert labels_needed(0, 0.02, 0.05) == math.ceil(math.log(0.05) / math.log(0.98))


def test_defects_that_still_certify() -> None:
    expected = {148: -1, 149: 0, 500: 4, 1000: 12, 2000: 29}
    assert {n: defects_allowed(n, 0.02, 0.05) for n in expected} == expected


@pytest.mark.parametrize(
    ("rate", "n"), [(0.002, 236), (0.005, 386), (0.01, 1091), (0.012, 1741), (0.015, 4646)]
)
def test_labels_for_80_percent_power(rate: float, n: int) -> None:
    assert labels_for_power(rate, 0.02) == n
    assert certify_power(n, rate, 0.02, 0.05) >= 0.8
    assert certify_power(n - 1, rate, 0.02, 0.05) < 0.8


def test_a_rate_at_the_limit_can_never_be_certified() -> None:
    with pytest.raises(ValueError, match="true_rate"):
        labels_for_power(0.02, 0.02)


@pytest.mark.parametrize(("k", "n"), [(0, 149), (4, 500), (12, 1000), (13, 1000), (0, 148)])
def test_the_test_and_the_limit_agree(k: int, n: int) -> None:
    assert (exceedance_p(k, n, 0.02) <= 0.05) == (upper_limit(k, n, 0.05) <= 0.02)


def test_missed_defects_raise_the_rate() -> None:
    assert corrected_rate(0.02, 0.8) == pytest.approx(0.025, abs=1e-12)
    with pytest.raises(ValueError, match="sensitivity"):
        corrected_rate(0.02, 0.5, 0.5)


def test_the_walk_stops_at_the_first_failure() -> None:
    scores = np.arange(1000) / 1000
    defects = np.zeros(1000, dtype=int)
    defects[400:420] = 1  # clean items beyond the bad patch must not be reached
    found = fixed_sequence(scores, defects, np.array([0.2, 0.3, 0.4, 0.42, 0.9, 0.999]), 0.02, 0.05)
    assert (found.threshold, found.n, found.k) == (0.4, 401, 1)
    assert found.upper <= 0.02
    assert found.allows(0.4)
    assert not found.allows(0.401)


def test_a_hundred_clean_items_prove_nothing_at_two_percent() -> None:
    scores = np.arange(1000) / 1000
    found = fixed_sequence(scores, np.zeros(1000), np.array([0.1, 0.3]), 0.02, 0.05)
    assert found.threshold is None
    assert not found.certifies
    assert not found.allows(-1e9)


def draw(rng: np.random.Generator, n: int, base: float = 0.08) -> tuple[Floats, Ints]:
    """Binormal scores with an area under the curve of .90."""
    defect = rng.random(n) < base
    return rng.normal(size=n) + math.sqrt(2) * norm.ppf(0.9) * defect, defect.astype(np.int64)


def risk(threshold: float | None, base: float = 0.08) -> float:
    if threshold is None:
        return 0.0
    bad = base * norm.cdf(threshold - math.sqrt(2) * norm.ppf(0.9))
    return float(bad / (bad + (1 - base) * norm.cdf(threshold)))


def test_certificates_are_wrong_no_more_often_than_promised() -> None:
    rng = np.random.default_rng(11)
    traffic, _ = draw(rng, 20_000)
    found = [certify(*draw(rng, 2000), traffic).threshold for _ in range(300)]
    violations = np.mean([risk(threshold) > 0.02 for threshold in found])
    assert violations <= 0.05 + 0.025
    assert np.mean([threshold is not None for threshold in found]) > 0.8


def test_looks_spend_delta_and_read_only_the_first_labels() -> None:
    rng = np.random.default_rng(4)
    traffic, _ = draw(rng, 5000)
    scores, defects = draw(rng, 2500)
    found = certify(scores, defects, traffic)
    assert found == certify(scores[:2000], defects[:2000], traffic)
    assert found.look == 2
    assert found.delta == pytest.approx(0.05 * 0.3)
    assert not certify(scores[:499], defects[:499], traffic).certifies


def test_a_plan_is_declared_or_refused() -> None:
    plan = LookPlan()
    assert (plan.reached(499), plan.reached(500), plan.reached(9999)) == (0, 1, 4)
    assert (plan.next_look(0), plan.next_look(500), plan.next_look(4000)) == (500, 1000, None)
    for looks, spend in [((500,), (0.5, 0.5)), ((500, 400), (0.5, 0.5)), ((5, 6), (0.9, 0.2))]:
        with pytest.raises(ValueError, match=r"looks|spend"):
            LookPlan(looks, spend)


def test_the_grid_is_strictest_first_and_starts_with_enough_items() -> None:
    grid = threshold_grid(np.linspace(0, 1, 1001), 1000, 0.02, 0.05)
    assert (np.diff(grid) > 0).all()
    assert grid[0] == pytest.approx(2.5 * 149 / 1000, abs=1e-6)
    with pytest.raises(ValueError, match="traffic"):
        threshold_grid([], 1000, 0.02, 0.05)


def test_a_certificate_survives_json() -> None:
    for found in (
        Certificate(0.4, 401, 1, 0.0118, 0.02, 0.05, 0),
        Certificate(None, 0, 0, 1, 0.02, 0.05),
    ):
        assert (
            Certificate.from_json(json.loads(json.dumps(found.to_json(), allow_nan=False))) == found
        )
