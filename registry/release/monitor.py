"""The state of a canary's comparison, as JSON in its release. Pure but for the reading of rows.

Each source of outcomes (judge, human) is compared with itself: both arms are measured with the
same ruler. The risk of a false roll-back, `alpha`, is split between the sources.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from django.core.exceptions import ValidationError

from core.stats.eprocess import Block, CanaryMonitor, Verdict, sample_ratio_p
from registry.models.release import Arm

SOURCES: Final = ("judge", "human")
BROKEN_SPLIT: Final = 0.001
"""p-value of the sample-ratio test below which the split is broken: nothing is promoted."""

Row = tuple[int, str, bool]
"""Id, arm and defect of an observation."""


@dataclass(frozen=True, slots=True)
class CanarySettings:
    """How a canary is judged.

    primary   the source whose evidence promotes: "judge", "human", or empty for the judge where
              it has spoken, else people
    block     units of each arm that are compared at a time
    alpha     P(rolled back, ever) while it is within `tolerate` of its control
    beta      P(promoted, ever) while its defect rate is worse by `margin` or more
    """

    primary: str = ""
    block: int = 10
    alpha: float = 0.01
    beta: float = 0.05
    margin: float = 0.02
    tolerate: float = 0.0

    def monitor(self) -> dict[str, Any]:
        """The state at the start. Raises ValidationError where a setting makes no sense."""
        if self.primary not in {"", *SOURCES}:
            raise ValidationError({"primary": f"{self.primary!r}: {' or '.join(SOURCES)}."})
        if self.block < 1:
            raise ValidationError({"block": f"{self.block}: at least 1 unit."})
        try:
            sources = {source: self._empty().to_json() for source in SOURCES}
        except ValueError as error:
            raise ValidationError({"settings": f"{error}."}) from error
        return {"settings": asdict(self), "sources": sources, "verdict": "continue", "note": ""}

    def _empty(self) -> CanaryMonitor:
        return CanaryMonitor(
            tolerate=self.tolerate,
            margin=self.margin,
            alpha=self.alpha / len(SOURCES),
            beta=self.beta,
        )


DEFAULT: Final = CanarySettings()


def take_blocks(rows: Sequence[Row], size: int) -> tuple[list[Block], list[int]]:
    """Whole blocks off the front of `rows`, and the ids of what they used.

    A block closes at the first row at which both arms have `size`: a rule that looks at arms only,
    never at outcomes, so that the time of looking cannot favour anybody.
    """
    blocks: list[Block] = []
    used: list[int] = []
    arms: dict[str, list[float]] = {Arm.CANARY: [], Arm.CONTROL: []}
    ids: list[int] = []
    for row_id, arm, defect in rows:
        arms[arm].append(float(defect))
        ids.append(row_id)
        if min(len(outcomes) for outcomes in arms.values()) >= size:
            blocks.append(Block(tuple(arms[Arm.CANARY]), tuple(arms[Arm.CONTROL])))
            used += ids
            arms, ids = {Arm.CANARY: [], Arm.CONTROL: []}, []
    return blocks, used


def advance(state: dict[str, Any], source: str, blocks: Sequence[Block]) -> dict[str, Any]:
    """The state after those blocks of that source."""
    monitor = CanaryMonitor.from_json(state["sources"][source])
    for block in blocks:
        monitor = monitor.update(block)
    return {**state, "sources": {**state["sources"], source: monitor.to_json()}}


def conclude(
    state: dict[str, Any], units: dict[str, int], share: float
) -> tuple[Verdict, dict[str, Any]]:
    """What the evidence says, and the state with that, in numbers and in a sentence.

    `units` counts the sticky keys seen in each arm, of `share` that should be canary.
    """
    monitors = {name: CanaryMonitor.from_json(state["sources"][name]) for name in SOURCES}
    srm_p = sample_ratio_p(units.get(Arm.CANARY, 0), units.get(Arm.CONTROL, 0), share)
    verdict, note = _conclude(state["settings"]["primary"], monitors, srm_p)
    return verdict, {
        **state,
        "units": units,
        "srm_p": srm_p,
        "verdict": verdict,
        "note": note,
    }


def _conclude(
    primary: str, monitors: dict[str, CanaryMonitor], srm_p: float
) -> tuple[Verdict, str]:
    for source, monitor in monitors.items():
        if monitor.verdict == "rollback":
            return "rollback", f"Worse than its control, says the {source}: {_figures(monitor)}."
    source = primary or ("judge" if monitors["judge"].canary_n else "human")
    chosen = monitors[source]
    if chosen.verdict != "promote":
        return "continue", f"Not decided; the {source} says: {_figures(chosen)}."
    if srm_p < BROKEN_SPLIT:
        return "continue", f"Good, but the split is broken (p = {srm_p:.2g}): not promoted."
    return "promote", f"Not worse by {chosen.margin:.0%}, says the {source}: {_figures(chosen)}."


def _figures(monitor: CanaryMonitor) -> str:
    return (
        f"{monitor.canary_bad:.0f} of {monitor.canary_n} defective against "
        f"{monitor.control_bad:.0f} of {monitor.control_n}"
    )
