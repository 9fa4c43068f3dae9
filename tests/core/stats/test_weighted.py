"""Small cases by hand, and a routed queue whose plain mean would be wrong by a factor of seven."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from core.stats.inputs import Floats
from core.stats.intervals import clopper_pearson
from core.stats.weighted import (
    active_probabilities,
    hajek_rate,
    horvitz_thompson_rate,
    kish_size,
    tuned_rate,
)

SCORES = [0.1, 0.9, 0.2, 0.8, 0.3, 0.7]
LABELS = [0, 1, 0, 0, 0, 0]
DRAWN = [1, 1, 0, 0, 1, 0]
HALF = [0.5] * 6


def test_the_judge_term_by_hand() -> None:
    trusted = tuned_rate(LABELS, SCORES, DRAWN, HALF, judge_weight=1)
    ignored = tuned_rate(LABELS, SCORES, DRAWN, HALF, judge_weight=0)
    assert trusted.raw == pytest.approx(0.4, abs=1e-12)
    assert ignored.raw == pytest.approx(1 / 3, abs=1e-12)
    assert trusted.estimate.method == "weighted + judge"
    assert ignored.estimate.method == "weighted"
    assert ignored.estimate.n == 3


def test_labels_of_traces_not_drawn_are_never_read() -> None:
    strange = [0, 1, np.nan, 77, 0, -3]
    assert tuned_rate(strange, SCORES, DRAWN, HALF) == tuned_rate(LABELS, SCORES, DRAWN, HALF)


def test_horvitz_thompson_and_hajek_by_hand() -> None:
    # labels 1, 0, 1 drawn with 1, 1/2, 1/4 out of 10: (1 + 4) / 10 and (1 + 4) / (1 + 2 + 4)
    total = horvitz_thompson_rate([1, 0, 1], [1, 0.5, 0.25], 10)
    ratio = hajek_rate([1, 0, 1], [1, 0.5, 0.25])
    assert total.value == pytest.approx(0.5)
    assert ratio.value == pytest.approx(5 / 7)
    assert kish_size([1, 2, 4]) == pytest.approx(49 / 21)
    assert total.n == ratio.n == 3


def test_horvitz_thompson_is_the_judge_free_rate() -> None:
    direct = horvitz_thompson_rate([0, 1, 0], [0.5] * 3, 6)
    full = tuned_rate(LABELS, SCORES, DRAWN, HALF, judge_weight=0)
    assert direct.value == pytest.approx(full.raw)
    assert (direct.low, direct.high) == pytest.approx((full.estimate.low, full.estimate.high))


def test_equal_weights_give_nearly_the_plain_interval() -> None:
    labels = np.r_[np.ones(12), np.zeros(68)]
    weighted, plain = hajek_rate(labels, np.full(80, 0.1)), clopper_pearson(12, 80)
    assert weighted.value == pytest.approx(0.15)
    assert weighted.n_eff == pytest.approx(79)
    assert (weighted.low, weighted.high) == pytest.approx((plain.low, plain.high), abs=0.002)


def world(rng: np.random.Generator, n: int, base: float, auc: float) -> tuple[Floats, Floats]:
    """Verdicts, and a calibrated judge."""
    shift = np.sqrt(2) * norm.ppf(auc)
    y = (rng.random(n) < base).astype(np.float64)
    s = rng.normal(size=n) + shift * y
    odds = shift * s - shift**2 / 2 + np.log(base / (1 - base))
    return y, 1 / (1 + np.exp(-odds))


def test_a_routed_queue_is_mended_by_its_probabilities() -> None:
    rng = np.random.default_rng(3)
    covered, plain, widths = [], [], []
    for _ in range(120):
        y, f = world(rng, 6000, 0.06, 0.9)
        pi = np.where(f >= np.quantile(f, 0.95), 1.0, 0.05)
        drawn = rng.random(6000) < pi
        total = horvitz_thompson_rate(y[drawn], pi[drawn], 6000)
        tuned = tuned_rate(y, f, drawn, pi).estimate
        plain.append(y[drawn].mean())
        assert total.low is not None
        assert total.high is not None
        assert tuned.low is not None
        assert tuned.high is not None
        covered.append((total.low <= 0.06 <= total.high, tuned.low <= 0.06 <= tuned.high))
        widths.append((total.high - total.low, tuned.high - tuned.low))
    assert np.mean(plain) > 0.2
    assert np.mean(covered, axis=0).min() > 0.9
    by_hand, with_judge = np.mean(widths, axis=0)
    assert with_judge < by_hand


def test_a_useless_judge_is_ignored() -> None:
    rng = np.random.default_rng(0)
    y, f = (rng.random(4000) < 0.2).astype(float), np.full(4000, 0.5)
    drawn = rng.random(4000) < 0.2
    constant = tuned_rate(y, f, drawn, np.full(4000, 0.2))
    assert 0 <= constant.judge_weight <= 1.5
    exact = tuned_rate(y, np.zeros(4000), drawn, np.full(4000, 0.2))
    assert exact.judge_weight == 0


def test_an_item_that_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(ValueError, match="probability"):
        hajek_rate([1, 0], [0.5, 0])
    with pytest.raises(ValueError, match="population"):
        horvitz_thompson_rate([1, 0], [0.5, 0.5], 1)
    with pytest.raises(ValueError, match="labels must lie"):
        hajek_rate([2], [0.5])


def test_without_labels_there_is_no_rate() -> None:
    assert hajek_rate([], []).value is None
    assert horvitz_thompson_rate([], [], 100).value is None
    assert tuned_rate(LABELS, SCORES, [0] * 6, HALF).estimate.value is None


def test_active_probabilities_spend_the_budget() -> None:
    f = np.random.default_rng(0).random(5000)
    pi = active_probabilities(f, 600)
    assert pi.sum() == pytest.approx(600, abs=1e-3)
    assert pi.min() >= 0.2 * 600 / 5000 * 0.999
    assert pi.max() <= 1
    assert pi[np.argmin(np.abs(f - 0.5))] > pi[np.argmax(f)]
    assert active_probabilities(f, 4900).sum() == pytest.approx(4900, abs=1e-3)
    with pytest.raises(ValueError, match="budget"):
        active_probabilities(f, 5001)
