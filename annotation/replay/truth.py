"""What is truly wrong, by the file: the yardstick that is held back from the machine. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from annotation.replay.line import Annotation, Line
from annotation.replay.opinions import severity_of
from core.models.project import Severity
from core.stats.intervals import Estimate, clopper_pearson
from core.stats.weighted import hajek_rate

_ORDER: Final = list(Severity.values)


@dataclass(frozen=True, slots=True)
class Yardstick:
    """From which severity on a failure is a defect, and each mode's default severity."""

    floor: str
    defaults: Mapping[str, str]

    def counts(self, severity: str) -> bool:
        """Whether a failure of this severity is a defect."""
        return _ORDER.index(severity) >= _ORDER.index(self.floor)

    def finds_defect(self, annotation: Annotation) -> bool:
        """Whether the annotator names a failure at or above the floor."""
        return any(self.counts(self._severity(mode, annotation)) for mode in annotation.modes or ())

    def _severity(self, mode: str, annotation: Annotation) -> str:
        stated = severity_of([mark for mark in annotation.marks if mark.mode == mode])
        return stated or self.defaults[mode]


@dataclass(frozen=True, slots=True)
class Escape:
    """Of the outputs that passed without a person: how many are truly defective.

    passed     outputs auto-approved
    undecided  of them, those whose annotators are evenly divided; unknown: nobody judged them
               and no outcome is known. Both are outside of `rate`.
    by_people, by_outcome   where the truth of the others comes from
    rate       defective / (by_people + by_outcome), exact interval
    """

    passed: int
    undecided: int
    unknown: int
    by_people: int
    by_outcome: int
    defective: int
    rate: Estimate


@dataclass(frozen=True, slots=True)
class Audit:
    """What the labelled random sample of the low-risk outputs says of all of them.

    drawn    audited outputs; judged: those whose labels decide; defective: of these
    rate     weighted by 1 / probability of the draw
    """

    drawn: int
    judged: int
    defective: int
    rate: Estimate


def majority(votes: Sequence[bool]) -> bool | None:
    """What more than half say; None where they are evenly divided, or there are none."""
    yes = sum(votes)
    if 2 * yes == len(votes):
        return None
    return 2 * yes > len(votes)


def escape(passed: Iterable[Line], yardstick: Yardstick) -> Escape:
    """The held-back truth of `passed`: the majority of those who judged, else a known outcome."""
    lines = list(passed)
    votes = [_votes(line, yardstick) for line in lines]
    people = [majority(each) for each in votes if each]
    outcomes = [
        line.failed for line, each in zip(lines, votes, strict=True)
        if not each and line.failed is not None
    ]  # fmt: skip
    settled = [each for each in people if each is not None]
    defective = sum(settled) + sum(outcomes)
    return Escape(
        passed=len(lines),
        undecided=len(people) - len(settled),
        unknown=len(lines) - len(people) - len(outcomes),
        by_people=len(settled),
        by_outcome=len(outcomes),
        defective=defective,
        rate=clopper_pearson(defective, len(settled) + len(outcomes)),
    )


def audit(drawn: int, judged: Sequence[tuple[bool, float]]) -> Audit:
    """From (defective, probability of the draw) of each audited output that labels decide."""
    found = [float(bad) for bad, _ in judged]
    rate = hajek_rate(found, [probability for _, probability in judged])
    return Audit(drawn, len(judged), sum(bad for bad, _ in judged), rate)


def _votes(line: Line, yardstick: Yardstick) -> list[bool]:
    return [yardstick.finds_defect(each) for each in line.annotations if each.judges]
