"""From paired outcomes to a verdict. Pure: no row is read and no model asked.

Better on the target mode: exact one-sided McNemar test. Not worse overall: Tango's lower limit
above -MARGIN. All of it must hold, so nothing is corrected for there being several tests.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from core.stats import paired
from core.stats.paired import NonInferiority, Pairs
from registry.models.gate import GateState

MARGIN: Final = 0.05
ALPHA: Final = 0.05
MOST_LEFT_OUT: Final = 0.2
"""Share of cases without a comparison from which on the others no longer speak for all."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How both versions did on one case; modes as the judge saw them.

    counted  whether the case is a unit of the statistics: one of each cluster is
    """

    case_id: int
    must_pass: bool
    counted: bool
    baseline: frozenset[str]
    candidate: frozenset[str]

    @property
    def newly_fails(self) -> bool:
        return bool(self.candidate) and not self.baseline


@dataclass(frozen=True, slots=True)
class Comparison:
    """Pass counts of both on the same cases."""

    pairs: Pairs
    both_pass: int

    @property
    def both_fail(self) -> int:
        return self.pairs.n - self.both_pass - self.pairs.baseline_only - self.pairs.candidate_only

    @property
    def baseline_passes(self) -> int:
        return self.both_pass + self.pairs.baseline_only

    @property
    def candidate_passes(self) -> int:
        return self.both_pass + self.pairs.candidate_only

    def to_json(self) -> dict[str, Any]:
        return {
            "n": self.pairs.n,
            "both_fail": self.both_fail,
            "only_baseline_fails": self.pairs.candidate_only,
            "only_candidate_fails": self.pairs.baseline_only,
            "both_pass": self.both_pass,
            "p_better": paired.mcnemar_p(self.pairs),
            "p_worse": paired.mcnemar_p(self.pairs, "worse"),
            "difference": paired.tango(self.pairs).to_json(),
        }


@dataclass(frozen=True, slots=True)
class Verdict:
    """`result` holds the statistics for the page; `reason` says them in a sentence."""

    state: GateState
    reason: str
    result: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Case:
    """Everything that the rules of the verdict look at."""

    overall: Comparison
    target: Comparison | None
    label: str
    not_worse: NonInferiority
    broken: list[int]
    unseen: int
    left_out: int

    @property
    def target_better(self) -> bool:
        return self.target is None or paired.mcnemar_p(self.target.pairs) < ALPHA


def decide(
    outcomes: Sequence[Outcome],
    *,
    target: str = "",
    label: str = "",
    left_out: int = 0,
    must_pass_left_out: int = 0,
) -> Verdict:
    """The verdict on compared cases.

    target    mode that the candidate is to mend; empty: it need only not be worse
    label     how people call that mode
    left_out  cases without a comparison, `must_pass_left_out` of them must-pass ones
    """
    counted = [each for each in outcomes if each.counted]
    overall = _compare([(not each.baseline, not each.candidate) for each in counted])
    aimed = [(target not in each.baseline, target not in each.candidate) for each in counted]
    case = _Case(
        overall=overall,
        target=_compare(aimed) if target else None,
        label=label or target,
        not_worse=paired.non_inferior(overall.pairs, MARGIN, ALPHA),
        broken=[each.case_id for each in outcomes if each.must_pass and each.newly_fails],
        unseen=must_pass_left_out,
        left_out=left_out,
    )
    state, reason, needed = _judge(case)
    return Verdict(state, reason, _result(case, needed))


def _compare(passes: Sequence[tuple[bool, bool]]) -> Comparison:
    both = sum(was and now for was, now in passes)
    return Comparison(paired.pair_outcomes(passes), both)


def _judge(case: _Case) -> tuple[GateState, str, int | None]:
    if case.broken:
        count = _count(len(case.broken), "case")
        reason = f"It fails {count} that must pass and that today's version passes."
        return GateState.BLOCKED, reason, None
    if paired.mcnemar_p(case.overall.pairs, "worse") < ALPHA:
        return GateState.BLOCKED, f"It is worse than today's version: {_rates(case)}.", None
    if doubt := _doubt(case):
        return GateState.INCONCLUSIVE, doubt, None
    if not case.not_worse.passed:
        return _not_shown(case)
    if not case.target_better:
        return _no_gain(case)
    return GateState.PASSED, _passed(case), None


def _doubt(case: _Case) -> str:
    """Why what could be compared does not speak for what could not; empty where it does."""
    if case.unseen:
        return f"{_count(case.unseen, 'case')} that must pass could not be compared."
    total = case.overall.pairs.n + case.left_out
    if case.left_out > MOST_LEFT_OUT * total:
        return (
            f"{case.left_out} of {total} cases could not be compared, so the others do not "
            "speak for all."
        )
    return ""


def _not_shown(case: _Case) -> tuple[GateState, str, int | None]:
    n = case.overall.pairs.n
    more = max(0, case.not_worse.needed - n)
    seen = f"{_count(n, 'case')} cannot rule out that it is more than 5 points worse"
    if more:
        seen += f"; about {more} more would tell"
    return GateState.INCONCLUSIVE, f"{seen} ({_rates(case)}).", more


def _no_gain(case: _Case) -> tuple[GateState, str, int | None]:
    assert case.target is not None
    more = _more_for(case.target)
    gain = f"It is not worse, but “{case.label}” is not shown to be rarer ({_share(case)})"
    if more:
        gain += f"; about {more} more cases would tell if the difference is real"
    return GateState.INCONCLUSIVE, f"{gain}.", more


def _more_for(target: Comparison) -> int | None:
    """Cases still needed to show a difference as large as the one seen; None where there is none
    in its favour, which more cases would not change."""
    gain = (target.pairs.candidate_only - target.pairs.baseline_only) / max(1, target.pairs.n)
    if gain <= 0:
        return None
    needed = paired.cases_needed(target.pairs.discordance, 0.0, difference=gain, alpha=ALPHA)
    # The test counts whole cases, and five in one direction are the fewest that it calls a gain.
    fewest = round(5 / gain)
    return max(1, max(needed, fewest) - target.pairs.n)


def _passed(case: _Case) -> str:
    reason = f"It is not worse than today's version on {_count(case.overall.pairs.n, 'case')}"
    reason += f" ({_rates(case)})"
    if case.target is not None:
        reason += f" and shows “{case.label}” less often ({_share(case)})"
    return f"{reason}."


def _rates(case: _Case) -> str:
    overall, n = case.overall, max(1, case.overall.pairs.n)
    now, was = overall.candidate_passes / n, overall.baseline_passes / n
    return f"{now:.0%} acceptable against {was:.0%}"


def _share(case: _Case) -> str:
    assert case.target is not None
    n = case.target.pairs.n
    now, was = n - case.target.candidate_passes, n - case.target.baseline_passes
    return f"{now} of {_count(n, 'case')} against {was}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _result(case: _Case, needed: int | None) -> dict[str, Any]:
    result: dict[str, Any] = {
        "n": case.overall.pairs.n,
        "excluded": case.left_out,
        "margin": MARGIN,
        "alpha": ALPHA,
        "overall": case.overall.to_json(),
        "target": case.target.to_json() if case.target else None,
        "not_worse": case.not_worse.to_json(),
        "must_pass_broken": case.broken,
        "must_pass_unseen": case.unseen,
    }
    return result if needed is None else result | {"needed": needed}
