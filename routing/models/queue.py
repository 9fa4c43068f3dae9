"""The queue: an item is an output that people must see; a slot is one wanted opinion on it.

A lease is columns of its slot. Whether it is dead is readable from the row (`until` has passed).
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.db import models
from django.db.models import Q

from core.tenancy import TenantQuerySet
from routing.models.decision import Tier


class ItemState(models.TextChoices):
    OPEN = "open", "Open"
    DONE = "done", "Done"
    WITHDRAWN = "withdrawn", "Withdrawn"


class ItemQuerySet(TenantQuerySet["Item"]):
    def waiting(self) -> ItemQuerySet:
        return self.filter(state=ItemState.OPEN)

    def at_risk(self, now: datetime, until: datetime) -> ItemQuerySet:
        """Open, in time now, and due before `until`."""
        return self.waiting().filter(due_at__gt=now, due_at__lte=until)

    def overdue(self, now: datetime) -> ItemQuerySet:
        return self.waiting().filter(due_at__lte=now)


class Item(models.Model):
    """One output in review."""

    project = models.ForeignKey("core.Project", on_delete=models.PROTECT)
    trace = models.ForeignKey("routing.Trace", on_delete=models.PROTECT, related_name="items")
    decision = models.OneToOneField("routing.Decision", on_delete=models.PROTECT)
    tier = models.CharField(max_length=8, choices=Tier.choices)
    state = models.CharField(max_length=12, choices=ItemState.choices, default=ItemState.OPEN)
    due_at = models.DateTimeField()
    created_at = models.DateTimeField()
    first_done_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)

    objects: ClassVar[ItemQuerySet] = ItemQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["trace"], condition=Q(state="open"), name="one_open_item_per_trace"
            ),
            models.CheckConstraint(
                condition=Q(state__in=ItemState.values), name="item_state_known"
            ),
            models.CheckConstraint(
                condition=Q(state="open", closed_at=None)
                | ~Q(state="open") & Q(closed_at__isnull=False),
                name="item_shape",
            ),
        ]
        indexes = [
            models.Index(
                fields=["project", "due_at", "id"], condition=Q(state="open"), name="item_waiting"
            ),
            models.Index(
                fields=["project", "closed_at"],
                condition=Q(closed_at__isnull=False),
                name="item_closed",
            ),
            models.Index(
                fields=["project", "due_at"],
                condition=Q(closed_at__isnull=False),
                name="item_closed_by_due",
            ),
        ]

    def __str__(self) -> str:
        return f"item {self.pk} ({self.tier})"


class SlotState(models.TextChoices):
    OPEN = "open", "Open"
    LEASED = "leased", "Leased"
    DONE = "done", "Done"
    WITHDRAWN = "withdrawn", "Withdrawn"


class Purpose(models.TextChoices):
    """Why the opinion is wanted. Only work and audit enter rates and SLA."""

    WORK = "work", "Work"
    AUDIT = "audit", "Audit of an auto-approved output"
    GOLD = "gold", "Gold"
    REPEAT = "repeat", "Repeat"
    CALIBRATION = "calibration", "Calibration"


class SlotQuerySet(TenantQuerySet["Slot"]):
    def claimable(self, now: datetime) -> SlotQuerySet:
        """Open, or leased to somebody whose time has passed."""
        return self.filter(Q(state=SlotState.OPEN) | Q(state=SlotState.LEASED, until__lte=now))


class Slot(models.Model):
    """One wanted opinion. `token` rises with each claim; submit must carry it (fencing).

    `project` and `due_at` repeat those of the item so that the claim reads one index. `lane` is 0
    for the most urgent tier, which always comes first, and 1 for the others.
    """

    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="slots")
    project = models.ForeignKey("core.Project", on_delete=models.PROTECT)
    purpose = models.CharField(max_length=12, choices=Purpose.choices, default=Purpose.WORK)
    round = models.PositiveSmallIntegerField(default=1)
    lane = models.PositiveSmallIntegerField()
    due_at = models.DateTimeField()
    state = models.CharField(max_length=12, choices=SlotState.choices, default=SlotState.OPEN)
    reserved_for = models.ForeignKey(
        "core.User", null=True, on_delete=models.PROTECT, related_name="+"
    )
    holder = models.ForeignKey("core.User", null=True, on_delete=models.PROTECT, related_name="+")
    until = models.DateTimeField(null=True)
    token = models.PositiveIntegerField(default=0)
    claimed_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)

    objects: ClassVar[SlotQuerySet] = SlotQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["item", "holder", "purpose", "round"],
                condition=Q(state__in=["leased", "done"]),
                name="one_opinion_per_person",
            ),
            models.UniqueConstraint(
                fields=["item", "reserved_for", "purpose", "round"],
                condition=Q(reserved_for__isnull=False) & ~Q(state="withdrawn"),
                name="one_reservation_per_person",
            ),
            models.CheckConstraint(
                condition=Q(state__in=SlotState.values), name="slot_state_known"
            ),
            models.CheckConstraint(
                condition=Q(purpose__in=Purpose.values), name="slot_purpose_known"
            ),
            models.CheckConstraint(
                condition=Q(state="open", holder=None, until=None, closed_at=None)
                | Q(state="leased", holder__isnull=False, until__isnull=False, closed_at=None)
                | Q(state="done", holder__isnull=False, until=None, closed_at__isnull=False)
                | Q(state="withdrawn", holder=None, until=None, closed_at__isnull=False),
                name="slot_shape",
            ),
        ]
        indexes = [
            models.Index(
                fields=["project", "lane", "due_at", "id"],
                condition=Q(state__in=["open", "leased"], reserved_for=None),
                name="slot_claim",
            ),
            models.Index(
                fields=["reserved_for", "project", "lane", "due_at", "id"],
                condition=Q(state__in=["open", "leased"], reserved_for__isnull=False),
                name="slot_claim_reserved",
            ),
            models.Index(fields=["holder", "state"], condition=Q(state="leased"), name="slot_held"),
            models.Index(
                fields=["project", "closed_at"], condition=Q(state="done"), name="slot_done"
            ),
        ]

    def __str__(self) -> str:
        return f"slot {self.pk} of item {self.item_id}: {self.state}"
