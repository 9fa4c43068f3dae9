"""Who may see what machines and other people thought of an output: nobody who must still judge it.

Scores, tier, reasons, labels and consensus of a trace are hidden from everyone who holds a slot
of it, may still get one, or owes a vote on it; reviewers see them after their own label.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Exists, OuterRef, Q, QuerySet

from annotation.consensus import COUNTED
from annotation.models import CalibrationItem, Label
from annotation.models.calibration import SessionState
from core.access import Verb
from core.models import Project, User
from routing.models import Reviewer, Slot, Trace
from routing.models.queue import SlotState
from routing.models.reviewer import ReviewerState
from routing.models.trace import Stage

ALIVE = (SlotState.OPEN, SlotState.LEASED)


def reveals(trace: Trace, *, project: Project, reader: User) -> bool:
    """Whether `reader` may see everything about `trace`."""
    verbs = reader.verbs_in(project)
    if Verb.REVIEW not in verbs:
        return Verb.SEE_DECISIONS in verbs
    if _must_judge(trace, reader):
        return False
    if Label.objects.filter(trace=trace, annotator=reader, purpose__in=COUNTED).exists():
        return True
    waits = _unjudged(project, reader).filter(pk=trace.pk)
    return Verb.SEE_DECISIONS in verbs and not waits.exists()


def _must_judge(trace: Trace, reader: User) -> bool:
    """He or she holds a slot of it, or owes a calibration session a vote."""
    if Slot.objects.filter(item__trace=trace, holder=reader, state=SlotState.LEASED).exists():
        return True
    owed = CalibrationItem.objects.filter(
        trace=trace, ruling="", session__state=SessionState.OPEN, session__members__user=reader
    )
    return owed.exclude(labels__annotator=reader).exists()


def _may_get(project: Project, reader: User) -> QuerySet[Slot]:
    """The slots that the reader could claim now or later; none for who is not at work here."""
    mine = Slot.objects.filter(
        item=OuterRef("item"), holder=reader, state__in=[SlotState.LEASED, SlotState.DONE]
    )
    return Slot.objects.filter(
        Exists(_at_work(project, reader)), Q(reserved_for=None) | Q(reserved_for=reader),
        ~Exists(mine), project=project, state__in=ALIVE,
    )  # fmt: skip


def hidden(traces: Sequence[Trace], *, project: Project, reader: User) -> set[int]:
    """Ids of those `traces` whose decision the reader must not see; for lists."""
    verbs = reader.verbs_in(project)
    everything = {trace.pk for trace in traces}
    if Verb.SEE_DECISIONS not in verbs:
        return everything
    if Verb.REVIEW not in verbs:
        return set()
    return set(_unjudged(project, reader).filter(pk__in=everything).values_list("pk", flat=True))


def awaited(traces: Sequence[Trace], *, project: Project, reader: User) -> set[int]:
    """Ids of those `traces` that `reader` may still be asked to judge: no answer is told before.

    Unlike `hidden` it asks no right to see decisions: a ruling is for everyone whom it teaches.
    """
    if Verb.REVIEW not in reader.verbs_in(project):
        return set()
    known = {trace.pk for trace in traces}
    return set(_unjudged(project, reader).filter(pk__in=known).values_list("pk", flat=True))


def without_hidden(traces: QuerySet[Trace], *, project: Project, reader: User) -> QuerySet[Trace]:
    """For filters by decision: a row that disappears from the list tells as much as a word."""
    if Verb.REVIEW not in reader.verbs_in(project):
        return traces
    return traces.exclude(pk__in=_unjudged(project, reader).values("pk"))


def _at_work(project: Project, reader: User) -> QuerySet[Reviewer]:
    return Reviewer.objects.filter(project=project, user=reader, state=ReviewerState.ACTIVE)


def _unjudged(project: Project, reader: User) -> QuerySet[Trace]:
    """Traces of which the reader holds a slot, may get one, or owes a vote.

    Before the decision there are scores and no slot yet: whoever is at work may still get it.
    """
    held = Slot.objects.filter(holder=reader, state=SlotState.LEASED, item__trace=OuterRef("pk"))
    owed = CalibrationItem.objects.filter(
        trace=OuterRef("pk"), ruling="", session__state=SessionState.OPEN,
        session__members__user=reader,
    ).exclude(labels__annotator=reader)  # fmt: skip
    available = _may_get(project, reader).filter(item__trace=OuterRef("pk"))
    coming = ~Q(stage=Stage.DECIDED) & Exists(_at_work(project, reader))
    return Trace.objects.filter(
        Exists(held) | Exists(owed) | Exists(available) | coming, project=project
    )
