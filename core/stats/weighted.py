"""Rates from labels that were drawn with known, unequal probabilities.

A trace enters the label queue with a probability that routing stored: 1 for "must be reviewed",
the audit share for what passed on its own. The plain mean of labels says 40 % where 6 % is true;
dividing by the probability mends that. A rule that can never pick an item makes its part of the
traffic unknowable, so a probability of 0 is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from core.stats.inputs import (
    Floats,
    as_floats,
    as_unit_interval,
    require_count,
    require_same_length,
    require_share,
)
from core.stats.intervals import Estimate, korn_graubard, undefined


def _probabilities(values: ArrayLike) -> Floats:
    pi = as_unit_interval("probability", values)
    if pi.size and pi.min() <= 0:
        raise ValueError(
            "probability must be above 0: an item that can never be drawn cannot be estimated"
        )
    return pi


def kish_size(weights: ArrayLike) -> float:
    """Effective number of equally weighted units: (sum w)^2 / sum w^2 (Kish 1965); 0 for none."""
    w = as_floats("weights", weights)
    squares = float((w * w).sum())
    return float(w.sum()) ** 2 / squares if squares > 0 else 0.0


def hajek_rate(labels: ArrayLike, probability: ArrayLike, level: float = 0.95) -> Estimate:
    """Rate in the whole traffic from the labelled traces alone (Hajek 1971).

    labels       [labelled] verdicts in [0, 1]
    probability  [labelled] probability with which each was drawn, in (0, 1]
    sum(y / pi) / sum(1 / pi), Taylor-linearised variance, Korn-Graubard interval with the
    effective size. Use it where the size of the traffic is not known.
    """
    require_share("level", level)
    y, pi = as_unit_interval("labels", labels), _probabilities(probability)
    n = require_same_length(labels=y, probability=pi)
    if n == 0:
        return undefined(0, level, "hajek")
    w = 1 / pi
    rate = float((w * y).sum() / w.sum())
    spread = float(((w * (y - rate)) ** 2).sum() / w.sum() ** 2)
    variance = spread * n / (n - 1) if n > 1 else 0.0
    return replace(korn_graubard(rate, variance, n, kish_size(w), level), method="hajek")


def horvitz_thompson_rate(
    labels: ArrayLike, probability: ArrayLike, population: int, level: float = 0.95
) -> Estimate:
    """Rate in a traffic of known size: sum(y / pi) / population (Horvitz & Thompson 1952).

    labels, probability  [labelled] as in `hajek_rate`
    population           traces in the slice, labelled or not
    """
    require_share("level", level)
    y, pi = as_unit_interval("labels", labels), _probabilities(probability)
    n = require_same_length(labels=y, probability=pi)
    size = require_count("population", population, n)
    if n == 0:
        return undefined(0, level, "horvitz-thompson")
    terms = y / pi
    rate = float(terms.sum()) / size
    squares = float((terms**2).sum()) - size * rate * rate
    variance = squares / (size * (size - 1)) if size > 1 else 0.0
    found = korn_graubard(rate, variance, n, kish_size(1 / pi), level)
    return replace(found, method="horvitz-thompson")


@dataclass(frozen=True, slots=True)
class TunedRate:
    """A rate helped by a judge's scores.

    estimate        the rate with its interval
    judge_weight    lam: 0 ignores the judge, 1 trusts it fully
    standard_error  of the unclipped rate
    raw             the unclipped rate: a strong judge term can push a rare one below 0
    """

    estimate: Estimate
    judge_weight: float
    standard_error: float
    raw: float


def tuned_rate(
    labels: ArrayLike,
    scores: ArrayLike,
    labelled: ArrayLike,
    probability: ArrayLike,
    *,
    judge_weight: float | None = None,
    level: float = 0.95,
) -> TunedRate:
    """Rate over ALL traces of a slice from few labels and many judge scores.

        phi_i = lam f_i + labelled_i / pi_i (y_i - lam f_i),   rate = mean(phi)

    labels       [traces] verdict in [0, 1]; read only where labelled
    scores       [traces] judge score in [0, 1], for every trace
    labelled     [traces] was it labelled
    probability  [traces] probability to be drawn, in (0, 1], for every trace
    judge_weight lam; None chooses it by least squares in [0, 1.5]; 0 is plain weighting
    Constant probability is PPI++ (Angelopoulos, Duchi & Zrnic 2023), varying probability active
    inference (Zrnic & Candes 2024). With fewer than 5 positives use `intervals.mover`.
    """
    require_share("level", level)
    f, pi = as_unit_interval("scores", scores), _probabilities(probability)
    drawn = np.asarray(labelled, dtype=bool)
    y = as_unit_interval("labels", np.where(drawn, labels, 0.0))
    size = require_same_length(labels=y, scores=f, labelled=drawn, probability=pi)
    n = int(drawn.sum())
    if n == 0:
        return TunedRate(undefined(0, level, "weighted + judge"), 0.0, float("inf"), 0.0)
    weight = drawn / pi
    human, judge = weight * y, f * (1 - weight)
    lam = _tune(human, judge) if judge_weight is None else float(judge_weight)
    phi = human + lam * judge
    raw, variance = float(phi.mean()), float(phi.var(ddof=1) / size) if size > 1 else 0.0
    estimate = korn_graubard(raw, variance, n, kish_size(weight[drawn]), level)
    method = "weighted + judge" if lam else "weighted"
    return TunedRate(replace(estimate, method=method), lam, variance**0.5, raw)


def _tune(human: Floats, judge: Floats) -> float:
    variance = float(judge.var(ddof=1)) if len(judge) > 1 else 0.0
    if variance == 0:
        return 0.0
    covariance = float(np.cov(human, judge)[0, 1])
    return float(np.clip(-covariance / variance, 0.0, 1.5))


def active_probabilities(
    scores: ArrayLike, budget: float, *, floor: float = 0.2, ceiling: float = 1.0
) -> Floats:
    """Probabilities that spend a label budget where the judge doubts: pi ~ sqrt(f (1 - f)).

    scores   [traces] judge score in [0, 1]
    budget   expected number of labels; at most ceiling x traces
    floor    share of the budget spread evenly, so that every trace can be drawn
    Returns [traces] in (0, ceiling], adding up to the budget.
    """
    f = as_unit_interval("scores", scores)
    require_share("floor", floor)
    if not 0 < budget <= ceiling * len(f) + 1e-9:
        raise ValueError(f"budget must lie in (0, {ceiling * len(f):g}], not {budget}")
    doubt = np.sqrt(np.clip(f * (1 - f), 1e-6, None))
    pi = np.minimum(budget * ((1 - floor) * doubt / doubt.sum() + floor / len(f)), ceiling)
    # What was cut at the ceiling goes back to the rest, until nothing is cut any more.
    while (gap := budget - float(pi.sum())) > 1e-6 and (free := pi < ceiling).any():
        pi[free] = np.minimum(pi[free] * (1 + gap / float(pi[free].sum())), ceiling)
    return np.asarray(pi, dtype=np.float64)
