"""What a person of a certain temper says of an output: the demo's truth, seen through his eyes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from annotation.demo.assistant import sentences
from annotation.demo.detectors import defects
from annotation.demo.judge import severity as usual_severity
from annotation.demo.texts.questions import share
from annotation.demo.world.cast import Person, Temper
from annotation.demo.world.remarks import CLEAN, REMARKS
from annotation.labels import Opinion
from core.models.project import Severity
from registry.rubrics import Finding, Scorecard, Span, Verdict
from routing.models import Payload

# Some failures are hard to see for everybody: people err together, not each on his own.
SUBTLE: Final = 0.08
LOST: Final = 0.006
NEIGHBOURS: Final = {
    "unsupported_claim": "contradicts_context",
    "contradicts_context": "unsupported_claim",
    "incomplete": "instruction_not_followed",
    "citation_missing": "instruction_not_followed",
    "format_broken": "instruction_not_followed",
    "poor_retrieval": "incomplete",
    "over_refusal": "incomplete",
}
SUSPECTED: Final = ("incomplete", "tone", "unsupported_claim", "policy_violation")
CUTTABLE: Final = frozenset({"unsupported_claim", "policy_violation", "tone"})
Quotes = dict[str, list[str]]


def opine(person: Person, payload: Payload) -> Opinion:
    """The opinion, the same whenever the same person is asked about the same output."""
    temper = person.temper
    assert temper is not None, f"{person.name} does not review"
    roll = _Roll(person.key, payload)
    if roll("lost") < LOST:
        return Opinion(
            scorecard=Scorecard(Verdict.CANNOT_JUDGE), confidence=2,
            comment="I would have to see the customer's account to tell.",
            active_ms=_time(temper, payload, roll),
        )  # fmt: skip
    seen = _seen(temper, payload, roll)
    findings = tuple(
        _finding(mode, quotes, temper, payload.output, roll) for mode, quotes in seen.items()
    )
    return Opinion(
        scorecard=Scorecard(Verdict.DEFECTIVE if findings else Verdict.ACCEPTABLE, findings),
        comment="" if findings or roll("word") > temper.talks / 6 else roll.pick(CLEAN),
        corrected_output=_corrected(seen, payload.output) if roll("mend") < temper.talks else None,
        confidence=3 + (roll("sure") < 0.75) + (roll("sure") < 0.4),
        active_ms=_time(temper, payload, roll),
    )


class _Roll:
    """The person's dice for one output."""

    def __init__(self, who: str, payload: Payload) -> None:
        question = payload.content["variables"].get("question", "")
        self._keys = (who, str(question), payload.output)

    def __call__(self, *what: str) -> float:
        return share(*self._keys, *what)

    def shared(self, *what: str) -> float:
        """The same for everybody."""
        return share(*self._keys[1:], *what)

    def pick(self, options: tuple[str, ...], *what: str) -> str:
        return options[int(self("pick", *what) * len(options))]


def truth(payload: Payload) -> Quotes:
    """What is wrong with the output: the quotes of each failure mode."""
    content: dict[str, Any] = payload.content
    found: Quotes = {}
    question = content["variables"].get("question", "")
    for mode, quote in defects(payload.output, question, content["documents"]):
        found.setdefault(mode, []).append(quote)
    return found


def _seen(temper: Temper, payload: Payload, roll: _Roll) -> Quotes:
    seen: Quotes = {}
    for mode, quotes in truth(payload).items():
        if roll("see", mode) < _chance(temper, mode, roll):
            wrong = roll("name", mode) < temper.misnames and mode not in temper.knows
            seen.setdefault(NEIGHBOURS.get(mode, mode) if wrong else mode, []).extend(quotes)
    if not seen and roll("alarm") < temper.alarm:
        seen[roll.pick(SUSPECTED)] = sentences(payload.output)[-1:]
    return seen


def _chance(temper: Temper, mode: str, roll: _Roll) -> float:
    if mode in temper.knows:
        return 0.99
    if mode in temper.blind:
        return temper.keen / 2
    return temper.keen * (0.55 if roll.shared("subtle", mode) < SUBTLE else 1)


def _finding(mode: str, quotes: list[str], temper: Temper, output: str, roll: _Roll) -> Finding:
    remarks = REMARKS.get(mode, ())
    talks = remarks and roll("talk", mode) < temper.talks
    return Finding(
        mode=mode,
        severity=_severity(mode, temper, roll),
        spans=tuple(_spans(quotes, output)),
        comment=roll.pick(remarks, mode) if talks else "",
    )


def _severity(mode: str, temper: Temper, roll: _Roll) -> str:
    scale = Severity.values
    place = scale.index(usual_severity(mode))
    if roll("weight", mode) < 0.5:
        place += temper.shift
    return str(scale[min(max(place, 0), len(scale) - 1)])


def _spans(quotes: list[str], output: str) -> Iterator[Span]:
    for quote in quotes:
        start = output.find(quote) if quote else -1
        if start >= 0:
            yield Span("output", start, start + len(quote), quote)


def _corrected(seen: Quotes, output: str) -> str | None:
    """The output without the sentence that should not be there, where that is all it needs."""
    if len(seen) != 1 or not seen.keys() <= CUTTABLE:
        return None
    [quotes] = seen.values()
    mended = output
    for quote in quotes:
        mended = mended.replace(quote, "")
    mended = mended.replace("  ", " ").strip()
    return mended if mended and mended != output else None


def _time(temper: Temper, payload: Payload, roll: _Roll) -> int:
    length = 0.6 + min(len(payload.output), 1200) / 1200
    return round(1000 * temper.seconds * length * (0.5 + roll("time")))
