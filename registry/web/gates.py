"""Gate runs as pages show them: candidate and baseline on the same cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.stats.intervals import Estimate
from registry.models import GateCaseResult, GateRun, PromptVersion
from registry.web.rates import MINIMUM

SHOWN = 5
"""Runs of a version that its page shows."""


@dataclass(frozen=True, slots=True)
class Table:
    """Outcomes of both versions by case, as the run has written them down.

    `mended` cases only the baseline fails, `broken` ones only the candidate.
    """

    title: str
    n: int
    both_pass: int
    mended: int
    broken: int
    both_fail: int
    p_better: float
    difference: Estimate

    @property
    def is_shown(self) -> bool:
        return self.n >= MINIMUM


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A case on which the two differ; `modes` is what the one that fails it shows."""

    case_id: int
    must_pass: bool
    is_mended: bool
    modes: list[str]


@dataclass(frozen=True, slots=True)
class GateView:
    run: GateRun
    target: str
    tables: list[Table]
    changed: list[CaseRow]

    @property
    def needed(self) -> int | None:
        """How many more cases would tell, where the run says so."""
        needed = self.run.result.get("needed")
        return needed if isinstance(needed, int) and needed > 0 else None

    @property
    def excluded(self) -> int:
        """Cases that could not be compared."""
        return int(self.run.result.get("excluded", 0))

    @property
    def models(self) -> str:
        """Which models answered and judged."""
        named = self.run.result.get("models", {})
        parts = [f"{kind}: {', '.join(names)}" for kind, names in named.items() if names]
        return "; ".join(parts)


def views_of(version: PromptVersion, labels: dict[str, str]) -> list[GateView]:
    """The newest gate runs of `version`, with their outcomes; two statements."""
    runs = list(
        version.gate_runs.select_related("baseline", "requested_by").order_by("-pk")[:SHOWN]
    )
    changed = _changed(runs)
    return [_view(run, labels.get(run.target_mode, run.target_mode), changed) for run in runs]


def _view(run: GateRun, target: str, changed: dict[int, list[CaseRow]]) -> GateView:
    titles = (("overall", "All failures"), ("target", target))
    tables = [_table(title, found) for key, title in titles if (found := run.result.get(key))]
    return GateView(run, target, tables, changed[run.pk])


def _table(title: str, found: dict[str, Any]) -> Table:
    return Table(
        title=title,
        n=found["n"],
        both_pass=found["both_pass"],
        mended=found["only_baseline_fails"],
        broken=found["only_candidate_fails"],
        both_fail=found["both_fail"],
        p_better=found["p_better"],
        difference=Estimate.from_json(found["difference"]),
    )


def _changed(runs: Sequence[GateRun]) -> dict[int, list[CaseRow]]:
    rows = (
        GateCaseResult.objects.filter(run__in=runs, passed__isnull=False)
        .select_related("case")
        .only("run_id", "case_id", "arm", "passed", "modes", "case__must_pass")
        .order_by("run_id", "case_id")
    )
    arms: dict[tuple[int, int], dict[str, GateCaseResult]] = {}
    for row in rows:
        arms.setdefault((row.run_id, row.case_id), {})[row.arm] = row
    found: dict[int, list[CaseRow]] = {run.pk: [] for run in runs}
    for (run_id, _), pair in arms.items():
        if len(pair) == 2 and pair["baseline"].passed != pair["candidate"].passed:
            found[run_id].append(_case(pair["baseline"], pair["candidate"]))
    return found


def _case(was: GateCaseResult, now: GateCaseResult) -> CaseRow:
    failed = was if now.passed else now
    return CaseRow(now.case_id, now.case.must_pass, bool(now.passed), failed.modes)
