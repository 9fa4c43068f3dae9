"""Evidence that may be looked at after every item: e-processes, the audit detector, the canary.

All monitors are immutable values: `update` returns the next one, `to_json` / `from_json` put the
whole state into a JSON column. Sources: Waudby-Smith & Ramdas 2024 (betting); Shin, Ramdas &
Rinaldo 2024 (e-detectors); Turner, Ly & Grunwald 2024 (two-sample e-values).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, Self

import numpy as np
from scipy.stats import chi2

from core.stats.inputs import Floats, as_unit_interval, require_count, require_share

Verdict = Literal["rollback", "promote", "continue"]

# Fractions of the largest legal bet: a spread that serves every size of change.
BET_FRACTIONS = (0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9)


def fraction_bets(limit: float) -> tuple[float, ...]:
    """Bets against "mean <= limit" for outcomes anywhere in [0, 1]."""
    return tuple(fraction / require_share("limit", limit) for fraction in BET_FRACTIONS)


def rate_bets(limit: float, rates: Sequence[float]) -> tuple[float, ...]:
    """Bets against "rate <= limit" that grow fastest when the true rate is one of `rates`."""
    require_share("limit", limit)
    if not rates or not all(limit < rate <= 1 for rate in rates):
        raise ValueError(f"rates must lie above the limit ({limit}) and not above 1")
    return tuple((rate - limit) / (limit * (1 - limit)) for rate in rates)


def _require_bets(bets: tuple[float, ...], limit: float) -> None:
    require_share("limit", limit)
    if not bets or not all(0 <= bet * limit <= 1 + 1e-12 for bet in bets):
        raise ValueError("bets must lie between 0 and 1 / limit, and there must be one")


def _require_outcome(x: float) -> None:
    if not 0.0 <= x <= 1.0:
        raise ValueError(f"outcome must lie in [0, 1], not {x!r}")


def _log_mean(logs: Floats | tuple[float, ...]) -> float:
    return float(np.logaddexp.reduce(logs)) - math.log(len(logs))


@dataclass(frozen=True, slots=True)
class EProcess:
    """Wealth against "the mean given the past is at most `limit`".

    P(wealth ever reaches 1 / a) <= a while that holds, however often one looks.
    """

    limit: float
    bets: tuple[float, ...]
    logs: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        _require_bets(self.bets, self.limit)
        object.__setattr__(self, "logs", tuple(self.logs) or (0.0,) * len(self.bets))

    @property
    def log_evidence(self) -> float:
        """Log of the wealth, averaged over the bets."""
        return _log_mean(self.logs)

    def update(self, x: float) -> EProcess:
        """After one more outcome in [0, 1]."""
        _require_outcome(x)
        factors = np.maximum(np.array(self.bets) * (x - self.limit), -1 + 1e-15)
        return replace(self, logs=tuple((np.array(self.logs) + np.log1p(factors)).tolist()))


@dataclass(frozen=True, slots=True)
class EDetector:
    """Shiryaev-Roberts detector on audited items: has the rate gone above `limit`?

    limit      rate that was certified
    threshold  mean items to a false alarm is at least this; P(one within N items) <= N / it
    bets       from `rate_bets` (0/1 outcomes) or `fraction_bets`
    state      one number per bet
    seen, hits items so far and the sum of their outcomes
    """

    limit: float
    threshold: float
    bets: tuple[float, ...]
    state: tuple[float, ...] = ()
    seen: int = 0
    hits: float = 0.0

    def __post_init__(self) -> None:
        _require_bets(self.bets, self.limit)
        if self.threshold <= 1:
            raise ValueError(f"threshold must be above 1, not {self.threshold}")
        object.__setattr__(self, "bets", tuple(self.bets))
        object.__setattr__(self, "state", tuple(self.state) or (0.0,) * len(self.bets))

    @classmethod
    def for_audit(cls, limit: float, threshold: float = 20_000) -> Self:
        """Tuned for defect rates of 1.5, 2, 3 and 5 times the limit, as far as those exist."""
        rates = [limit * times for times in (1.5, 2.0, 3.0, 5.0) if limit * times <= 1]
        return cls(limit, threshold, rate_bets(limit, rates or [1.0]))

    @property
    def evidence(self) -> float:
        """What is compared with the threshold."""
        return float(np.mean(self.state))

    @property
    def alarmed(self) -> bool:
        """Has the evidence reached the threshold?"""
        return self.evidence >= self.threshold

    def update(self, x: float) -> EDetector:
        """After one more outcome in [0, 1] (1 = defective)."""
        _require_outcome(x)
        factor = np.maximum(1.0 + np.array(self.bets) * (x - self.limit), 0.0)
        state = tuple(((np.array(self.state) + 1.0) * factor).tolist())
        return replace(self, state=state, seen=self.seen + 1, hits=self.hits + float(x))

    def to_json(self) -> dict[str, Any]:
        """A dictionary that `json.dumps` takes."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """The inverse of `to_json`. Raises TypeError on unknown or missing keys."""
        return cls(**{**data, "bets": tuple(data["bets"]), "state": tuple(data["state"])})


def sample_ratio_p(n_canary: int, n_control: int, share: float) -> float:
    """p-value of a sample-ratio mismatch (chi-square, 1 degree of freedom).

    Below 0.001 the split is broken: mend it, do not read the result. 1.0 without any unit.
    """
    a, b = require_count("n_canary", n_canary), require_count("n_control", n_control)
    n, share = a + b, require_share("share", share)
    if n == 0:
        return 1.0
    expected = (n * share, n * (1 - share))
    statistic = (a - expected[0]) ** 2 / expected[0] + (b - expected[1]) ** 2 / expected[1]
    return float(chi2.sf(statistic, 1))


@dataclass(frozen=True, slots=True)
class Block:
    """Outcomes of the SAME period, one per sticky key, in [0, 1] (1 = failed)."""

    canary: tuple[float, ...]
    control: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class CanaryMonitor:
    """Is a canary worse than its control? Valid at every look, at every (swinging) base rate.

    For a guess q of the control rate made before the block, a bet k and a margin d,

        e = prod_canary(1 + k/na (y - q - d)) * prod_control(1 - k/nb (y - q))

    has mean at most exp(kx) exp(-kx) = 1 (x = control rate - q) whenever canary <= control + d.

    tolerate    roll back on evidence that canary > control + tolerate
    margin      promote on evidence that canary < control + margin
    alpha       P(roll back, ever) while the canary is within `tolerate` of its control
    beta        P(promote, ever) while it is worse by `margin` or more
    shifts      sizes of harm the roll-back evidence is spread over; `gains` likewise for promotion
    prior       control failures and units assumed before the first block, a weak guess
    log_up, log_down    the two mixtures; peak_up, peak_down: the most evidence so far, as log
    canary_n, canary_bad, control_n, control_bad    units and the sums of their outcomes
    """

    tolerate: float = 0.0
    margin: float = 0.02
    alpha: float = 0.01
    beta: float = 0.05
    shifts: tuple[float, ...] = (0.01, 0.02, 0.04, 0.08, 0.16)
    gains: tuple[float, ...] = (0.5, 1.0, 2.0)
    prior: tuple[float, float] = (0.5, 10.0)
    log_up: tuple[float, ...] = ()
    log_down: tuple[float, ...] = ()
    peak_up: float = 0.0
    peak_down: float = 0.0
    canary_n: int = 0
    canary_bad: float = 0.0
    control_n: int = 0
    control_bad: float = 0.0

    def __post_init__(self) -> None:
        require_share("alpha", self.alpha)
        require_share("beta", self.beta)
        require_share("margin", self.margin)
        if not 0 <= self.tolerate <= self.margin:
            raise ValueError(f"tolerate must lie between 0 and margin, not {self.tolerate}")
        if not all(size > 0 for size in (*self.shifts, *self.gains, *self.prior)):
            raise ValueError("shifts, gains and prior must be positive")
        for name in ("shifts", "gains", "prior"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        object.__setattr__(self, "log_up", tuple(self.log_up) or (0.0,) * len(self.shifts))
        object.__setattr__(self, "log_down", tuple(self.log_down) or (0.0,) * len(self.gains))

    @property
    def rollback_evidence(self) -> float:
        """Most evidence so far that the canary is worse: roll back from 1 / alpha on."""
        return math.exp(min(self.peak_up, 700.0))

    @property
    def promote_evidence(self) -> float:
        """Most evidence so far that it is not worse by `margin`: promote from 1 / beta on."""
        return math.exp(min(self.peak_down, 700.0))

    @property
    def verdict(self) -> Verdict:
        """Roll-back evidence goes first: it stands even if it came after enough to promote."""
        if self.peak_up >= -math.log(self.alpha):
            return "rollback"
        return "promote" if self.peak_down >= -math.log(self.beta) else "continue"

    @property
    def control_guess(self) -> float:
        """q: the control rate as known before the next block."""
        seen = self.prior[1] + self.control_n
        return min(max((self.prior[0] + self.control_bad) / seen, 0.002), 0.95)

    def update(self, block: Block) -> CanaryMonitor:
        """After one more block. Raises ValueError where an arm is empty or outside [0, 1]."""
        canary = as_unit_interval("canary", block.canary)
        control = as_unit_interval("control", block.control)
        if not len(canary) or not len(control):
            raise ValueError("a block needs at least one canary and one control outcome")
        up = np.array(self.log_up) + self._gain(canary, control, 1)
        down = np.array(self.log_down) + self._gain(canary, control, -1)
        return replace(
            self,
            log_up=tuple(up.tolist()),
            log_down=tuple(down.tolist()),
            peak_up=max(self.peak_up, _log_mean(up)),
            peak_down=max(self.peak_down, _log_mean(down)),
            canary_n=self.canary_n + len(canary),
            canary_bad=self.canary_bad + float(canary.sum()),
            control_n=self.control_n + len(control),
            control_bad=self.control_bad + float(control.sum()),
        )

    def _gain(self, canary: Floats, control: Floats, sign: int) -> Floats:
        q = self.control_guess
        margin = self.tolerate if sign > 0 else self.margin
        sizes = np.array(self.shifts) if sign > 0 else np.array(self.gains) * self.margin
        units = (len(canary), len(control))
        bets = sign * _bets(sizes, (q + margin, q), units, sign)[:, None]
        won = np.log1p(bets / len(canary) * (canary - q - margin)).sum(axis=1)
        paid = np.log1p(-bets / len(control) * (control - q)).sum(axis=1)
        return np.asarray(won + paid)

    def to_json(self) -> dict[str, Any]:
        """A dictionary that `json.dumps` takes."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """The inverse of `to_json`. Raises TypeError on unknown or missing keys."""
        fields: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in data.items()
        }
        return cls(**fields)


def _bets(sizes: Floats, rates: tuple[float, float], units: tuple[int, int], sign: int) -> Floats:
    (pa, pb), (na, nb) = rates, units
    spread_a = min(max(pa, 0.002), 0.98)
    variance = spread_a * (1 - spread_a) / na + pb * (1 - pb) / nb
    bets = sizes / (variance + sizes**2 / na)
    # Every factor must stay positive, also where q + margin goes beyond 1.
    if sign > 0:
        return np.minimum(bets, 0.95 * min(na / pa, nb / (1 - pb)))
    return np.minimum(bets, 0.95 * min(na / max(1 - pa, 0.02), nb / pb))
