"""Agreement on label SETS: the MASI distance and alpha over it, for any number of labels."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from core.stats.agreement import alpha, estimate, fixed
from core.stats.counts import CountTable, count_table
from core.stats.inputs import Floats, Ints, as_codes, require_same_length, require_share
from core.stats.intervals import Estimate, undefined

SET_LIMIT = 400  # distinct sets up to which the whole distance matrix is built
CELL_LIMIT = 200_000  # patterns x sets up to which expected disagreement is resampled too
CHUNK = 512


def masi_distance(first: frozenset[Hashable], second: frozenset[Hashable]) -> float:
    """MASI distance of two sets (Passonneau 2006): 1 - Jaccard x monotonicity.

    Monotonicity is 1 for equal sets, 2/3 where one holds the other, 1/3 where they overlap, 0
    where they share nothing. Two empty sets agree: "no failure" is a verdict, not a gap.
    """
    if first == second:
        return 0.0
    both = len(first & second)
    if both == 0:
        return 1.0
    monotonicity = 2 / 3 if first <= second or second <= first else 1 / 3
    return 1.0 - both / len(first | second) * monotonicity


def _masi(both: Floats, size_a: Floats, size_b: Floats) -> Floats:
    union = size_a + size_b - both
    smaller = np.minimum(size_a, size_b)
    monotonicity = np.where(both == smaller, 2 / 3, 1 / 3)
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = 1.0 - both / union * monotonicity
    distance = np.where(both == 0, 1.0, distance)
    return np.where(union == both, 0.0, distance)


def membership(sets: Sequence[frozenset[Hashable]]) -> Floats:
    """[sets, labels] 1 where the set holds the label; labels in order of first appearance."""
    labels: dict[Hashable, int] = {}
    for labelled in sets:
        for label in labelled:
            labels.setdefault(label, len(labels))
    matrix = np.zeros((len(sets), max(len(labels), 1)))
    for row, labelled in enumerate(sets):
        matrix[row, [labels[label] for label in labelled]] = 1.0
    return matrix


def masi_matrix(rows: Floats, columns: Floats) -> Floats:
    """[rows, columns] MASI distances between two `membership` matrices."""
    return _masi(rows @ columns.T, rows.sum(axis=1)[:, None], columns.sum(axis=1)[None, :])


def masi_alpha(
    unit: ArrayLike,
    value: ArrayLike,
    sets: Sequence[frozenset[Hashable]],
    *,
    level: float = 0.95,
    reps: int = 1000,
    seed: int = 0,
) -> Estimate:
    """Krippendorff's alpha over label sets with a bootstrap interval over units.

    unit   [labels] whole numbers that name the unit
    value  [labels] index into `sets`
    sets   the distinct sets
    With many distinct sets and patterns the value stays exact, and the interval holds the
    expected disagreement fixed (its sampling error is second order with that many units).
    """
    require_share("level", level)
    units, values = as_codes("unit", unit), as_codes("value", value, len(sets))
    require_same_length(unit=units, value=values)
    members = membership(sets)
    if len(sets) <= SET_LIMIT:
        table = count_table(units, values, len(sets))
        if table.counts.size <= CELL_LIMIT:
            distance = alpha(fixed(masi_matrix(members, members)))
            return estimate(table, distance, "alpha masi", level=level, reps=reps, seed=seed)
    return _large_alpha(units, values, members, level=level, reps=reps, seed=seed)


def _large_alpha(
    units: Ints, values: Ints, members: Floats, *, level: float, reps: int, seed: int
) -> Estimate:
    observed, size, kept = _within_units(units, values, members)
    n = float(size.sum())
    expected = _expected(kept, members) / (n * (n - 1)) if n > 1 else 0.0
    if expected == 0:
        return undefined(len(size), level, "alpha masi")
    # Units with equal disagreement and size are interchangeable: merge them before resampling.
    key, weight = np.unique(np.stack([observed, size]), axis=1, return_counts=True)
    table = CountTable(np.ascontiguousarray(key.T), weight.astype(np.float64))

    def ratio(counts: Floats, weights: Floats) -> Floats:
        return 1.0 - (weights @ counts[:, 0]) / (weights @ counts[:, 1]) / expected

    # `estimate` counts labels per row to find pairs; these rows are not counts, so n is set here.
    found = estimate(table, ratio, "alpha masi", level=level, reps=reps, seed=seed)
    return Estimate(found.value, found.low, found.high, len(size), level, "alpha masi")


def _within_units(units: Ints, values: Ints, members: Floats) -> tuple[Floats, Floats, Ints]:
    order = np.argsort(units, kind="stable")
    ordered, codes = units[order], values[order]
    _, row, size = np.unique(ordered, return_inverse=True, return_counts=True)
    observed = np.zeros(len(size))
    for gap in range(1, int(size.max(initial=0))):
        left = np.flatnonzero(ordered[gap:] == ordered[:-gap])
        distance = _pair_distances(codes[left], codes[left + gap], members)
        np.add.at(observed, row[left], 2 * distance)
    pairs = size >= 2
    return observed[pairs] / (size[pairs] - 1), size[pairs].astype(np.float64), codes[pairs[row]]


def _pair_distances(first: Ints, second: Ints, members: Floats) -> Floats:
    # Few of the many pairs are distinct: each distance is computed once.
    code, back = np.unique(first * len(members) + second, return_inverse=True)
    a, b = members[code // len(members)], members[code % len(members)]
    return _masi((a * b).sum(axis=1), a.sum(axis=1), b.sum(axis=1))[back]


def _expected(codes: Ints, members: Floats) -> float:
    value, count = np.unique(codes, return_counts=True)
    total = 0.0
    for start in range(0, len(value), CHUNK):
        part = slice(start, start + CHUNK)
        total += float(count[part] @ masi_matrix(members[value[part]], members[value]) @ count)
    return total
