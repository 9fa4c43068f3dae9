"""The end of a slot, and of an item when its last slot ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef

from core.db import IllegalTransition, step
from core.models import User
from routing.models import Item, Slot
from routing.models.queue import ItemState, SlotState
from routing.models.sla import SlaEventKind
from routing.sla import write_events


class StaleLease(IllegalTransition):
    """The lease is gone: somebody else may hold the slot. `slot_ids` are those concerned."""

    def __init__(self, slot_ids: Sequence[int]) -> None:
        self.slot_ids = list(slot_ids)
        super().__init__(
            "Your lease on this item has ended and it may be with somebody else. "
            "What you wrote is kept as a draft."
        )


@dataclass(frozen=True, slots=True)
class Closing:
    """A slot that its holder has done, with the token of the claim."""

    slot_id: int
    token: int


@step
def finish(closings: Sequence[Closing], *, actor: User, at: datetime) -> dict[int, Slot]:
    """Close the slots, and the items whose last slot this was. Slots by id, with `item` loaded.

    All or nothing: StaleLease names those whose token is not the one of the last claim. A lease
    whose time has passed but that nobody has taken is still good.
    """
    tokens = {each.slot_id: each.token for each in closings}
    # Parent before child, each by id: two people who end one item never wait for each other.
    items = list(
        Item.objects.select_for_update(no_key=True)
        .filter(Exists(Slot.objects.filter(item=OuterRef("pk"), pk__in=tokens)))
        .order_by("pk")
    )
    by_id = {item.pk: item for item in items}
    slots = {
        slot.pk: slot
        for slot in Slot.objects.select_for_update().filter(pk__in=tokens).order_by("pk")
    }
    stale = [pk for pk, token in tokens.items() if not _held(slots.get(pk), token, actor)]
    if stale:
        raise StaleLease(stale)
    for slot in slots.values():
        slot.item = by_id[slot.item_id]
        slot.state, slot.until, slot.closed_at = SlotState.DONE, None, at
    Slot.objects.filter(pk__in=slots).update(state=SlotState.DONE, until=None, closed_at=at)
    Item.objects.filter(pk__in=by_id, first_done_at=None).update(first_done_at=at)
    close_finished(items, at=at)
    return slots


def _held(slot: Slot | None, token: int, actor: User) -> bool:
    return (
        slot is not None
        and slot.state == SlotState.LEASED
        and slot.token == token
        and slot.holder_id == actor.pk
    )


@step
def close_finished(items: Sequence[Item], *, at: datetime) -> list[Item]:
    """Those of the locked `items` that want no more opinions are done, and their clocks stop."""
    still = Slot.objects.filter(item=OuterRef("pk"), state__in=[SlotState.OPEN, SlotState.LEASED])
    done = list(
        Item.objects.filter(pk__in=[item.pk for item in items], state=ItemState.OPEN).filter(
            ~Exists(still)
        )
    )
    Item.objects.filter(pk__in=[item.pk for item in done]).update(
        state=ItemState.DONE, closed_at=at
    )
    # The sweep looks every half minute, or not at all: whoever ends late says so.
    write_events([item for item in done if item.due_at < at], SlaEventKind.BREACHED, at=at)
    write_events(done, SlaEventKind.FULFILLED, at=at)
    return done
