"""Agreement among coders: Krippendorff alpha, Fleiss kappa, Gwet AC1 and AC2, positive agreement.

Every coefficient is a function of the unit x value count matrix. Units with the same counts are
merged (`counts`), and the bootstrap, which resamples UNITS and never single labels, is a
multinomial over the distinct rows. Two coders: `coders`; label sets: `sets`.

A unit with a single label holds no pair: alpha and the agreement shares drop it; Fleiss and Gwet
keep it in the marginals, as Gwet (2014) does. A coefficient that divides by zero (nobody ever
varied) is NaN here; an `Estimate` says None.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike

from core.stats.counts import CountTable
from core.stats.inputs import Floats, require_share
from core.stats.intervals import Estimate

# (counts [patterns, values], weights [draws, patterns]) -> coefficient [draws]
Coefficient = Callable[[Floats, Floats], Floats]
# counts per value -> squared differences [values, values]
Distance = Callable[[Floats], Floats]

BLOCK_CELLS = 4_000_000  # draws x patterns held in memory at once: 32 MB


def nominal(marginals: Floats) -> Floats:
    """Squared difference 0 for equal values, 1 for different ones."""
    return 1.0 - np.eye(len(marginals))


def ordinal(marginals: Floats) -> Floats:
    """Krippendorff's ordinal difference between ranks; it depends on the observed counts."""
    edge = np.concatenate([[0.0], np.cumsum(marginals)])
    middle = (edge[1:] + edge[:-1]) / 2
    return np.asarray((middle[:, None] - middle[None, :]) ** 2)


def fixed(matrix: ArrayLike) -> Distance:
    """A distance that does not depend on the counts: the matrix [values, values] itself."""
    array = np.asarray(matrix, dtype=np.float64)
    return lambda marginals: array


def interval(values: Sequence[float]) -> Distance:
    """Squared difference of the numbers that the codes 0, 1, 2... stand for."""
    array = np.asarray(values, dtype=np.float64)
    return fixed((array[:, None] - array[None, :]) ** 2)


def alpha(distance: Distance = nominal) -> Coefficient:
    """Krippendorff's alpha (2011) as a coefficient, for `evaluate` and `estimate`."""

    def coefficient(counts: Floats, weights: Floats) -> Floats:
        pairs = counts.sum(axis=1) >= 2
        kept, drawn = counts[pairs], weights[:, pairs]
        marginals = drawn @ kept
        if distance is ordinal:
            rows = [
                _alpha(kept, w[None], m[None], ordinal(m))
                for w, m in zip(drawn, marginals, strict=True)
            ]
            return np.concatenate(rows) if rows else np.zeros(0)
        return _alpha(kept, drawn, marginals, distance(counts.sum(axis=0)))

    return coefficient


def _alpha(counts: Floats, weights: Floats, marginals: Floats, squares: Floats) -> Floats:
    n = marginals.sum(axis=1)
    # sum over pairs within a unit, each unit divided by its labels minus one
    inside = np.einsum("pv,pv->p", counts @ squares, counts) / (counts.sum(axis=1) - 1)
    across = np.einsum("rv,rv->r", marginals @ squares, marginals)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = 1.0 - (weights @ inside) * (n - 1) / across
    return np.where(across > 0, value, np.nan)


