"""Slots: claimed once, kept by a heartbeat, fenced by a token, given to people by name."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from pytest_django import DjangoAssertNumQueries

from core import clock
from core.access import SYSTEM
from core.db import opened
from core.models import Environment, Project, User
from routing import queue, reviewers
from routing.models import Item, Reviewer, SlaEvent, Slot
from routing.models.queue import ItemState, SlotState
from routing.models.sla import SlaEventKind
from routing.queue import Closing, Lease, StaleLease, Wish
from routing.sla import sweep
from tests.traces import RISKY, enrol, queued, take


def finish(lease: Lease, actor: User) -> None:
    with opened("test"):
        queue.finish([Closing(lease.slot_id, lease.token)], actor=actor, at=clock.now())


@pytest.fixture
def crew(project: Project, ann: User, bo: User) -> tuple[User, User]:
    enrol(project, ann, bo)
    return ann, bo


def test_each_slot_goes_to_one_person(
    project: Project, environment: Environment, crew: tuple[User, User]
) -> None:
    queued(environment, 2)
    ann, bo = crew
    (first,), (second,) = take(project, ann), take(project, bo)
    assert first.slot_id != second.slot_id
    assert take(project, ann) == []


def test_two_opinions_on_an_item_come_from_two_people(
    project: Project, environment: Environment, crew: tuple[User, User]
) -> None:
    (item,) = queued(environment)
    queue.assign(project=project, wishes=[Wish(item.pk, crew)], actor=SYSTEM)
    ann, bo = crew
    assert len(take(project, ann, limit=5)) == 1
    assert len(take(project, bo, limit=5)) == 1


def test_many_at_once_are_never_two_of_one_item(
    project: Project, environment: Environment, crew: tuple[User, User]
) -> None:
    items = queued(environment, 3, **RISKY, latency_ms=90_000.0, language="de")
    leases = take(project, crew[0], limit=10)
    assert sorted(lease.item_id for lease in leases) == [item.pk for item in items]


def test_a_lease_that_ran_out_goes_to_the_next(
    project: Project, environment: Environment, crew: tuple[User, User]
) -> None:
    queued(environment)
    ann, bo = crew
    (mine,) = take(project, ann)
    with clock.at(clock.now() + timedelta(hours=1)):
        (his,) = take(project, bo)
        assert (his.slot_id, his.token) == (mine.slot_id, mine.token + 1)
        with pytest.raises(StaleLease):
            queue.heartbeat(slot_id=mine.slot_id, token=mine.token, actor=ann)
        with pytest.raises(StaleLease) as caught:
            finish(mine, ann)
        assert caught.value.slot_ids == [mine.slot_id]


def test_a_lease_that_ran_out_and_nobody_took_is_still_good(
    project: Project, environment: Environment, crew: tuple[User, User]
) -> None:
    (item,) = queued(environment)
    (mine,) = take(project, crew[0])
    with clock.at(clock.now() + timedelta(hours=1)):
        finish(mine, crew[0])
    assert Item.objects.get(pk=item.pk).state == ItemState.DONE


def test_a_heartbeat_keeps_it(
    project: Project, environment: Environment, crew: tuple[User, User]
) -> None:
    queued(environment)
    ann, bo = crew
    (mine,) = take(project, ann)
    with clock.at(mine.until - timedelta(seconds=1)):
        queue.heartbeat(slot_id=mine.slot_id, token=mine.token, actor=ann)
    with clock.at(mine.until + timedelta(seconds=60)):
        assert take(project, bo) == []
        assert queue.resume(project=project, actor=ann) is not None


def test_handing_back_opens_it_at_once(
    project: Project, environment: Environment, crew: tuple[User, User]
) -> None:
    queued(environment)
    ann, bo = crew
    (mine,) = take(project, ann)
    queue.release_slot(slot_id=mine.slot_id, token=mine.token, actor=ann)
    assert len(take(project, bo)) == 1
    with pytest.raises(StaleLease):
        queue.release_slot(slot_id=mine.slot_id, token=mine.token, actor=ann)


def test_an_item_that_is_avoided_is_left_to_others(
    project: Project, environment: Environment, crew: tuple[User, User]
) -> None:
    first, second = queued(environment, 2)
    ann, bo = crew
    [mine] = queue.claim(project=project, actor=ann, avoiding=[first.pk])
    assert mine.item_id == second.pk
    assert queue.claim(project=project, actor=ann, avoiding=[first.pk], limit=5) == []
    assert [lease.item_id for lease in take(project, bo)] == [first.pk]


def test_nobody_finishes_what_another_holds(
    project: Project, environment: Environment, crew: tuple[User, User]
) -> None:
    queued(environment)
    (mine,) = take(project, crew[0])
    with pytest.raises(StaleLease):
        finish(mine, crew[1])


def test_the_last_slot_closes_the_item_and_its_clock(
    project: Project, environment: Environment, crew: tuple[User, User]
) -> None:
    (item,) = queued(environment)
    queue.assign(project=project, wishes=[Wish(item.pk, crew)], actor=SYSTEM)
    for done, person in enumerate(crew, start=1):
        finish(take(project, person)[0], person)
        state = Item.objects.get(pk=item.pk).state
        assert state == (ItemState.OPEN if done == 1 else ItemState.DONE)
    kinds = set(SlaEvent.objects.filter(item=item).values_list("kind", flat=True))
    assert kinds == {SlaEventKind.APPLIED, SlaEventKind.FULFILLED}


def test_assigning_twice_changes_nothing(
    project: Project, environment: Environment, crew: tuple[User, User]
) -> None:
    items = queued(environment, 3)
    wishes = [Wish(item.pk, crew, only=True) for item in items]
    assert queue.assign(project=project, wishes=wishes, actor=SYSTEM) == 6
    assert queue.assign(project=project, wishes=wishes, actor=SYSTEM) == 0
    assert Slot.objects.count() == 6


def test_only_means_nobody_else(
    project: Project, environment: Environment, crew: tuple[User, User]
) -> None:
    (item,) = queued(environment, **RISKY, latency_ms=90_000.0, language="de")
    ann, bo = crew
    queue.assign(project=project, wishes=[Wish(item.pk, (ann,), only=True)], actor=SYSTEM)
    assert take(project, bo) == []
    finish(take(project, ann)[0], ann)
    assert Item.objects.get(pk=item.pk).state == ItemState.DONE


def test_only_nobody_is_refused_and_closes_nothing(
    project: Project, environment: Environment
) -> None:
    (item,) = queued(environment)
    with pytest.raises(ValidationError) as caught:
        queue.assign(project=project, wishes=[Wish(item.pk, (), only=True)], actor=SYSTEM)
    assert list(caught.value.message_dict) == ["people"]
    assert Item.objects.get(pk=item.pk).state == ItemState.OPEN


def test_two_wishes_for_an_item_are_refused(
    project: Project, environment: Environment, crew: tuple[User, User]
) -> None:
    (item,) = queued(environment)
    wishes = [Wish(item.pk, (person,), only=True) for person in crew]
    with pytest.raises(ValidationError) as caught:
        queue.assign(project=project, wishes=wishes, actor=SYSTEM)
    assert list(caught.value.message_dict) == ["item"]
    assert not Slot.objects.exclude(reserved_for=None).exists()


def test_nothing_is_reserved_for_who_cannot_claim_it(
    project: Project, environment: Environment, crew: tuple[User, User], lee: User, cy: User
) -> None:
    (item,) = queued(environment)
    ann, bo = crew
    reviewers.pause(reviewer=Reviewer.objects.get(user=ann), actor=lee)
    with pytest.raises(ValidationError) as caught:
        queue.assign(project=project, wishes=[Wish(item.pk, (ann, bo, cy))], actor=SYSTEM)
    (said,) = caught.value.message_dict["people"]
    assert (str(ann) in said, str(bo) in said, str(cy) in said) == (True, False, True)
    assert not Slot.objects.exclude(reserved_for=None).exists()


def test_who_has_a_slot_keeps_it_while_paused(
    project: Project, environment: Environment, crew: tuple[User, User], lee: User
) -> None:
    (item,) = queued(environment)
    wishes = [Wish(item.pk, crew, only=True)]
    assert queue.assign(project=project, wishes=wishes, actor=SYSTEM) == 2
    reviewers.pause(reviewer=Reviewer.objects.get(user=crew[0]), actor=lee)
    assert queue.assign(project=project, wishes=wishes, actor=SYSTEM) == 0


def test_assigning_in_bulk_costs_few_statements(
    project: Project,
    environment: Environment,
    crew: tuple[User, User],
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    wishes = [Wish(item.pk, crew, only=True) for item in queued(environment, 50)]
    with django_assert_max_num_queries(12):
        queue.assign(project=project, wishes=wishes, actor=SYSTEM)


def test_a_claim_costs_few_statements(
    project: Project,
    environment: Environment,
    crew: tuple[User, User],
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    queued(environment, 5)
    with django_assert_max_num_queries(11):
        take(project, crew[0])


def test_the_urgent_lane_is_first_and_late_work_every_fourth_time(
    project: Project, environment: Environment, crew: tuple[User, User]
) -> None:
    late = queued(environment, 3)
    Slot.objects.filter(item__in=late).update(due_at=clock.now() - timedelta(hours=1))
    queued(environment, 6)
    urgent = queued(environment)[0]
    Slot.objects.filter(item=urgent).update(lane=0)
    order = [take(project, crew[0])[0].item_id for _ in range(8)]
    names = [
        "urgent" if i == urgent.pk else "late" if i in {x.pk for x in late} else "fresh"
        for i in order
    ]
    assert names == ["urgent", "fresh", "fresh", "late", "fresh", "fresh", "fresh", "late"]


def test_whoever_is_paused_gets_nothing_and_can_still_finish(
    project: Project, environment: Environment, crew: tuple[User, User], lee: User
) -> None:
    queued(environment, 2)
    ann = crew[0]
    (mine,) = take(project, ann)
    reviewers.pause(reviewer=Reviewer.objects.get(user=ann), actor=lee)
    with pytest.raises(PermissionDenied):
        take(project, ann)
    finish(mine, ann)


@pytest.mark.parametrize("name", ["vi", "eve", "ada", "cy", "lee"])
def test_who_is_not_a_reviewer_claims_nothing(
    project: Project, environment: Environment, name: str, request: pytest.FixtureRequest
) -> None:
    queued(environment)
    with pytest.raises(PermissionDenied):
        take(project, request.getfixturevalue(name))


def test_a_breach_is_written_once(project: Project, environment: Environment) -> None:
    (item,) = queued(environment)
    with clock.at(item.due_at - timedelta(minutes=1)):
        assert sweep(actor=SYSTEM) == 1
    with clock.at(item.due_at + timedelta(minutes=1)):
        assert sweep(actor=SYSTEM) == 1
        assert sweep(actor=SYSTEM) == 0
    kinds = SlaEvent.objects.filter(item=item).order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == [SlaEventKind.APPLIED, SlaEventKind.WARNED, SlaEventKind.BREACHED]


def test_a_slot_that_is_done_without_holder_cannot_be_stored(
    project: Project, environment: Environment
) -> None:
    queued(environment)
    with pytest.raises(Exception, match="slot_shape"):
        Slot.objects.update(state=SlotState.DONE)


def test_who_ends_late_has_breached_though_no_sweep_saw_it(
    project: Project, environment: Environment, crew: tuple[User, User]
) -> None:
    (item,) = queued(environment)
    with clock.at(item.due_at + timedelta(seconds=5)):
        (mine,) = take(project, crew[0])
        finish(mine, crew[0])
        assert sweep(actor=SYSTEM) == 0
    kinds = SlaEvent.objects.filter(item=item).order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == [SlaEventKind.APPLIED, SlaEventKind.BREACHED, SlaEventKind.FULFILLED]


def test_fresh_items_that_are_due_first_keep_no_other_from_its_warning(
    environment: Environment,
) -> None:
    (old,) = queued(environment)
    with clock.at(old.due_at - timedelta(minutes=30)):
        fresh = queued(environment, 2)
        Item.objects.filter(pk__in=[item.pk for item in fresh]).update(
            due_at=old.due_at - timedelta(minutes=1)
        )
        assert sweep(limit=2, actor=SYSTEM) == 1
    assert SlaEvent.objects.get(kind=SlaEventKind.WARNED).item == old
