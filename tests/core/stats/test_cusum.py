"""The run length is computed, so it can be checked against itself simulated and its own limit."""

from __future__ import annotations

import json

import numpy as np
import pytest

from core.stats.cusum import BernoulliCusum, cusum_limit, run_length


def test_four_errors_in_a_row_alarm() -> None:
    chart, alarms = BernoulliCusum(0.05, 0.15, 3.563), []
    for _ in range(4):  # 4 x ln 3 = 4.39
        chart = chart.update(wrong=True)
        alarms.append(chart.alarmed)
    assert alarms == [False, False, False, True]
    assert chart.level == pytest.approx(4 * np.log(3))
    assert chart.seen == 4


def test_right_answers_bring_it_back_to_zero_and_not_below() -> None:
    chart = BernoulliCusum(0.05, 0.15, 3.563).update(wrong=True)
    for _ in range(20):
        chart = chart.update(wrong=False)
    assert chart.level == 0


@pytest.mark.parametrize(
    ("rate", "items", "within"), [(0.05, 995, 15), (0.10, 107, 3), (0.15, 44, 1.5), (0.30, 15, 0.6)]
)
def test_run_lengths(rate: float, items: float, within: float) -> None:
    assert run_length(rate, 0.05, 0.15, 3.563) == pytest.approx(items, abs=within)


def test_the_run_length_is_what_a_simulation_gives() -> None:
    rng, lengths = np.random.default_rng(1), []
    for _ in range(300):
        chart = BernoulliCusum(0.05, 0.15, 3.563)
        while not chart.alarmed:
            chart = chart.update(wrong=bool(rng.random() < 0.2))
        lengths.append(chart.seen)
    assert np.mean(lengths) == pytest.approx(run_length(0.2, 0.05, 0.15, 3.563), rel=0.12)


def test_the_limit_is_set_by_the_items_between_false_alarms() -> None:
    limit = cusum_limit(0.05, 0.15, 1000)
    assert limit == pytest.approx(3.563, abs=0.02)
    with pytest.raises(ValueError, match="between_alarms"):
        cusum_limit(0.05, 0.15, 1e12)


def test_a_chart_survives_json() -> None:
    chart = BernoulliCusum(0.05, 0.15, 3.563).update(wrong=True).update(wrong=False)
    assert BernoulliCusum.from_json(json.loads(json.dumps(chart.to_json()))) == chart


def test_a_fall_is_not_a_rise() -> None:
    with pytest.raises(ValueError, match="p0"):
        BernoulliCusum(0.2, 0.1, 3)
    with pytest.raises(ValueError, match="limit"):
        BernoulliCusum(0.1, 0.2, 0)
