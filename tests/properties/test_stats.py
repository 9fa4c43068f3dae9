"""What must hold for every input, not only for the published ones."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.stats.binomial import defects_allowed, exceedance_p, fixed_sequence, labels_needed
from core.stats.consensus import dawid_skene_binary, vote_shares
from core.stats.cusum import BernoulliCusum
from core.stats.eprocess import Block, CanaryMonitor, EDetector
from core.stats.intervals import (
    Estimate,
    Stratum,
    clopper_pearson,
    mover,
    newcombe,
    upper_limit,
    wilson,
)
from core.stats.paired import Pairs, holm, mcnemar_p, sign_flip_p, tango
from core.stats.weighted import active_probabilities, hajek_rate, tuned_rate

MANY = settings(max_examples=60, deadline=None)
shares = st.floats(0.01, 0.99)
outcomes = st.floats(0, 1)
arms = st.lists(outcomes, min_size=1, max_size=12).map(tuple)


@st.composite
def hits(draw: st.DrawFn, largest: int = 3000) -> tuple[int, int]:
    n = draw(st.integers(1, largest))
    return draw(st.integers(0, n)), n


@st.composite
def discordant(draw: st.DrawFn) -> Pairs:
    n = draw(st.integers(1, 400))
    b = draw(st.integers(0, n))
    return Pairs(b, draw(st.integers(0, n - b)), n)


def ordered(found: Estimate, floor: float = 0.0) -> bool:
    assert found.low is not None
    assert found.value is not None
    assert found.high is not None
    return floor <= found.low <= found.value <= found.high <= 1


@MANY
@given(hits(), shares)
def test_intervals_hold_their_rate_and_stay_in_bounds(kn: tuple[int, int], level: float) -> None:
    assert ordered(wilson(*kn, level))
    assert ordered(clopper_pearson(*kn, level))


@MANY
@given(hits(), shares)
def test_wilson_is_symmetric(kn: tuple[int, int], level: float) -> None:
    k, n = kn
    one, other = wilson(k, n, level), wilson(n - k, n, level)
    assert other.high is not None
    assert one.low == pytest.approx(1 - other.high, abs=1e-12)


@MANY
@given(st.integers(2, 400), shares)
def test_exact_limits_rise_with_the_hits(n: int, delta: float) -> None:
    limits = [upper_limit(k, n, delta) for k in range(0, n + 1, max(1, n // 25))]
    assert limits == sorted(limits)
    assert limits[-1] <= 1


@MANY
@given(hits())
def test_a_higher_level_is_never_narrower(kn: tuple[int, int]) -> None:
    narrow, wide = clopper_pearson(*kn, 0.8), clopper_pearson(*kn, 0.99)
    assert wide.low <= narrow.low <= narrow.high <= wide.high


@MANY
@given(hits(), hits())
def test_a_difference_turns_its_sign_with_the_groups(
    first: tuple[int, int], second: tuple[int, int]
) -> None:
    one, other = newcombe(*first, *second), newcombe(*second, *first)
    assert ordered(one, floor=-1)
    assert one.low == pytest.approx(-other.high, abs=1e-12)


@MANY
@given(st.lists(st.tuples(st.integers(1, 50), hits(200)), min_size=1, max_size=5))
def test_strata_hold_their_rate(parts: list[tuple[int, tuple[int, int]]]) -> None:
    strata = [Stratum(n * times, n, k) for times, (k, n) in parts]
    found = mover(strata)
    assert ordered(found)
    rate = sum(n * times * k / n for times, (k, n) in parts) / sum(s.population for s in strata)
    assert found.value == pytest.approx(rate)


@MANY
@given(hits(), st.floats(0, 50))
def test_hiding_keeps_the_count_and_shows_only_what_is_carried(
    kn: tuple[int, int], minimum: float
) -> None:
    found = wilson(*kn).shown(minimum)
    assert found.n == kn[1]
    assert found.is_shown == (kn[1] >= minimum)


@MANY
@given(st.integers(0, 30), st.floats(0.005, 0.3), st.floats(0.01, 0.2))
def test_the_smallest_certifying_sample_is_the_smallest(
    defects: int, limit: float, delta: float
) -> None:
    n = labels_needed(defects, limit, delta)
    assert exceedance_p(defects, n, limit) <= delta
    assert n == defects + 1 or exceedance_p(defects, n - 1, limit) > delta
    assert defects_allowed(n, limit, delta) == defects


@MANY
@given(
    st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=300),
    st.lists(st.floats(0, 1), min_size=1, max_size=20, unique=True),
    st.floats(0.05, 0.5),
)
def test_a_certificate_meets_its_limit_on_its_own_labels(
    labels: list[tuple[float, bool]], thresholds: list[float], limit: float
) -> None:
    scores, defects = zip(*labels, strict=True)
    found = fixed_sequence(scores, defects, np.sort(thresholds), limit, 0.05)
    below = [bad for score, bad in labels if found.allows(score)]
    assert found.n == len(below)
    assert found.k == sum(below)
    assert not found.certifies or found.upper <= limit + 1e-9


@MANY
@given(st.lists(outcomes, max_size=60), st.floats(0.005, 0.6))
def test_a_detector_stays_finite_and_survives_json(stream: list[float], limit: float) -> None:
    detector = EDetector.for_audit(limit)
    for outcome in stream:
        detector = detector.update(outcome)
    assert math.isfinite(detector.evidence)
    assert min(detector.state) >= 0
    assert EDetector.from_json(detector.to_json()) == detector


@MANY
@given(
    st.lists(st.tuples(arms, arms), max_size=8),
    st.floats(0, 0.5),
    st.floats(0.01, 0.4),
    st.floats(0.01, 9.9),
)
def test_a_canary_stays_finite_and_its_evidence_never_shrinks(
    stream: list[tuple[tuple[float, ...], tuple[float, ...]]],
    tolerate: float,
    more: float,
    bad: float,
) -> None:
    monitor = CanaryMonitor(tolerate=tolerate, margin=tolerate + more, prior=(bad, 10))
    for canary, control in stream:
        after = monitor.update(Block(canary, control))
        assert np.isfinite([*after.log_up, *after.log_down]).all()
        assert after.peak_up >= monitor.peak_up
        assert after.peak_down >= monitor.peak_down
        monitor = after
    assert CanaryMonitor.from_json(monitor.to_json()) == monitor


@MANY
@given(
    st.integers(1, 4),
    st.integers(1, 4),
    st.floats(0, 1),
    st.floats(0, 0.3),
    st.floats(0, 1),
    st.floats(0.01, 9.9),
)
def test_a_canary_block_is_an_e_value(
    na: int, nb: int, control: float, tolerate: float, part: float, bad: float
) -> None:
    """The mean over all outcomes is at most 1 whenever canary <= control + tolerate."""
    start = CanaryMonitor(tolerate=tolerate, margin=tolerate + 0.1, prior=(bad, 10))
    canary = min(1.0, control + tolerate) * part
    total = 0.0
    for i in range(na + 1):
        for j in range(nb + 1):
            chance = math.comb(na, i) * canary**i * (1 - canary) ** (na - i)
            chance *= math.comb(nb, j) * control**j * (1 - control) ** (nb - j)
            block = Block((1.0,) * i + (0.0,) * (na - i), (1.0,) * j + (0.0,) * (nb - j))
            total += chance * float(np.mean(np.exp(start.update(block).log_up)))
    assert total <= 1 + 1e-9


@MANY
@given(st.lists(st.booleans(), max_size=80))
def test_a_chart_never_falls_below_zero(errors: list[bool]) -> None:
    chart = BernoulliCusum(0.05, 0.15, 3.563)
    for wrong in errors:
        chart = chart.update(wrong)
        assert chart.level >= 0
    assert chart.seen == len(errors)


@MANY
@given(discordant(), shares)
def test_tango_holds_the_difference_and_turns_its_sign(pairs: Pairs, level: float) -> None:
    found = tango(pairs, level)
    turned = tango(Pairs(pairs.candidate_only, pairs.baseline_only, pairs.n), level)
    assert ordered(found, floor=-1)
    assert found.low == pytest.approx(-turned.high, abs=1e-6)


@MANY
@given(discordant())
def test_one_side_of_mcnemar_is_never_both(pairs: Pairs) -> None:
    better, worse = mcnemar_p(pairs), mcnemar_p(pairs, "worse")
    assert 0 < min(better, worse) <= 1
    assert better + worse >= 1 - 1e-12
    assert mcnemar_p(pairs, "different") <= min(1, 2 * min(better, worse)) + 1e-12


@MANY
@given(st.lists(st.sampled_from([-1.0, 0.0, 1.0]), max_size=14))
def test_sign_flips_of_single_runs_are_mcnemar(differences: list[float]) -> None:
    pairs = Pairs(differences.count(-1.0), differences.count(1.0), len(differences))
    assert sign_flip_p(differences) == pytest.approx(mcnemar_p(pairs))


@MANY
@given(st.lists(st.floats(0, 1), max_size=12))
def test_holm_only_raises_and_keeps_the_order(p_values: list[float]) -> None:
    adjusted = holm(p_values)
    assert all(p <= a <= 1 for p, a in zip(p_values, adjusted, strict=True))
    order = np.argsort(p_values, kind="stable")
    assert (np.diff(np.array(adjusted)[order]) >= 0).all()


@MANY
@given(st.lists(st.tuples(st.booleans(), st.floats(0.01, 1)), min_size=1, max_size=80))
def test_weighted_rates_hold_their_value(drawn: list[tuple[bool, float]]) -> None:
    labels, probability = zip(*drawn, strict=True)
    found = hajek_rate(labels, probability)
    assert ordered(found)
    equal = hajek_rate(labels, [0.3] * len(labels))
    assert equal.value == pytest.approx(np.mean(labels))


@MANY
@given(st.lists(st.tuples(st.booleans(), outcomes), min_size=2, max_size=60), st.floats(0, 1.5))
def test_with_every_trace_labelled_the_judge_says_nothing(
    traces: list[tuple[bool, float]], weight: float
) -> None:
    labels, scores = zip(*traces, strict=True)
    everyone = [1] * len(labels)
    found = tuned_rate(labels, scores, everyone, everyone, judge_weight=weight)
    assert found.raw == pytest.approx(np.mean(labels))


@MANY
@given(st.lists(outcomes, min_size=2, max_size=200), st.floats(0.05, 1))
def test_active_probabilities_are_probabilities(scores: list[float], part: float) -> None:
    budget = part * len(scores)
    pi = active_probabilities(scores, budget)
    assert pi.min() > 0
    assert pi.max() <= 1
    assert pi.sum() == pytest.approx(budget, abs=1e-3)


@MANY
@given(
    st.lists(
        st.tuples(st.integers(0, 9), st.integers(0, 3), st.booleans()), min_size=1, max_size=60
    )
)
def test_consensus_does_not_depend_on_the_order_of_labels(
    votes: list[tuple[int, int, bool]],
) -> None:
    def solve(rows: list[tuple[int, int, bool]]) -> list[float]:
        item, worker, label = zip(*rows, strict=True)
        found = dawid_skene_binary(item, worker, label, n_items=10, n_workers=4)
        assert ((found.posterior >= 0) & (found.posterior <= 1)).all()
        return [float(p) for p in found.posterior]

    assert solve(votes) == pytest.approx(solve(votes[::-1]), abs=1e-6)
    item, _, label = zip(*votes, strict=True)
    known = vote_shares(item, label, 10)
    assert np.isnan(known).tolist() == [number not in item for number in range(10)]
