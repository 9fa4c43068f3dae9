"""Giving items to people by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.core.exceptions import ValidationError

from core import clock
from core.access import Actor, Verb, require
from core.audit import record
from core.db import command
from core.models import Project, User
from routing.models import Item, Reviewer, Slot
from routing.models.queue import ItemState, Purpose, SlotState
from routing.models.reviewer import ReviewerState
from routing.queue.enqueue import slot_of
from routing.queue.finish import close_finished
from routing.verbs import RoutingVerb


@dataclass(frozen=True, slots=True)
class Wish:
    """Who shall judge an item. With `only`, nobody else shall: open free slots are withdrawn."""

    item_id: int
    people: tuple[User, ...]
    only: bool = False


@command
def assign(*, project: Project, wishes: Sequence[Wish], actor: Actor) -> int:
    """Reserve slots for people, adding those that are wanting. Returns how many were reserved.

    Whoever has a slot of the item already, reserved or held, keeps it; doing it twice changes
    nothing. Closed items are passed over. ValidationError where an item is wished for twice, where
    `only` names nobody, and where a slot would wait for somebody who cannot claim it.
    """
    require(actor, Verb.MANAGE_QUEUE, project=project)
    _check(wishes)
    items = {
        item.pk: item
        for item in Item.objects.select_for_update(no_key=True)
        .filter(project=project, pk__in=[wish.item_id for wish in wishes], state=ItemState.OPEN)
        .order_by("pk")
    }
    slots = _slots_by_item(items)
    wished = [wish for wish in wishes if wish.item_id in items]
    changed: list[Slot] = []
    added: list[Slot] = []
    for wish in wished:
        _plan(wish, items[wish.item_id], slots.get(wish.item_id, []), changed, added)
    _require_reviewers(project, wished, [*changed, *added])
    Slot.objects.bulk_update(changed, ["reserved_for", "state", "closed_at"], batch_size=1000)
    Slot.objects.bulk_create(added, batch_size=2000)
    close_finished(list(items.values()), at=clock.now())
    reserved = len(added) + sum(slot.state == SlotState.OPEN for slot in changed)
    if reserved or changed:
        record(
            RoutingVerb.SLOTS_ASSIGNED,
            project,
            actor=actor,
            project=project,
            after={"items": len(items), "reserved": reserved},
        )
    return reserved


def _check(wishes: Sequence[Wish]) -> None:
    named = set()
    for wish in wishes:
        if wish.item_id in named:
            raise ValidationError({"item": f"Item {wish.item_id} is wished for twice."})
        named.add(wish.item_id)
        if wish.only and not wish.people:
            raise ValidationError({"people": f"Item {wish.item_id}: name who alone shall judge."})


def _require_reviewers(project: Project, wished: Sequence[Wish], slots: Sequence[Slot]) -> None:
    """Nobody else may take what is reserved: for who cannot claim, it would wait for ever."""
    people = {person.pk: person for wish in wished for person in wish.people}
    wanted = {slot.reserved_for_id for slot in slots if slot.reserved_for_id in people}
    able = Reviewer.objects.filter(project=project, user__in=wanted, state=ReviewerState.ACTIVE)
    missing = wanted - set(able.values_list("user_id", flat=True))
    if missing:
        names = ", ".join(sorted(str(people[pk]) for pk in missing if pk))
        raise ValidationError({"people": f"Not an active reviewer of this project: {names}."})


def _slots_by_item(items: dict[int, Item]) -> dict[int, list[Slot]]:
    found: dict[int, list[Slot]] = {}
    for slot in Slot.objects.select_for_update().filter(item__in=items).order_by("pk"):
        found.setdefault(slot.item_id, []).append(slot)
    return found


def _plan(
    wish: Wish, item: Item, slots: list[Slot], changed: list[Slot], added: list[Slot]
) -> None:
    alive = [slot for slot in slots if slot.state != SlotState.WITHDRAWN]
    served = {slot.reserved_for_id or slot.holder_id for slot in alive}
    free = [slot for slot in alive if slot.state == SlotState.OPEN and not slot.reserved_for_id]
    purpose = Purpose(alive[0].purpose) if alive else Purpose.WORK
    for person in wish.people:
        if person.pk in served:
            continue
        if free:
            slot = free.pop(0)
            slot.reserved_for = person
            changed.append(slot)
        else:
            added.append(slot_of(item, purpose, reserved_for=person))
    if wish.only:
        for slot in free:
            slot.state, slot.closed_at = SlotState.WITHDRAWN, clock.now()
            changed.append(slot)
