"""Array types and the checks that turn bad input into a sentence naming the argument."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


def require_share(name: str, value: float) -> float:
    """A number strictly between 0 and 1 (a level, an error probability, a limit)."""
    if not 0.0 < value < 1.0:
        raise ValueError(f"{name} must lie strictly between 0 and 1, not {value!r}")
    return float(value)


def require_count(name: str, value: int, minimum: int = 0) -> int:
    """A whole number of at least `minimum`; a float that is not whole is refused, not rounded."""
    if value != int(value) or value < minimum:
        raise ValueError(f"{name} must be a whole number of at least {minimum}, not {value!r}")
    return int(value)


def require_hits(k: int, n: int, k_name: str = "k", n_name: str = "n") -> tuple[int, int]:
    """`k` successes of `n` trials: whole numbers with 0 <= k <= n."""
    n = require_count(n_name, n)
    k = require_count(k_name, k)
    if k > n:
        raise ValueError(f"{k_name} ({k}) cannot be larger than {n_name} ({n})")
    return k, n


def as_floats(name: str, values: ArrayLike) -> Floats:
    """A one-dimensional float array without NaN or infinity."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise ValueError(f"{name} must be one-dimensional, not of shape {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must hold finite numbers only")
    return array


def as_unit_interval(name: str, values: ArrayLike) -> Floats:
    """A one-dimensional float array with every value in [0, 1]."""
    array = as_floats(name, values)
    if array.size and (array.min() < 0.0 or array.max() > 1.0):
        raise ValueError(f"{name} must lie in [0, 1]")
    return array


def as_binary(name: str, values: ArrayLike) -> Ints:
    """A one-dimensional array of 0 and 1 (booleans are taken as such)."""
    array = as_floats(name, values)
    if not np.isin(array, (0.0, 1.0)).all():
        raise ValueError(f"{name} must hold 0 and 1 only")
    return array.astype(np.int64)


def as_codes(name: str, values: ArrayLike, size: int | None = None) -> Ints:
    """A one-dimensional array of whole numbers 0..size-1 (any non-negative where size is None)."""
    array = np.asarray(values)
    if array.ndim != 1:
        raise ValueError(f"{name} must be one-dimensional, not of shape {array.shape}")
    if array.size and not np.issubdtype(array.dtype, np.integer):
        raise ValueError(f"{name} must hold whole numbers")
    if array.size and (array.min() < 0 or (size is not None and array.max() >= size)):
        raise ValueError(f"{name} must lie in 0..{'' if size is None else size - 1}")
    return array.astype(np.int64)


def require_same_length(**arrays: Floats | Ints | Bools) -> int:
    """The common length of the named arrays."""
    sizes = {name: len(array) for name, array in arrays.items()}
    if len(set(sizes.values())) > 1:
        raise ValueError(f"arrays differ in length: {sizes}")
    return next(iter(sizes.values()))


def sums(code: Ints, weight: Floats | Ints, size: int) -> Floats:
    """[size] sum of the weights of each code."""
    return np.bincount(code, weight, size).astype(np.float64)
