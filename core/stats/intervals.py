"""Estimates with intervals: the one shape in which a rate or coefficient leaves this package."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple, Self

from scipy.stats import beta, norm

from core.stats.inputs import require_count, require_hits, require_share


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its interval.

    value   the estimate; None where it is undefined or not shown
    low     lower limit of the two-sided interval, None where there is none
    high    upper limit
    n       independent units that were really looked at (items, cases, traces; never votes)
    level   confidence level of the interval, e.g. 0.95
    method  how it was computed, for the tooltip
    n_eff   effective sample size where units carry unequal weight, else None
    """

    value: float | None
    low: float | None
    high: float | None
    n: int
    level: float
    method: str
    n_eff: float | None = None

    @property
    def is_shown(self) -> bool:
        """Is there a number to show?"""
        return self.value is not None

    @property
    def support(self) -> float:
        """Units that carry the estimate: the smaller of `n` and `n_eff`."""
        return float(self.n if self.n_eff is None else min(self.n, self.n_eff))

    def shown(self, minimum_n: float) -> Estimate:
        """Itself, or the same without numbers where fewer than `minimum_n` units carry it.

        n and n_eff stay, so that a page can say "3 of 10 needed" instead of a number.
        """
        if self.support >= minimum_n:
            return self
        return replace(self, value=None, low=None, high=None)

    def to_json(self) -> dict[str, Any]:
        """A dictionary that `json.dumps` takes."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """The inverse of `to_json`. Raises TypeError on unknown or missing keys."""
        return cls(**data)


class Stratum(NamedTuple):
    """Part of a population: its size, how many were drawn from it at random, hits among those."""

    population: int
    labelled: int
    hits: int


def undefined(n: int, level: float, method: str) -> Estimate:
    """An estimate without a number: nothing was looked at, or the formula divides by zero."""
    return Estimate(None, None, None, n, level, method)


def two_sided_z(level: float) -> float:
    """The normal quantile of a two-sided interval: 1.96 for 0.95."""
    return float(norm.ppf(0.5 + require_share("level", level) / 2))


def upper_limit(k: float, n: float, delta: float) -> float:
    """One-sided Clopper-Pearson limit: P(rate <= limit) >= 1 - delta. Takes fractional counts."""
    if n <= 0 or k >= n:
        return 1.0
    return float(beta.ppf(1.0 - delta, k + 1, n - k))


def lower_limit(k: float, n: float, delta: float) -> float:
    """One-sided Clopper-Pearson limit: P(rate >= limit) >= 1 - delta. Takes fractional counts."""
    if n <= 0 or k <= 0:
        return 0.0
    return float(beta.ppf(delta, k, n - k + 1))


def wilson(k: int, n: int, level: float = 0.95) -> Estimate:
    """Score interval of k hits in n (Wilson 1927): the default for a plain share.

    Undefined for n = 0. Raises ValueError unless 0 <= k <= n.
    """
    k, n = require_hits(k, n)
    z = two_sided_z(level)
    if n == 0:
        return undefined(n, level, "wilson")
    low, high = _wilson_limits(k, n, z)
    return Estimate(k / n, low, high, n, level, "wilson")


def _wilson_limits(k: int, n: int, z: float) -> tuple[float, float]:
    p = k / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    # At the borders the formula is exact in theory and off by one ulp in floats.
    low = 0.0 if k == 0 else min(centre - half, p)
    high = 1.0 if k == n else max(centre + half, p)
    return low, high


def clopper_pearson(k: int, n: int, level: float = 0.95) -> Estimate:
    """Exact interval of k hits in n (Clopper & Pearson 1934): covers at least `level`.

    Undefined for n = 0. Raises ValueError unless 0 <= k <= n.
    """
    k, n = require_hits(k, n)
    delta = 1.0 - require_share("level", level)
    if n == 0:
        return undefined(n, level, "clopper-pearson")
    low, high = lower_limit(k, n, delta / 2), upper_limit(k, n, delta / 2)
    return Estimate(k / n, low, high, n, level, "clopper-pearson")


def korn_graubard(
    value: float, variance: float, n: int, kish_n: float, level: float = 0.95
) -> Estimate:
    """Clopper-Pearson on the effective sample size (Korn & Graubard 1998), for weighted rates.

    value     the weighted rate; clipped to [0, 1], which a rate must lie in
    variance  its estimated variance
    n         units looked at
    kish_n    (sum w)^2 / sum w^2: the effective size used at 0 and 1, where variance says nothing
    """
    delta = 1.0 - require_share("level", level)
    if n == 0:
        return undefined(n, level, "korn-graubard")
    p = min(max(value, 0.0), 1.0)
    n_eff = p * (1 - p) / variance if variance > 0 and 0 < p < 1 else kish_n
    k = p * n_eff
    low, high = lower_limit(k, n_eff, delta / 2), upper_limit(k, n_eff, delta / 2)
    return Estimate(p, min(low, p), max(high, p), n, level, "korn-graubard", n_eff)


def mover(strata: Sequence[Stratum], level: float = 0.95) -> Estimate:
    """Stratified rate by the method of variance estimates recovery (Zou & Donner 2008).

    Exact limits per stratum are combined, so a large stratum with no hit still widens the
    interval: the one to use when fewer than 5 positives were audited. A stratum that was
    labelled completely carries no sampling error. Raises ValueError on a stratum that has
    population but no label.
    """
    delta = 1.0 - require_share("level", level)
    n = sum(stratum.labelled for stratum in strata)
    total = sum(stratum.population for stratum in strata)
    if total == 0:
        return undefined(0, level, "mover")
    value = below = above = 0.0
    for stratum in strata:
        share, rate, low, high = _stratum_terms(stratum, total, delta)
        value += share * rate
        below += (share * (rate - low)) ** 2
        above += (share * (high - rate)) ** 2
    return Estimate(
        value, max(value - below**0.5, 0.0), min(value + above**0.5, 1.0), n, level, "mover"
    )


def _stratum_terms(stratum: Stratum, total: int, delta: float) -> tuple[float, float, float, float]:
    size = require_count("population", stratum.population)
    k, n = require_hits(stratum.hits, stratum.labelled, "hits", "labelled")
    if n > size:
        raise ValueError(f"labelled ({n}) cannot be larger than population ({size})")
    if size == 0:
        return 0.0, 0.0, 0.0, 0.0
    if n == 0:
        raise ValueError("labelled is 0 in a stratum with traffic: its rate cannot be estimated")
    rate = k / n
    if n == size:
        return size / total, rate, rate, rate
    return size / total, rate, lower_limit(k, n, delta / 2), upper_limit(k, n, delta / 2)


def newcombe(k1: int, n1: int, k2: int, n2: int, level: float = 0.95) -> Estimate:
    """Difference k1/n1 - k2/n2 of independent groups (Newcombe 1998, method 10).

    For the same cases judged twice use `core.stats.paired.tango`. Undefined where a group is
    empty; `n` is the smaller group.
    """
    k1, n1 = require_hits(k1, n1, "k1", "n1")
    k2, n2 = require_hits(k2, n2, "k2", "n2")
    z = two_sided_z(level)
    if min(n1, n2) == 0:
        return undefined(0, level, "newcombe")
    p1, p2 = k1 / n1, k2 / n2
    low1, high1 = _wilson_limits(k1, n1, z)
    low2, high2 = _wilson_limits(k2, n2, z)
    low = p1 - p2 - math.hypot(p1 - low1, high2 - p2)
    high = p1 - p2 + math.hypot(high1 - p1, p2 - low2)
    return Estimate(p1 - p2, low, high, min(n1, n2), level, "newcombe")
