"""Each annotator claims what is reserved for him or her, and says what the file says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from annotation import labels
from annotation.labels import Submission
from annotation.replay.line import Annotation, Line
from annotation.replay.opinions import opinion_of
from annotation.replay.progress import Show
from annotation.replay.world import World
from core.models import User
from routing import queue
from routing.models import Slot
from routing.models.queue import SlotState

AT_ONCE: Final = 200
SOURCE: Final = "replay"


@dataclass(frozen=True, slots=True)
class _Held:
    """A slot under lease."""

    slot_id: int
    token: int
    trace_id: int


def label(
    lines: Sequence[Line],
    traces: Mapping[str, int],
    people: Mapping[str, User],
    world: World,
    show: Show,
) -> None:
    """All labels that are wanted and not there yet."""
    said = _said(lines, traces)
    open_slots = Slot.objects.filter(
        project=world.project, state__in=[SlotState.OPEN, SlotState.LEASED],
        reserved_for__in=list(people.values()), item__trace__in=list(traces.values()),
    )  # fmt: skip
    waiting = set(open_slots.values_list("reserved_for", flat=True))
    done = 0
    with show.stage("Label", open_slots.count()) as advance:
        for name, user in people.items():
            if user.pk not in waiting:
                continue
            for count in _work(user, said[name], world):
                done += count
                advance(done)


_Words = Mapping[int, tuple[Annotation, Line]]


def _said(lines: Sequence[Line], traces: Mapping[str, int]) -> dict[str, _Words]:
    """By annotator and trace, what he or she said."""
    found: dict[str, dict[int, tuple[Annotation, Line]]] = {}
    for line in lines:
        for each in line.annotations:
            found.setdefault(each.annotator, {})[traces[line.trace_id]] = (each, line)
    return dict(found)


def _work(user: User, said: _Words, world: World) -> Iterator[int]:
    """Label until nothing is left; how many at a time. What this run does not know of (lines
    beyond a smaller limit) is handed back."""
    foreign: list[_Held] = []
    for held in _leases(user, world):
        mine = [each for each in held if each.trace_id in said]
        foreign += [each for each in held if each.trace_id not in said]
        if mine:
            labels.submit(
                [_submission(each, *said[each.trace_id]) for each in mine],
                rubric_version=world.rubric, source=SOURCE, actor=user,
            )  # fmt: skip
            yield len(mine)
    for each in foreign:
        queue.release_slot(slot_id=each.slot_id, token=each.token, actor=user)


def _leases(user: User, world: World) -> Iterator[list[_Held]]:
    """First what a run that was killed had claimed, then what is still open, in portions.

    No more is claimed than is reserved: an output that nobody judged is no work for anybody here.
    """
    held = Slot.objects.filter(project=world.project, holder=user, state=SlotState.LEASED)
    left = [_Held(*row) for row in held.values_list("pk", "token", "item__trace_id")]
    for start in range(0, len(left), AT_ONCE):
        yield left[start : start + AT_ONCE]
    mine = Slot.objects.filter(project=world.project, reserved_for=user, state=SlotState.OPEN)
    while count := mine.count():
        leases = queue.claim(project=world.project, actor=user, limit=min(count, AT_ONCE))
        if not leases:
            break
        yield [_Held(lease.slot_id, lease.token, lease.trace_id) for lease in leases]


def _submission(held: _Held, annotation: Annotation, line: Line) -> Submission:
    opinion = opinion_of(annotation, line)
    return Submission(
        slot_id=held.slot_id, token=held.token, scorecard=opinion.scorecard,
        comment=opinion.comment, corrected_output=opinion.corrected_output,
        active_ms=opinion.active_ms,
    )  # fmt: skip
