"""Calibration in the demo: one session that is finished, and one that waits for votes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from annotation import calibration, labels
from annotation.demo.world.cast import LEAD, REVIEWERS, Person
from annotation.demo.world.ground import World
from annotation.demo.world.opinions import opine, truth
from annotation.demo.world.work import SOURCE
from annotation.models import CalibrationItem, CalibrationSession, Consensus, Label
from annotation.models.calibration import SessionState
from annotation.models.consensus import ConsensusState
from annotation.models.label import Verdict
from routing.models import Payload, Trace
from routing.scoring import payloads_of

FIRST: Final = "When is an answer incomplete?"
SECOND: Final = "Promises and advice"
GOALS: Final = {
    FIRST: "The first week's double reviews split most often over answers that stop early and "
    "over sources. Agree on where the line is, before outputs pass unseen.",
    SECOND: "Where does explaining a product end and advising begin?",
}
AGENDA: Final = {FIRST: 12, SECOND: 9}
WHY: Final = {
    ConsensusState.DISPUTED: "The two opinions on it were split.",
    ConsensusState.FINAL: "Agreed, and a good example to compare the others with.",
}
MODES: Final = {
    FIRST: ("incomplete", "citation_missing", "poor_retrieval"),
    SECOND: ("policy_violation", "unsupported_claim", "tone"),
}


def open_session(world: World, title: str) -> bool:
    """Put outputs on the agenda, and say why each of them."""
    if CalibrationSession.objects.filter(project=world.project, title=title).exists():
        return True
    chosen = _agenda(world, title)
    if len(chosen) < AGENDA[title]:
        return False
    lead = world.cast[LEAD]
    calibration.open_session(
        project=world.project, title=title, goal=GOALS[title], lead=lead,
        members=[*world.cast.reviewers, lead],
        traces=[(row.trace, WHY[ConsensusState(row.state)]) for row in chosen], actor=lead,
    )  # fmt: skip
    return True


def vote(world: World, title: str, *, part: float = 1) -> bool:
    """Everybody votes on the first `part` of the agenda; the last two only in a whole session."""
    session = _session(world, title)
    if session is None:
        return _is_finished(world, title)
    items = list(CalibrationItem.objects.filter(session=session).order_by("position"))
    payloads = _payloads(items)
    people = [*REVIEWERS, LEAD] if part == 1 else REVIEWERS[:3]
    voted = set(
        Label.objects.filter(calibration_item__in=items).values_list(
            "calibration_item", "annotator"
        )
    )
    for item in items[: round(part * len(items))]:
        for person in people:
            if (item.pk, world.cast[person].pk) not in voted:
                _cast(world, item, person, payloads[item.trace_id])
    return True


def rule_and_close(world: World, title: str) -> bool:
    """The lead rules on each item and closes the session with its report."""
    session = _session(world, title)
    if session is None:
        return _is_finished(world, title)
    lead = world.cast[LEAD]
    items = list(CalibrationItem.objects.filter(session=session).order_by("position"))
    payloads = _payloads(items)
    for item in items:
        if not item.ruling:
            modes = sorted(truth(payloads[item.trace_id]))
            calibration.rule(
                item=item, verdict=Verdict.DEFECTIVE if modes else Verdict.ACCEPTABLE,
                modes=modes, reason=_reason(modes), rubric_version=world.rubric, actor=lead,
            )  # fmt: skip
    calibration.close(session=session, actor=lead)
    return True


def _is_finished(world: World, title: str) -> bool:
    found = CalibrationSession.objects.filter(project=world.project, title=title)
    return found.filter(state=SessionState.FINISHED).exists()


def _session(world: World, title: str) -> CalibrationSession | None:
    found = CalibrationSession.objects.filter(project=world.project, title=title)
    return found.filter(state=SessionState.OPEN).first()


def _agenda(world: World, title: str) -> list[Consensus]:
    """What was split, and clear cases of both kinds to compare it with, about a third each."""
    rows = Consensus.objects.current().filter(trace__project=world.project, votes__gte=1)
    final = rows.filter(state=ConsensusState.FINAL)
    kinds = (
        rows.filter(state=ConsensusState.DISPUTED, verdict=Verdict.DEFECTIVE),
        final.filter(findings__mode__in=MODES[title]).distinct(),
        final.filter(verdict=Verdict.ACCEPTABLE),
    )
    size = AGENDA[title]
    found: dict[int, Consensus] = {}
    for place, kind in enumerate(kinds, start=1):
        wanted = size * place // len(kinds) - len(found)
        fresh = kind.exclude(pk__in=found).select_related("trace").order_by("-pk")
        found |= {row.pk: row for row in fresh[:wanted]}
    return list(found.values())


def _payloads(items: Sequence[CalibrationItem]) -> dict[int, Payload]:
    return payloads_of(Trace.objects.filter(pk__in=[item.trace_id for item in items]))


def _cast(world: World, item: CalibrationItem, person: Person, payload: Payload) -> None:
    opinion = opine(person, payload)
    labels.vote(
        item=item, scorecard=opinion.scorecard, rubric_version=world.rubric,
        comment=opinion.comment, confidence=opinion.confidence, active_ms=opinion.active_ms,
        source=SOURCE, actor=world.cast[person],
    )  # fmt: skip


def _reason(modes: Sequence[str]) -> str:
    if not modes:
        return "Everything asked for is there and has its source; style alone is no failure."
    named = ", ".join(mode.replace("_", " ") for mode in modes)
    return f"It shows {named}: a customer who acts on this answer would be let down."