def _agreement(counts: Floats, weights: Floats, credit: Floats | None = None) -> Floats:
    pairs = counts.sum(axis=1) >= 2
    kept, drawn = counts[pairs], weights[:, pairs]
    m = kept.sum(axis=1)
    credited = kept if credit is None else kept @ credit
    share = (kept * (credited - 1)).sum(axis=1) / (m * (m - 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(drawn @ share / drawn.sum(axis=1))


def _marginals(counts: Floats, weights: Floats) -> Floats:
    shares = counts / counts.sum(axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(weights @ shares / weights.sum(axis=1, keepdims=True))


def _chance_corrected(observed: Floats, expected: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        value = (observed - expected) / (1.0 - expected)
    return np.where(expected < 1.0, value, np.nan)


def percent(counts: Floats, weights: Floats) -> Floats:
    """Coefficient: share of agreeing pairs, each unit with two or more labels counting once."""
    return _agreement(counts, weights)


def fleiss(counts: Floats, weights: Floats) -> Floats:
    """Coefficient: Fleiss' kappa (1971), generalised to unequal numbers of labels."""
    expected = (_marginals(counts, weights) ** 2).sum(axis=1)
    return _chance_corrected(_agreement(counts, weights), expected)


def gwet(categories: int, credit: ArrayLike | None = None) -> Coefficient:
    """Gwet's AC1, or AC2 with partial credit (Gwet 2008, 2014), as a coefficient.

    categories  number of POSSIBLE categories: it changes the value, so it must be stated
    credit      [values, values] agreement credit in [0, 1], 1 on the diagonal; None is AC1
    Raises ValueError for fewer than two categories or a credit matrix of another size.
    """
    if categories < 2:
        raise ValueError(f"categories must be at least 2, not {categories}")
    matrix = np.eye(categories) if credit is None else np.asarray(credit, dtype=np.float64)
    if matrix.shape != (categories, categories):
        raise ValueError(f"credit must be {categories} x {categories}, not {matrix.shape}")

    def coefficient(counts: Floats, weights: Floats) -> Floats:
        used = counts.shape[1]
        if used > categories:
            raise ValueError(f"categories ({categories}) are fewer than the values used ({used})")
        pi = _marginals(counts, weights)
        chance = (pi * (1 - pi)).sum(axis=1) * matrix.sum() / (categories * (categories - 1))
        return _chance_corrected(_agreement(counts, weights, matrix[:used, :used]), chance)

    return coefficient


def credit_matrix(values: Sequence[float], power: float = 2.0) -> Floats:
    """Partial credit 1 - (|a - b| / range)^power: 2 is quadratic, 1 linear. For `gwet`."""
    array = np.asarray(values, dtype=np.float64)
    span = float(np.ptp(array))
    if span == 0:
        raise ValueError("values must hold at least two different numbers")
    return np.asarray(1.0 - (np.abs(array[:, None] - array[None, :]) / span) ** power)


def positive(code: int = 1) -> Coefficient:
    """Positive agreement (Spitzer & Fleiss 1974; Cicchetti & Feinstein 1990) as a coefficient.

    Given that one coder says `code`, how often does another one: 2a / (2a + b + c) for two.
    """

    def coefficient(counts: Floats, weights: Floats) -> Floats:
        pairs = counts.sum(axis=1) >= 2
        kept, drawn = counts[pairs], weights[:, pairs]
        k = kept[:, code]
        joint, given = drawn @ (k * (k - 1) / (kept.sum(axis=1) - 1)), drawn @ k
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(given > 0, joint / given, np.nan)

    return coefficient


def evaluate(table: CountTable, coefficient: Coefficient) -> float:
    """The coefficient on the whole table; NaN where it is undefined."""
    if table.n_units == 0:
        return float("nan")
    return float(coefficient(table.counts, table.weight[None, :])[0])


def bootstrap(
    table: CountTable,
    coefficient: Coefficient,
    *,
    level: float = 0.95,
    reps: int = 1000,
    seed: int = 0,
) -> tuple[float, float] | None:
    """Percentile interval over resampled units; None where no resample has a value.

    Rough below some 30 units. Resamples without variation, where the coefficient is undefined,
    are left out. The same seed gives the same interval.
    """
    require_share("level", level)
    if table.n_units == 0:
        return None
    draws = [coefficient(table.counts, block) for block in _resamples(table, reps, seed)]
    values = np.concatenate(draws)
    values = values[~np.isnan(values)]
    if not len(values):
        return None
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _resamples(table: CountTable, reps: int, seed: int) -> Iterator[Floats]:
    rng = np.random.default_rng(seed)
    n = table.n_units
    step = max(1, BLOCK_CELLS // len(table.weight))
    for start in range(0, reps, step):
        size = min(step, reps - start)
        yield rng.multinomial(n, table.weight / n, size=size).astype(np.float64)


def estimate(
    table: CountTable,
    coefficient: Coefficient,
    method: str,
    *,
    level: float = 0.95,
    reps: int = 1000,
    seed: int = 0,
) -> Estimate:
    """The coefficient with its bootstrap interval; `n` counts the units with a pair."""
    n = table.pairable().n_units
    value = evaluate(table, coefficient)
    limits = bootstrap(table, coefficient, level=level, reps=reps, seed=seed)
    if np.isnan(value) or limits is None:
        return Estimate(None, None, None, n, level, method)
    return Estimate(value, limits[0], limits[1], n, level, method)


def krippendorff_alpha(table: CountTable, distance: Distance = nominal) -> float:
    """Krippendorff's alpha (2011): 1 is perfect, 0 is chance, below 0 is systematic conflict."""
    return evaluate(table, alpha(distance))
