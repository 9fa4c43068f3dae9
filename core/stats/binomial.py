"""Exact binomial certificates: "with 95 % confidence at most 2 % of these are defective".

Scores: higher is riskier; an item may pass without a person where score <= threshold. The
procedure is Learn-then-Test (Angelopoulos, Bates, Candes, Jordan & Lei 2021): thresholds are fixed
before any label is seen and tested from strict to lax, each by an exact binomial test, until one
fails; the error probability is split over a few looks declared in advance.

It assumes that calibration items are a random sample of the traffic they certify, independent, and
judged rightly. Every segment (prompt version x route) needs a certificate of its own.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import binom

from core.stats.inputs import (
    Floats,
    Ints,
    as_binary,
    as_floats,
    require_count,
    require_hits,
    require_same_length,
    require_share,
)
from core.stats.intervals import upper_limit


def exceedance_p(k: int, n: int, limit: float) -> float:
    """p-value of "the rate is above `limit`" after k defects in n: small certifies. Exact.

    At most delta exactly where `upper_limit(k, n, delta) <= limit`. k must be a count: a rate
    times n, rounded up, adds a defect by float error.
    """
    k, n = require_hits(k, n)
    return float(binom.cdf(k, n, require_share("limit", limit)))


def labels_needed(defects: int, limit: float, delta: float) -> int:
    """Smallest n at which this many defects still certify rate <= limit at 1 - delta."""
    k = require_count("defects", defects)
    require_share("delta", delta)
    low = high = k + 1
    while exceedance_p(k, high, limit) > delta:
        low, high = high + 1, high * 2
    while low < high:
        middle = (low + high) // 2
        certified = exceedance_p(k, middle, limit) <= delta
        low, high = (low, middle) if certified else (middle + 1, high)
    return low


def defects_allowed(n: int, limit: float, delta: float) -> int:
    """Most defects in n that still certify; -1 where n is too small even without any."""
    require_share("limit", limit)
    k = int(binom.ppf(require_share("delta", delta), require_count("n", n), limit)) + 1
    while k >= 0 and binom.cdf(k, n, limit) > delta:
        k -= 1
    return k


def certify_power(n: int, true_rate: float, limit: float, delta: float) -> float:
    """Probability that n labels certify `limit` when the rate really is `true_rate`."""
    allowed = defects_allowed(n, limit, delta)
    return float(binom.cdf(allowed, n, require_share("true_rate", true_rate)))


def labels_for_power(
    true_rate: float, limit: float, delta: float = 0.05, power: float = 0.8
) -> int:
    """Smallest n from which on the chance to certify stays at least `power`.

    Power is a saw-tooth in n (it drops wherever n grows without allowing a further defect), so
    the search goes on well past the first n that reaches it. Raises ValueError unless
    true_rate < limit: nothing certifies then.
    """
    require_share("power", power)
    if not true_rate < limit:
        raise ValueError(f"true_rate ({true_rate}) must be below limit ({limit})")
    n, last_short, safe_from = labels_needed(0, limit, delta), 0, 0
    while not (safe_from and n >= safe_from + max(400, safe_from // 4)):
        if certify_power(n, true_rate, limit, delta) < power:
            last_short, safe_from = n, 0
        elif not safe_from:
            safe_from = n
        n += 1
    return last_short + 1


def corrected_rate(observed: float, sensitivity: float, specificity: float = 1.0) -> float:
    """The rate behind one measured by imperfect reviewers (Rogan & Gladen 1978), in [0, 1].

    2 % measured by reviewers who see 80 % of defects is 2.5 % true. Raises ValueError where the
    reviewers are no better than chance.
    """
    informed = sensitivity + specificity - 1.0
    if informed <= 0:
        raise ValueError("sensitivity + specificity must be above 1")
    return min(1.0, max(0.0, (observed + specificity - 1.0) / informed))


@dataclass(frozen=True, slots=True)
class LookPlan:
    """When the labels are looked at, and what share of delta each look may spend.

    Declared before the first label; a look more, or elsewhere, voids the guarantee.
    """

    looks: tuple[int, ...] = (500, 1000, 2000, 4000)
    spend: tuple[float, ...] = (0.1, 0.2, 0.3, 0.4)

    def __post_init__(self) -> None:
        if len(self.looks) != len(self.spend) or not self.looks:
            raise ValueError("looks and spend must have the same length, at least 1")
        if list(self.looks) != sorted(set(self.looks)) or self.looks[0] < 1:
            raise ValueError("looks must be rising label counts")
        if min(self.spend) <= 0 or sum(self.spend) > 1 + 1e-12:
            raise ValueError("spend must be positive shares that add up to at most 1")

    def reached(self, n_labels: int) -> int:
        """How many looks are due with so many labels."""
        return sum(look <= n_labels for look in self.looks)

    def next_look(self, n_labels: int) -> int | None:
        """The label count of the next look, None after the last."""
        return next((look for look in self.looks if look > n_labels), None)


@dataclass(frozen=True, slots=True)
class Certificate:
    """What was proved.

    threshold  largest score that may pass without a person; None: nothing may
    n, k       calibration items at or below it, and defects among them
    upper      upper limit of their defect rate at the delta spent
    limit      the rate that was to be certified
    delta      error probability that this look was allowed
    look       which look of the plan certified (0 is the first); -1: none did
    """

    threshold: float | None
    n: int
    k: int
    upper: float
    limit: float
    delta: float
    look: int = -1

    @property
    def certifies(self) -> bool:
        """May anything pass without a person?"""
        return self.threshold is not None

    def allows(self, score: float) -> bool:
        """May an item with this risk score pass without a person?"""
        return self.threshold is not None and score <= self.threshold

    def to_json(self) -> dict[str, Any]:
        """A dictionary that `json.dumps` takes."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """The inverse of `to_json`. Raises TypeError on unknown or missing keys."""
        return cls(**data)


def threshold_grid(
    traffic: ArrayLike,
    n_labels: int,
    limit: float,
    delta: float,
    *,
    step: float = 0.02,
    top: float = 0.98,
) -> Floats:
    """Candidate thresholds, strictest first: quantiles of OTHER, unlabelled traffic.

    Never of the calibration items, so that the order is fixed before a label is seen. It starts
    where about 2.5 times the smallest certifying sample is expected, never below the 20 %
    quantile: with fewer items one unlucky defect ends the walk at its first step.
    """
    scores = as_floats("traffic", traffic)
    require_count("n_labels", n_labels, 1)
    if not len(scores):
        raise ValueError("traffic is empty: thresholds need unlabelled scores")
    start = min(0.9, max(0.2, 2.5 * labels_needed(0, limit, delta) / n_labels))
    quantiles = np.arange(start, top + 1e-9, step)
    return np.unique(np.quantile(scores, quantiles))


def fixed_sequence(
    scores: ArrayLike, defects: ArrayLike, grid: Floats, limit: float, delta: float
) -> Certificate:
    """Test the thresholds in their order, stop at the first that fails; no correction is needed.

    scores, defects  [labels] risk score and verdict (1 = defective) of the calibration items
    grid             rising thresholds from `threshold_grid`
    """
    risk, bad = as_floats("scores", scores), as_binary("defects", defects)
    require_same_length(scores=risk, defects=bad)
    n, k = _counts(risk, bad, grid)
    p = binom.cdf(k, np.maximum(n, 1), require_share("limit", limit))
    passed = (n > 0) & (p <= require_share("delta", delta))
    last = (len(passed) if passed.all() else int(np.argmin(passed))) - 1
    if last < 0:
        return Certificate(None, 0, 0, 1.0, limit, delta)
    n_last, k_last = int(n[last]), int(k[last])
    upper = upper_limit(k_last, n_last, delta)
    return Certificate(float(grid[last]), n_last, k_last, upper, limit, delta)


def _counts(scores: Floats, defects: Ints, grid: Floats) -> tuple[Ints, Ints]:
    order = np.argsort(scores, kind="stable")
    running = np.concatenate([[0], np.cumsum(defects[order])])
    n = np.searchsorted(scores[order], grid, side="right")
    return n, running[n]


def certify(
    scores: ArrayLike,
    defects: ArrayLike,
    traffic: ArrayLike,
    *,
    limit: float = 0.02,
    delta: float = 0.05,
    plan: LookPlan | None = None,
) -> Certificate:
    """The laxest threshold certified by any look that is due (union bound over the looks).

    scores, defects  [labels] in SAMPLING order: look i reads the first looks[i] of them
    traffic          unlabelled scores of the same segment, other items than the labelled
    Raises ValueError on unequal lengths or an empty traffic sample.
    """
    plan = plan or LookPlan()
    risk, bad = as_floats("scores", scores), as_binary("defects", defects)
    require_same_length(scores=risk, defects=bad)
    best = Certificate(None, 0, 0, 1.0, limit, delta)
    for look in range(plan.reached(len(risk))):
        n, spent = plan.looks[look], delta * plan.spend[look]
        grid = threshold_grid(traffic, n, limit, spent)
        found = fixed_sequence(risk[:n], bad[:n], grid, limit, spent)
        if found.threshold is not None and not best.allows(found.threshold):
            best = Certificate(**{**found.to_json(), "look": look})
    return best
