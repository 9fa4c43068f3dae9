"""Two versions on the SAME cases: better, not worse, or not enough cases to say.

The unit is the case. Several samples of one case are averaged first (`sign_flip_p`); counting
samples as cases makes equal prompts look different.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.stats import binom, norm

from core.stats.inputs import Floats, as_floats, require_count, require_hits, require_share
from core.stats.intervals import Estimate, two_sided_z, undefined

Alternative = Literal["better", "worse", "different"]

EXACT_CASES = 14  # up to 2^14 sign patterns are enumerated, beyond that drawn
BLOCK_CELLS = 4_000_000


class Pairs(NamedTuple):
    """Paired outcomes: cases only the baseline passes, only the candidate passes, and all cases."""

    baseline_only: int
    candidate_only: int
    n: int

    @property
    def discordance(self) -> float:
        """Share of cases on which the two differ; 0 without cases."""
        return (self.baseline_only + self.candidate_only) / self.n if self.n else 0.0


def pair_outcomes(outcomes: Iterable[tuple[bool, bool]]) -> Pairs:
    """Count (baseline passed, candidate passed), one entry per case."""
    baseline = candidate = n = 0
    for was, now in outcomes:
        n += 1
        baseline += was and not now
        candidate += now and not was
    return Pairs(baseline, candidate, n)


def _require_pairs(pairs: Pairs) -> Pairs:
    b = require_count("baseline_only", pairs.baseline_only)
    c = require_count("candidate_only", pairs.candidate_only)
    require_hits(b + c, pairs.n, "baseline_only + candidate_only", "n")
    return pairs


def mcnemar_p(pairs: Pairs, alternative: Alternative = "better") -> float:
    """Exact McNemar test: a binomial test on the discordant cases (1.0 where there are none).

    "better" is one-sided: small p says that the candidate passes more cases.
    """
    b, c, _ = _require_pairs(pairs)
    if b + c == 0:
        return 1.0
    better, worse = binom.sf(c - 1, b + c, 0.5), binom.sf(b - 1, b + c, 0.5)
    if alternative == "different":
        return float(min(1.0, 2 * min(better, worse)))
    return float(better if alternative == "better" else worse)


def mcnemar_mid_p(pairs: Pairs) -> float:
    """Two-sided mid-p McNemar test (Fagerland, Lydersen & Laake 2013): less strict, not exact."""
    b, c, _ = _require_pairs(pairs)
    if b + c == 0:
        return 1.0
    fewer = min(b, c)
    p = 2 * binom.cdf(fewer, b + c, 0.5) - binom.pmf(fewer, b + c, 0.5)
    return float(min(1.0, p))


def _tango_z(pairs: Pairs, difference: float) -> float:
    b, c, n = pairs
    linear = -b - c + (2 * n - c + b) * difference
    constant = -b * difference * (1 - difference)
    root = math.sqrt(max(linear * linear - 8 * n * constant, 0.0))
    # the likelihood's best "baseline only" share when the difference is as stated
    share = (root - linear) / (4 * n)
    variance = n * (2 * share + difference * (1 - difference))
    excess = c - b - n * difference
    if variance > 1e-12:
        return excess / math.sqrt(variance)
    return 0.0 if abs(excess) < 1e-12 else math.copysign(math.inf, excess)


def tango(pairs: Pairs, level: float = 0.95) -> Estimate:
    """Difference of pass rates, candidate - baseline, with its score interval (Tango 1998).

    Undefined without cases. Asymptotic: at its margin it passes .043 to .064 instead of .05.
    """
    b, c, n = _require_pairs(pairs)
    z = two_sided_z(level)
    if n == 0:
        return undefined(0, level, "tango")
    value = (c - b) / n
    low, high = _tango_limit(pairs, value, -1.0, z), _tango_limit(pairs, value, 1.0, -z)
    return Estimate(value, low, high, n, level, "tango")


def _tango_limit(pairs: Pairs, value: float, end: float, z: float) -> float:
    edge = end * (1 - 1e-9)
    # Where even the far end is not refuted (all cases discordant one way), it is the limit.
    if abs(value) >= abs(edge) and value * end > 0:
        return end
    if (_tango_z(pairs, edge) - z) * (_tango_z(pairs, value) - z) >= 0:
        return end
    start, stop = sorted((edge, value))
    return float(brentq(lambda d: _tango_z(pairs, d) - z, start, stop))


@dataclass(frozen=True, slots=True)
class NonInferiority:
    """The answer to "is the candidate not worse than the baseline by more than `margin`?".

    outcome     "passed", "failed" (enough cases, and not shown), or "not enough cases"
    difference  candidate - baseline; its `low` is the one-sided limit that is compared
    needed      cases that would show it with 80 % power at the discordance seen
    """

    outcome: Literal["passed", "failed", "not enough cases"]
    difference: Estimate
    margin: float
    needed: int

    @property
    def passed(self) -> bool:
        """Was it shown?"""
        return self.outcome == "passed"

    def to_json(self) -> dict[str, Any]:
        """A dictionary that `json.dumps` takes."""
        return {
            "outcome": self.outcome,
            "difference": self.difference.to_json(),
            "margin": self.margin,
            "needed": self.needed,
        }


def non_inferior(pairs: Pairs, margin: float, alpha: float = 0.05) -> NonInferiority:
    """One-sided test at `alpha` that the candidate is worse by less than `margin`.

    The interval is the two-sided one at 1 - 2 alpha. The number of cases needed assumes at least
    the discordance of one more discordant case, since none seen does not mean none there.
    """
    require_share("margin", margin)
    if not 0 < alpha < 0.5:
        raise ValueError(f"alpha must lie between 0 and 0.5, not {alpha}")
    difference = tango(pairs, 1 - 2 * alpha)
    seen = (pairs.baseline_only + pairs.candidate_only + 1) / (pairs.n + 1)
    needed = cases_needed(seen, margin, alpha=alpha)
    if difference.low is not None and difference.low > -margin:
        return NonInferiority("passed", difference, margin, needed)
    outcome: Literal["failed", "not enough cases"] = (
        "failed" if pairs.n >= needed else "not enough cases"
    )
    return NonInferiority(outcome, difference, margin, needed)


def _require_plan(discordance: float, margin: float, difference: float) -> float:
    if not 0 < discordance <= 1:
        raise ValueError(f"discordance must lie in (0, 1], not {discordance}")
    if abs(difference) > discordance:
        raise ValueError("difference cannot be larger than discordance")
    if difference + margin <= 0:
        raise ValueError("difference + margin must be positive: there is nothing to show")
    return discordance - difference * difference


def cases_needed(
    discordance: float,
    margin: float,
    *,
    difference: float = 0.0,
    alpha: float = 0.05,
    power: float = 0.8,
) -> int:
    """Cases that show non-inferiority with this power (normal approximation, Lu & Bean 1995).

    discordance  expected share of cases on which the versions differ
    difference   true candidate - baseline; 0: equally good
    """
    variance = _require_plan(discordance, margin, difference)
    z = norm.ppf(1 - require_share("alpha", alpha)) + norm.ppf(require_share("power", power))
    return math.ceil(z * z * variance / (difference + margin) ** 2)


def non_inferiority_power(
    n: int, discordance: float, margin: float, *, difference: float = 0.0, alpha: float = 0.05
) -> float:
    """Chance that n cases show non-inferiority: the inverse of `cases_needed`."""
    variance = _require_plan(discordance, margin, difference)
    if variance == 0:
        return 1.0 if require_count("n", n) else 0.0
    reach = (difference + margin) * math.sqrt(require_count("n", n) / variance)
    return float(norm.cdf(reach - norm.ppf(1 - require_share("alpha", alpha))))


def sign_flip_p(differences: ArrayLike, *, reps: int = 10_000, seed: int = 0) -> float:
    """One-sided p-value that the mean per-case difference (candidate - baseline) is at most 0.

    differences  [cases], each the mean over the samples of its case
    Exact up to 14 cases that differ, beyond that by `reps` seeded draws (+1 rule, so never 0).
    """
    values = as_floats("differences", differences)
    values = values[values != 0]
    if not len(values):
        return 1.0
    seen = float(values.sum()) - 1e-12
    if len(values) <= EXACT_CASES:
        patterns = np.arange(2 ** len(values))[:, None] >> np.arange(len(values)) & 1
        return float(np.mean((patterns * 2 - 1) @ values >= seen))
    hits = sum(
        int((signs @ values >= seen).sum()) for signs in _sign_draws(len(values), reps, seed)
    )
    return (1 + hits) / (reps + 1)


def _sign_draws(cases: int, reps: int, seed: int) -> Iterator[Floats]:
    rng = np.random.default_rng(seed)
    step = max(1, BLOCK_CELLS // cases)
    for start in range(0, reps, step):
        shape = (min(step, reps - start), cases)
        yield rng.integers(0, 2, shape).astype(np.float64) * 2 - 1


def holm(p_values: ArrayLike) -> list[float]:
    """Adjusted p-values for several candidates (Holm 1979), in the order given."""
    p = as_floats("p_values", p_values)
    if p.size and (p.min() < 0 or p.max() > 1):
        raise ValueError("p_values must lie in [0, 1]")
    order = np.argsort(p, kind="stable")
    steps = np.minimum(p[order] * np.arange(len(p), 0, -1), 1.0)
    adjusted = np.empty(len(p))
    adjusted[order] = np.maximum.accumulate(steps)
    return [float(value) for value in adjusted]


def pass_at_k(n: int, passed: int, k: int) -> float:
    """Chance that one of k fresh samples passes, unbiased from `passed` of n (Chen et al. 2021)."""
    passed, n = require_hits(passed, n, "passed", "n")
    require_hits(k, n, "k", "n")
    return 1.0 - math.comb(n - passed, k) / math.comb(n, k)


def pass_all_k(n: int, passed: int, k: int) -> float:
    """Chance that all of k fresh samples pass, unbiased from `passed` of n (pass^k)."""
    passed, n = require_hits(passed, n, "passed", "n")
    require_hits(k, n, "k", "n")
    return math.comb(passed, k) / math.comb(n, k)
