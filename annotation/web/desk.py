"""What waits for a person, and what he or she has done: reads that two pages share."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.db.models import Exists, OuterRef, Q

from annotation.models import Label
from core import clock
from core.models import Project, User
from routing.models import Slot
from routing.models.queue import SlotQuerySet, SlotState

# Beyond it nobody counts on: "500 and more" is as good, and costs the same at any backlog.
MOST_COUNTED: Final = 500


def mine(project: Project, user: User) -> SlotQuerySet:
    """The slots that the person could claim now."""
    taken = Slot.objects.filter(
        item=OuterRef("item"), purpose=OuterRef("purpose"), round=OuterRef("round"), holder=user,
        state__in=[SlotState.LEASED, SlotState.DONE],
    )  # fmt: skip
    free = Q(reserved_for=None) | Q(reserved_for=user)
    return Slot.objects.in_project(project).claimable(clock.now()).filter(free, ~Exists(taken))


def waiting(slots: SlotQuerySet) -> int:
    """How many items wait there, counted up to `MOST_COUNTED`."""
    return slots.values("item").distinct()[:MOST_COUNTED].count()


def next_due(slots: SlotQuerySet) -> datetime | None:
    return slots.order_by("due_at").values_list("due_at", flat=True).first()


def done_today(project: Project, user: User) -> int:
    """Labels of the person since midnight, UTC."""
    midnight = clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    given = Label.objects.in_project(project).filter(annotator=user, created_at__gte=midnight)
    return given.filter(slot__isnull=False).count()
