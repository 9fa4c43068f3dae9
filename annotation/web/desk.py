"""What waits for a person, and what he or she has done: reads that two pages share."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.db.models import Exists, OuterRef

from annotation.models import Label
from core import clock
from core.models import Project, User
from routing.models import Slot
from routing.models.queue import SlotQuerySet, SlotState

# Beyond it nobody counts on: "500 and more" is as good, and costs the same at any backlog.
MOST_COUNTED: Final = 500


def mine(project: Project, user: User) -> tuple[SlotQuerySet, ...]:
    """The slots that the person could claim now: those reserved, the urgent, the others.

    Apart, because each of them is read from an index in the order of its due dates.
    """
    taken = Slot.objects.filter(
        item=OuterRef("item"), purpose=OuterRef("purpose"), round=OuterRef("round"), holder=user,
        state__in=[SlotState.LEASED, SlotState.DONE],
    )  # fmt: skip
    there = Slot.objects.in_project(project).claimable(clock.now()).filter(~Exists(taken))
    alive = there.filter(state__in=[SlotState.OPEN, SlotState.LEASED])
    free = alive.filter(reserved_for=None)
    return alive.filter(reserved_for=user), free.filter(lane=0), free.filter(lane=1)


def waiting(parts: Sequence[SlotQuerySet]) -> int:
    """How many items wait there, counted up to `MOST_COUNTED`."""
    found: set[int] = set()
    for part in parts:
        # An item rarely has more than two free slots.
        found |= set(part.values_list("item_id", flat=True)[: 2 * MOST_COUNTED])
    return min(len(found), MOST_COUNTED)


def next_due(parts: Sequence[SlotQuerySet]) -> datetime | None:
    """When the first of them is due."""
    firsts = (part.order_by("due_at").values_list("due_at", flat=True).first() for part in parts)
    return min((each for each in firsts if each is not None), default=None)


def done_today(project: Project, user: User) -> int:
    """Labels of the person since midnight, UTC."""
    midnight = clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    given = Label.objects.in_project(project).filter(annotator=user, created_at__gte=midnight)
    return given.filter(slot__isnull=False).count()
