"""Majority, pure: from what each annotator said to one answer, or to a dispute.

Each failure mode is a yes/no question of its own. A tie goes to a person, never to a coin.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from annotation.models.consensus import ConsensusState
from annotation.models.label import Verdict
from core.levers import Lever
from core.models.project import Severity

METHOD: Final = "majority"
VERSION: Final = "1"

# How much a label that states no confidence weighs beside those that state 1 to 5.
USUAL_CONFIDENCE: Final = 3
GRAVEST_FIRST: Final = (Verdict.DEFECTIVE, Verdict.CANNOT_JUDGE, Verdict.ACCEPTABLE)


@dataclass(frozen=True, slots=True)
class Voice:
    """One label, as far as it counts here. `findings` maps a mode to (severity, cause)."""

    label: int
    verdict: str
    confidence: int | None = None
    findings: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def weight(self) -> int:
        """Of its severity and cause; in the vote itself every voice is one."""
        return self.confidence or USUAL_CONFIDENCE


@dataclass(frozen=True, slots=True)
class Agreed:
    """A mode that more than half of those who could judge saw: `votes` of them, as a `share`."""

    mode: str
    severity: str
    cause: str
    votes: int
    share: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """One answer. `votes` state a verdict, `share` of them say defective (None without any);
    `judges` of them could judge. A disputed outcome shows the gravest of the leading answers.
    """

    state: str
    verdict: str
    share: float | None
    votes: int
    judges: int
    findings: tuple[Agreed, ...] = ()

    @property
    def is_unanimous(self) -> bool:
        """Everybody who stated a verdict could judge, and all said the same."""
        return self.votes == self.judges and self.share in {0.0, 1.0}


def majority(voices: Sequence[Voice]) -> Outcome:
    """The answer of more than half. Labels that state no verdict do not vote.

    Disputed where no answer has more than half; and where the output is defective but a mode
    divides the judges evenly, or modes were named and none of them by more than half: a failure
    without an agreed name teaches nothing.
    """
    stated = [voice for voice in voices if voice.verdict != Verdict.UNSTATED]
    if not stated:
        return Outcome(ConsensusState.FINAL, Verdict.UNSTATED, None, 0, 0)
    counts = Counter(voice.verdict for voice in stated)
    verdict, agreed = _leading(counts, len(stated))
    judges = [voice for voice in stated if voice.verdict != Verdict.CANNOT_JUDGE]
    share = counts[Verdict.DEFECTIVE] / len(stated)
    findings: tuple[Agreed, ...] = ()
    if agreed and verdict == Verdict.DEFECTIVE:
        findings, agreed = _modes(judges)
    state = ConsensusState.FINAL if agreed else ConsensusState.DISPUTED
    return Outcome(state, verdict, share, len(stated), len(judges), findings)


def _leading(counts: Counter[str], votes: int) -> tuple[str, bool]:
    """The gravest of the most frequent verdicts, and whether it has more than half."""
    most = max(counts.values())
    verdict = next(each for each in GRAVEST_FIRST if counts[each] == most)
    return verdict, 2 * most > votes


def _modes(judges: Sequence[Voice]) -> tuple[tuple[Agreed, ...], bool]:
    """The agreed modes, most votes first; and whether no mode is left in dispute."""
    named: dict[str, list[Voice]] = defaultdict(list)
    for voice in judges:
        for mode in voice.findings:
            named[mode].append(voice)
    found = [
        _agree(mode, voices, len(judges))
        for mode, voices in named.items()
        if 2 * len(voices) > len(judges)
    ]
    tied = any(2 * len(voices) == len(judges) for voices in named.values())
    ordered = tuple(sorted(found, key=lambda each: (-each.votes, each.mode)))
    return ordered, not tied and bool(found or not named)


def _agree(mode: str, voices: Sequence[Voice], judges: int) -> Agreed:
    severities: Counter[str] = Counter()
    causes: Counter[str] = Counter()
    for voice in voices:
        severity, cause = voice.findings[mode]
        severities[severity] += voice.weight
        causes[cause] += voice.weight
    return Agreed(mode, _median(severities), _plurality(causes), len(voices), len(voices) / judges)


def _median(weights: Counter[str]) -> str:
    """The weighted median of the severities; exactly between two, the graver one."""
    total, above = sum(weights.values()), 0
    for severity in reversed(Severity.values):
        above += weights[severity]
        if 2 * above >= total:
            return severity
    raise ValueError(f"no known severity among {sorted(weights)}")


def _plurality(weights: Counter[str]) -> str:
    """The heaviest cause; among equals the first of the list of levers, `unknown` being last."""
    return max(Lever.values, key=lambda lever: (weights[lever], -Lever.values.index(lever)))
