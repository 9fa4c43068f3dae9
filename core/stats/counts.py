"""Units x values, merged: a million labels become a few dozen rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.stats.inputs import Floats, Ints, as_codes, require_same_length


@dataclass(frozen=True, slots=True)
class CountTable:
    """Units x values, merged.

    counts  [patterns, values] how often each value was given in a unit of this pattern
    weight  [patterns] how many units have this pattern
    """

    counts: Floats
    weight: Floats

    @property
    def n_units(self) -> int:
        """Units with at least one label."""
        return int(self.weight.sum())

    @property
    def n_labels(self) -> int:
        """Labels in all."""
        return int(self.weight @ self.counts.sum(axis=1))

    def pairable(self) -> CountTable:
        """Only the units with two or more labels."""
        keep = self.counts.sum(axis=1) >= 2
        return CountTable(self.counts[keep], self.weight[keep])


def count_table(unit: ArrayLike, value: ArrayLike, n_values: int) -> CountTable:
    """Counts from long data: one entry per label.

    unit      [labels] whole numbers that name the unit, in any order, gaps allowed
    value     [labels] codes 0..n_values-1
    Raises ValueError on different lengths or a code out of range.
    """
    units, values = as_codes("unit", unit), as_codes("value", value, n_values)
    require_same_length(unit=units, value=values)
    _, row = np.unique(units, return_inverse=True)
    n_units = int(row.max()) + 1 if len(row) else 0
    signature = _signatures(row, values, n_units, n_values)
    _, first, weight = np.unique(signature, return_index=True, return_counts=True)
    slot = np.full(n_units, -1)
    slot[first] = np.arange(len(first))
    keep = slot[row] >= 0
    counts = np.zeros((len(first), n_values))
    np.add.at(counts, (slot[row[keep]], values[keep]), 1.0)
    return CountTable(counts, weight.astype(np.float64))


def _signatures(row: Ints, values: Ints, n_units: int, n_values: int) -> NDArray[np.uint64]:
    # One 64-bit sum of random keys per unit: equal counts give equal sums, and nothing of size
    # units x values is ever built.
    keys = np.random.default_rng(20240229).integers(1, 2**63, max(n_values, 1), dtype=np.uint64)
    signature = np.zeros(n_units, np.uint64)
    np.add.at(signature, row, keys[values])
    return signature


def from_rows(rows: Sequence[Sequence[float | None]]) -> tuple[CountTable, list[float]]:
    """A table from one row per coder, None where the coder gave nothing; and the sorted values."""
    values = sorted({cell for row in rows for cell in row if cell is not None})
    code = {value: index for index, value in enumerate(values)}
    cells = [
        (unit, code[cell]) for row in rows for unit, cell in enumerate(row) if cell is not None
    ]
    unit, value = np.array(cells, dtype=np.int64).reshape(-1, 2).T
    return count_table(unit, value, len(values)), values
