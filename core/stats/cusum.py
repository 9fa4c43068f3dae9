"""Bernoulli CUSUM: notices that someone's error rate rose from p0 to p1.

Set by the number of items between false alarms, not by a magic limit: `cusum_limit`.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from typing import Any, Self

import numpy as np

from core.stats.inputs import require_share


def _steps(p0: float, p1: float) -> tuple[float, float]:
    return math.log(p1 / p0), math.log((1 - p1) / (1 - p0))


def _require_rise(p0: float, p1: float) -> None:
    if not require_share("p0", p0) < require_share("p1", p1):
        raise ValueError(f"p0 ({p0}) must be below p1 ({p1})")


@dataclass(frozen=True, slots=True)
class BernoulliCusum:
    """A chart as a value: `update` gives the next one (Page 1954; Reynolds & Stoumbos 1999).

    p0, p1  error rate that is fine, and the one to be noticed
    limit   alarm where `level` reaches it; see `cusum_limit`
    level   the log likelihood ratio since it last was 0
    seen    items so far
    """

    p0: float
    p1: float
    limit: float
    level: float = 0.0
    seen: int = 0

    def __post_init__(self) -> None:
        _require_rise(self.p0, self.p1)
        if self.limit <= 0:
            raise ValueError(f"limit must be positive, not {self.limit}")

    @property
    def alarmed(self) -> bool:
        """Has the chart reached its limit?"""
        return self.level >= self.limit

    def update(self, wrong: bool) -> BernoulliCusum:
        """The chart after one more item."""
        up, down = _steps(self.p0, self.p1)
        level = max(0.0, self.level + (up if wrong else down))
        return replace(self, level=level, seen=self.seen + 1)

    def to_json(self) -> dict[str, Any]:
        """A dictionary that `json.dumps` takes."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """The inverse of `to_json`. Raises TypeError on unknown or missing keys."""
        return cls(**data)


@lru_cache(maxsize=512)
def run_length(rate: float, p0: float, p1: float, limit: float, cells: int = 2000) -> float:
    """Mean number of items to an alarm from 0 at this true error rate.

    A Markov chain on a lattice of `cells` levels (Brook & Evans 1972).
    """
    _require_rise(p0, p1)
    require_share("rate", rate)
    lattice = np.arange(cells) * limit / cells
    chain = np.zeros((cells, cells))
    for step, probability in zip(_steps(p0, p1), (rate, 1 - rate), strict=True):
        level = np.maximum(lattice + step, 0.0)
        target = np.floor(level / limit * cells + 1e-9).astype(int)
        inside = target < cells
        np.add.at(chain, (np.flatnonzero(inside), target[inside]), probability)
    return float(np.linalg.solve(np.eye(cells) - chain, np.ones(cells))[0])


@lru_cache(maxsize=64)
def cusum_limit(p0: float, p1: float, between_alarms: float) -> float:
    """The limit at which false alarms come every `between_alarms` items on average.

    At the lattice's accuracy, about 1 %. Raises ValueError where no limit up to 15 suffices.
    """
    low, high = 0.5, 15.0
    if run_length(p0, p0, p1, high, 600) < between_alarms:
        raise ValueError(f"between_alarms ({between_alarms}) is beyond what a limit of 15 gives")
    for _ in range(30):
        middle = (low + high) / 2
        short = run_length(p0, p0, p1, middle, 600) < between_alarms
        low, high = (middle, high) if short else (low, middle)
    return high
