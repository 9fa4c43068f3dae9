"""Agreement of two coders, and of every two of many."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array

from core.stats.inputs import Floats, as_binary, as_codes, require_same_length


def cohen_kappa(first: Sequence[Hashable], second: Sequence[Hashable]) -> float:
    """Cohen's kappa (1960) of two coders on the same units; NaN where both never vary.

    Raises ValueError where the sequences differ in length.
    """
    if len(first) != len(second):
        raise ValueError(f"first ({len(first)}) and second ({len(second)}) differ in length")
    if not first:
        return float("nan")
    code = {value: index for index, value in enumerate(dict.fromkeys([*first, *second]))}
    joint = np.zeros((len(code), len(code)))
    np.add.at(joint, ([code[v] for v in first], [code[v] for v in second]), 1.0 / len(first))
    expected = float(joint.sum(axis=1) @ joint.sum(axis=0))
    return float("nan") if expected >= 1.0 else float((np.trace(joint) - expected) / (1 - expected))


@dataclass(frozen=True, slots=True)
class CoderMatrix:
    """Every two coders on the units both labelled; all arrays are [coders, coders], symmetric.

    shared     units both labelled
    agreement  share of those with equal labels; NaN where they share none
    kappa      Cohen's kappa; NaN where neither ever varies
    joint      units both call positive
    """

    shared: Floats
    agreement: Floats
    kappa: Floats
    joint: Floats


def coder_matrix(coder: ArrayLike, unit: ArrayLike, label: ArrayLike, n_coders: int) -> CoderMatrix:
    """Yes/no agreement of every two coders, by sparse products.

    coder  [labels] codes 0..n_coders-1
    unit   [labels] whole numbers that name the unit; a coder labels a unit at most once
    label  [labels] 0 or 1
    Raises ValueError where a coder labelled a unit twice.
    """
    coders, units = as_codes("coder", coder, n_coders), as_codes("unit", unit)
    labels = as_binary("label", label)
    require_same_length(coder=coders, unit=units, label=labels)
    _, column = np.unique(units, return_inverse=True)
    shape = (n_coders, int(column.max(initial=-1)) + 1)
    given = csr_array((np.ones(len(coders)), (coders, column)), shape=shape)
    if given.max() > 1 if given.nnz else False:
        raise ValueError("a coder labelled a unit twice")
    yes = csr_array((labels.astype(np.float64), (coders, column)), shape=shape)
    shared = np.asarray((given @ given.T).toarray(), dtype=np.float64)
    joint = np.asarray((yes @ yes.T).toarray(), dtype=np.float64)
    first = np.asarray((yes @ given.T).toarray(), dtype=np.float64)
    return _compare(shared, joint, first)


def _compare(shared: Floats, joint: Floats, first: Floats) -> CoderMatrix:
    # first[i, j]: units shared with j that i calls positive; its transpose is j's count
    with np.errstate(divide="ignore", invalid="ignore"):
        agreement = (shared - first - first.T + 2 * joint) / shared
        p, q = first / shared, first.T / shared
        expected = p * q + (1 - p) * (1 - q)
        kappa = np.where(expected < 1, (agreement - expected) / (1 - expected), np.nan)
    return CoderMatrix(shared, agreement, kappa, joint)
