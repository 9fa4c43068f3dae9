"""Many hands on one queue."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from core.access import SYSTEM, Role
from core.models import User
from routing.models import Item, Slot
from routing.models.queue import SlotState
from routing.queue import Wish, assign
from tests import factories
from tests.traces import enrol, queued, take

pytestmark = pytest.mark.django_db(transaction=True)


def claim_all(project: object, person: User) -> list[int]:
    """What one thread gets until nothing is left."""
    found = []
    try:
        while leases := take(project, person):  # type: ignore[arg-type]
            found += [lease.slot_id for lease in leases]
    finally:
        connection.close()
    return found


def test_eight_people_over_forty_slots_get_forty_distinct_ones() -> None:
    project = factories.make_project()
    people = [factories.make_member(project, Role.REVIEWER, f"P{n}") for n in range(8)]
    enrol(project, *people)
    queued(factories.make_environment(project), 40)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda person: claim_all(project, person), people))
    taken = [slot for mine in found for slot in mine]
    assert len(taken) == len(set(taken)) == 40
    assert Slot.objects.filter(state=SlotState.LEASED).count() == 40


def test_one_person_in_eight_windows_never_holds_two_slots_of_an_item() -> None:
    project = factories.make_project()
    ann = factories.make_member(project, Role.REVIEWER, "Ann")
    others = [factories.make_member(project, Role.REVIEWER, f"P{n}") for n in range(2)]
    enrol(project, ann, *others)
    items = queued(factories.make_environment(project), 10)
    assign(project=project, wishes=[Wish(item.pk, tuple(others)) for item in items], actor=SYSTEM)
    Slot.objects.update(reserved_for=None)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: claim_all(project, ann), range(8)))
    held = Slot.objects.filter(pk__in=[slot for mine in found for slot in mine])
    assert held.count() == Item.objects.count() == len(set(held.values_list("item", flat=True)))
