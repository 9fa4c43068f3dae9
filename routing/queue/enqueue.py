"""Putting outputs before people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.db import step
from routing.models import Decision, Item, Slot
from routing.models.decision import Tier
from routing.models.queue import Purpose
from routing.models.sla import SlaEventKind
from routing.sla import write_events


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a decision asks for: how many opinions, by when, and why."""

    decision: Decision
    project_id: int
    opinions: int
    due_at: datetime
    purpose: Purpose
    snapshot: dict[str, Any]


@step
def enqueue(wanted: Sequence[Wanted], *, at: datetime) -> list[Item]:
    """Items with their slots and the applied SLA, in three statements for any number."""
    items = Item.objects.bulk_create(
        Item(
            project_id=each.project_id,
            trace_id=each.decision.trace_id,
            decision=each.decision,
            tier=each.decision.tier,
            due_at=each.due_at,
            created_at=at,
        )
        for each in wanted
    )
    pairs = list(zip(items, wanted, strict=True))
    Slot.objects.bulk_create(
        slot_of(item, each.purpose) for item, each in pairs for _ in range(each.opinions)
    )
    snapshots = {item.pk: each.snapshot for item, each in pairs}
    write_events(items, SlaEventKind.APPLIED, at=at, snapshots=snapshots)
    return items


def slot_of(item: Item, purpose: Purpose, **more: Any) -> Slot:
    """An open slot that repeats what the claim reads of its item."""
    return Slot(
        item=item,
        project_id=item.project_id,
        purpose=purpose,
        lane=0 if item.tier == Tier.HIGH else 1,
        due_at=item.due_at,
        **more,
    )
