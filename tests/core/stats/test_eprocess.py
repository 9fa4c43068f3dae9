"""By hand: wealth and detector after 0, 1, 1; one block of a canary; E[e] <= 1 by enumeration."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from core.stats.eprocess import (
    Block,
    CanaryMonitor,
    EDetector,
    EProcess,
    fraction_bets,
    rate_bets,
    sample_ratio_p,
)


def test_the_e_process_by_hand() -> None:
    process = EProcess(0.02, (10.0,))
    for outcome in (0, 1, 1):
        process = process.update(outcome)
    assert math.exp(process.log_evidence) == pytest.approx(0.8 * 10.8**2, abs=1e-9)  # 93.312


def test_the_detector_by_hand() -> None:
    detector, alarms = EDetector(0.02, 100, (10.0,)), []
    for outcome in (0, 1, 1):
        detector = detector.update(outcome)
        alarms.append(detector.alarmed)
    assert alarms == [False, False, True]
    assert detector.evidence == pytest.approx(((0.8 + 1) * 10.8 + 1) * 10.8, abs=1e-9)  # 220.752
    assert (detector.seen, detector.hits) == (3, 2)


def first_alarms(rate: float, streams: int, horizon: int, threshold: float = 2000) -> list[float]:
    """Items until the audit detector alarms; inf where it does not."""
    rng, found = np.random.default_rng(7), []
    for _ in range(streams):
        detector = EDetector.for_audit(0.02, threshold)
        for outcome in rng.random(horizon) < rate:
            detector = detector.update(float(outcome))
            if detector.alarmed:
                break
        found.append(detector.seen if detector.alarmed else math.inf)
    return found


def test_the_audit_detector_finds_a_risen_rate_and_spares_a_good_one() -> None:
    assert np.mean(first_alarms(0.06, 25, 3000)) == pytest.approx(140, rel=0.35)
    # P(a false alarm within 200 items) <= 200 / 2000
    assert np.mean(np.isfinite(first_alarms(0.02, 60, 200))) <= 0.1 + 0.08


def test_the_e_process_may_be_watched_for_ever() -> None:
    draws = np.random.default_rng(1).random((2000, 1500)) < 0.02
    logs = np.zeros((2000, 4))
    bets, worst = np.array(rate_bets(0.02, (0.03, 0.04, 0.06, 0.10))), np.zeros(2000)
    for outcome in draws.T:
        logs += np.log1p(bets * (outcome[:, None] - 0.02))
        worst = np.maximum(worst, np.logaddexp.reduce(logs, axis=1) - math.log(4))
    assert (worst >= math.log(20)).mean() <= 0.05 + 0.01
    # the same stream through the value type
    process = EProcess(0.02, tuple(bets.tolist()))
    for outcome in draws[0]:
        process = process.update(float(outcome))
    assert process.log_evidence == pytest.approx(np.logaddexp.reduce(logs[0]) - math.log(4))


def test_bets_that_could_lose_more_than_all_are_refused() -> None:
    with pytest.raises(ValueError, match="bets"):
        EProcess(0.5, (2.1,))
    with pytest.raises(ValueError, match="rates"):
        rate_bets(0.02, (0.01,))
    with pytest.raises(ValueError, match="outcome"):
        EDetector(0.02, 100, fraction_bets(0.02)).update(2)
    with pytest.raises(ValueError, match="threshold"):
        EDetector(0.02, 0.5, (1.0,))


def test_a_detector_survives_json() -> None:
    detector = EDetector.for_audit(0.02).update(1).update(0)
    back = EDetector.from_json(json.loads(json.dumps(detector.to_json())))
    assert back == detector
    assert back.update(1) == detector.update(1)


def test_a_high_limit_still_has_a_bet() -> None:
    assert EDetector.for_audit(0.9).update(1).evidence > 0


def test_sample_ratio_mismatch() -> None:
    assert sample_ratio_p(1100, 8900, 0.1) == pytest.approx(0.00086, abs=1e-5)  # chi-square 11.11
    assert sample_ratio_p(1000, 9000, 0.1) == 1
    assert sample_ratio_p(0, 0, 0.1) == 1


def test_one_canary_block_by_hand() -> None:
    monitor = CanaryMonitor(tolerate=0.0, margin=0.02, shifts=(0.08,), gains=(1.0,), prior=(1, 10))
    q, na, nb = 0.1, 2, 3
    bet = 0.08 / (q * (1 - q) / na + q * (1 - q) / nb + 0.08**2 / na)
    expected = (1 + bet / na * (1 - q)) * (1 - bet / na * q) * (1 + bet / nb * q) ** 3
    after = monitor.update(Block((1, 0), (0, 0, 0)))
    assert after.rollback_evidence == pytest.approx(expected, rel=1e-12)
    assert after.control_guess == pytest.approx(1 / 13)
    assert (after.canary_n, after.canary_bad, after.control_n, after.control_bad) == (2, 1, 3, 0)
    assert monitor.canary_n == 0  # a value: the one before is untouched


@pytest.mark.parametrize("control", [0.05, 0.2, 0.5, 0.9])
@pytest.mark.parametrize("size", [0, 1, 2])
def test_a_block_is_an_e_value_at_every_base_rate(control: float, size: int) -> None:
    start = CanaryMonitor(tolerate=0.05, margin=0.05)
    na, nb = 2, 3
    canary = min(1.0, control + 0.05)
    up = down = 0.0
    for outcome in product((0, 1), repeat=na + nb):
        a, b = outcome[:na], outcome[na:]
        chance = math.prod(canary if y else 1 - canary for y in a)
        chance *= math.prod(control if y else 1 - control for y in b)
        after = start.update(Block(a, b))
        up += chance * math.exp(after.log_up[size])
        down += chance * math.exp(after.log_down[size])
    assert up <= 1 + 1e-12
    assert down <= 1 + 1e-12 or control + 0.05 > 1


def run(canary: float, control: float, *, seed: int, units: int, **kw: float) -> CanaryMonitor:
    """Blocks of 10 canary and 90 control units until a verdict or so many canary units."""
    rng, monitor = np.random.default_rng(seed), CanaryMonitor(**kw)  # type: ignore[arg-type]
    for _ in range(units // 10):
        a, b = rng.random(10) < canary, rng.random(90) < control
        monitor = monitor.update(Block(tuple(a.astype(float)), tuple(b.astype(float))))
        if monitor.verdict != "continue":
            break
    return monitor


def test_a_bad_canary_is_rolled_back_soon() -> None:
    ends = [run(0.15, 0.05, seed=seed, units=2000) for seed in range(30)]
    assert {end.verdict for end in ends} == {"rollback"}
    assert np.median([end.canary_n for end in ends]) < 200


def test_an_equal_canary_is_promoted() -> None:
    ends = [run(0.05, 0.05, seed=seed, units=4000) for seed in range(30)]
    assert sum(end.verdict == "promote" for end in ends) >= 26


def test_an_equal_canary_is_rarely_rolled_back_however_long_one_watches() -> None:
    ends = [run(0.1, 0.1, seed=seed, units=1500, alpha=0.05, beta=1e-9) for seed in range(60)]
    assert np.mean([end.verdict == "rollback" for end in ends]) <= 0.05 + 0.06


def test_roll_back_goes_before_promote() -> None:
    both = replace(CanaryMonitor(), peak_up=math.log(100), peak_down=math.log(20))
    assert both.verdict == "rollback"
    assert replace(both, peak_up=0.0).verdict == "promote"
    assert CanaryMonitor().verdict == "continue"


def test_each_verdict_has_its_own_threshold() -> None:
    watched = CanaryMonitor(alpha=0.01, beta=0.05)
    assert replace(watched, peak_up=math.log(99)).verdict == "continue"
    assert replace(watched, peak_up=math.log(101)).verdict == "rollback"
    assert replace(watched, peak_down=math.log(19)).verdict == "continue"
    assert replace(watched, peak_down=math.log(21)).verdict == "promote"
    assert replace(watched, peak_up=math.log(7)).rollback_evidence == pytest.approx(7)
    assert replace(watched, peak_down=math.log(7)).promote_evidence == pytest.approx(7)


def test_a_canary_survives_json() -> None:
    monitor = run(0.12, 0.1, seed=1, units=50)
    back = CanaryMonitor.from_json(json.loads(json.dumps(monitor.to_json(), allow_nan=False)))
    block = Block((1.0, 0.0), (0.0, 0.5))
    assert back == monitor
    assert back.update(block) == monitor.update(block)


def test_a_certain_control_failure_keeps_every_factor_positive() -> None:
    monitor = CanaryMonitor(tolerate=0.5, margin=0.6, prior=(9.5, 10))
    for block in (Block((0.0,), (1.0,)), Block((1.0,), (0.0,)), Block((0.0,) * 9, (1.0,) * 9)):
        monitor = monitor.update(block)
    assert np.isfinite([*monitor.log_up, *monitor.log_down]).all()


def test_bad_blocks_and_settings_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="at least one"):
        CanaryMonitor().update(Block((), (1.0,)))
    with pytest.raises(ValueError, match="control must lie"):
        CanaryMonitor().update(Block((1.0,), (2.0,)))
    with pytest.raises(ValueError, match="tolerate"):
        CanaryMonitor(tolerate=0.1, margin=0.02)
    with pytest.raises(ValueError, match="alpha"):
        CanaryMonitor(alpha=0)
