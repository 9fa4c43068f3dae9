"""The numbers of the board, each against a world that is small enough to count by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core import clock
from core.access import SYSTEM
from core.db import opened
from core.models import Environment, Project, User
from routing import queue, sla, sla_board
from routing.models import Calendar, Item, Slot
from routing.models.decision import Tier
from routing.models.queue import ItemState, Purpose
from routing.queue import finish
from routing.queue.finish import Closing
from routing.sla_board import Clock
from tests import traces

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _promise(project: Project) -> None:
    """Medium risk within 100 minutes, around the clock."""
    calendar = Calendar.objects.create(project=project, name="Always", created_at=NOON)
    for tier in Tier:
        sla.set_target(project=project, tier=tier, minutes=100, calendar=calendar, actor=SYSTEM)


def arrive(environment: Environment, ago: timedelta, number: int = 1) -> list[Item]:
    with clock.at(NOON - ago):
        return traces.queued(environment, number)


def answer(person: User, project: Project, claimed: timedelta, seconds: int) -> None:
    """One opinion, claimed so long ago and given `seconds` later."""
    with clock.at(NOON - claimed):
        [lease] = queue.claim(project=project, actor=person)
    done = NOON - claimed + timedelta(seconds=seconds)
    with clock.at(done), opened("test"):
        finish([Closing(lease.slot_id, lease.token)], actor=person, at=done)


def whole(project: Project, window: timedelta = 7 * DAY) -> Clock:
    with clock.at(NOON):
        return sla_board.total(sla_board.clocks(project, since=NOON - window))


def test_what_was_closed_in_time_late_and_never(
    project: Project, environment: Environment, ann: User
) -> None:
    traces.enrol(project, ann)
    arrive(environment, timedelta(hours=9))
    answer(ann, project, claimed=timedelta(hours=8), seconds=60)
    arrive(environment, timedelta(hours=7))
    answer(ann, project, claimed=timedelta(hours=5), seconds=60)
    arrive(environment, timedelta(hours=4))
    found = whole(project)
    assert (found.closed, found.met, found.overdue, found.judged) == (2, 1, 1, 3)


def test_waiting_is_told_apart_by_how_near_the_due_date_is(
    project: Project, environment: Environment
) -> None:
    overdue, warned, hour, fresh = (
        arrive(environment, timedelta(minutes=minutes))[0] for minutes in (101, 99, 45, 5)
    )
    found = whole(project)
    assert (found.waiting, found.overdue, found.at_risk) == (4, 1, 2)
    assert found.oldest == overdue.created_at
    assert found.next_due == warned.due_at
    with clock.at(NOON):
        assert [item.pk for item in sla_board.pressing(project)] == [
            overdue.pk,
            warned.pk,
            hour.pk,
        ]
    assert fresh.due_at > NOON + sla_board.SOON


def test_long_promises_are_at_risk_when_most_of_the_time_has_gone(
    project: Project, environment: Environment
) -> None:
    calendar = Calendar.objects.get(project=project)
    for tier in Tier:
        sla.set_target(project=project, tier=tier, minutes=6000, calendar=calendar, actor=SYSTEM)
    arrive(environment, timedelta(minutes=4499))
    assert whole(project).at_risk == 0
    arrive(environment, timedelta(minutes=4501))
    assert whole(project).at_risk == 1


def test_the_window_forgets_what_closed_before_it_but_not_what_is_overdue(
    project: Project, environment: Environment, ann: User
) -> None:
    traces.enrol(project, ann)
    arrive(environment, timedelta(days=3))
    answer(ann, project, claimed=timedelta(days=3) - timedelta(minutes=5), seconds=60)
    arrive(environment, timedelta(days=3))
    assert (whole(project, DAY).closed, whole(project, DAY).overdue) == (0, 1)
    assert whole(project).closed == 1


def test_each_tier_keeps_its_own_goal(project: Project, environment: Environment) -> None:
    calendar = Calendar.objects.get(project=project)
    sla.set_target(
        project=project, tier=Tier.LOW, minutes=600, calendar=calendar, goal=0.9, actor=SYSTEM
    )
    arrive(environment, timedelta(minutes=5))
    with clock.at(NOON):
        rows = sla_board.clocks(project, since=NOON - DAY)
    assert [(row.tier, row.goal, row.waiting) for row in rows] == [
        ("high", 0.97, 0),
        ("medium", 0.97, 0),
        ("low", 0.9, 1),
    ]
    assert rows[2].promise == "10 h"


@pytest.mark.parametrize("purpose", [Purpose.GOLD, Purpose.REPEAT, Purpose.CALIBRATION])
def test_gold_repeats_and_calibration_never_count(
    project: Project, environment: Environment, ann: User, purpose: Purpose
) -> None:
    traces.enrol(project, ann)
    arrive(environment, timedelta(hours=5), number=2)
    Slot.objects.update(purpose=purpose)
    answer(ann, project, claimed=timedelta(hours=1), seconds=60)
    found = whole(project)
    with clock.at(NOON):
        days = sla_board.breaches(project)
        spreads = sla_board.spreads(project, since=NOON - DAY)
        [load] = sla_board.loads(project, since=NOON - DAY)
        assert sla_board.pressing(project) == []
    assert (found.closed, found.waiting, found.overdue) == (0, 0, 0)
    assert sum(day.due for day in days) == 0
    assert [spread.n for spread in spreads] == [0, 0, 0]
    assert (load.held, load.today, load.done) == (0, 0, 0)


def test_withdrawn_items_are_neither_kept_nor_broken_promises(
    project: Project, environment: Environment
) -> None:
    [item] = arrive(environment, timedelta(hours=5))
    Item.objects.filter(pk=item.pk).update(state=ItemState.WITHDRAWN, closed_at=NOON)
    assert whole(project).judged == 0
    with clock.at(NOON):
        assert sum(day.due for day in sla_board.breaches(project)) == 0


def test_breaches_stand_on_the_day_they_were_due(
    project: Project, environment: Environment, ann: User
) -> None:
    traces.enrol(project, ann)
    arrive(environment, timedelta(days=2))
    answer(ann, project, claimed=timedelta(days=1), seconds=60)
    arrive(environment, timedelta(hours=3))
    arrive(environment, timedelta(days=20))
    with clock.at(NOON):
        days = sla_board.breaches(project)
    assert len(days) == sla_board.BREACH_DAYS
    assert days[-1].day == NOON.date()
    assert [(day.due, day.late) for day in days if day.due] == [(1, 1), (1, 1)]
    assert days[-3].late == days[-1].late == 1


def test_waiting_and_handling_have_a_middle_and_a_slow_end(
    project: Project, environment: Environment, ann: User
) -> None:
    traces.enrol(project, ann)
    for minutes in (100, 80, 60):
        arrive(environment, timedelta(minutes=minutes))
        answer(ann, project, claimed=timedelta(minutes=minutes - 10), seconds=minutes)
    with clock.at(NOON):
        wait, handling, together = sla_board.spreads(project, since=NOON - DAY)
    assert (wait.n, wait.p50) == (3, timedelta(minutes=10))
    assert handling.p50 == timedelta(seconds=80)
    assert handling.p90 == timedelta(seconds=96)
    assert together.p50 == timedelta(minutes=10, seconds=80)


def test_load_tells_what_everybody_holds_and_did(
    project: Project, environment: Environment, ann: User, bo: User
) -> None:
    traces.enrol(project, ann, bo)
    arrive(environment, timedelta(hours=30), number=2)
    answer(ann, project, claimed=timedelta(hours=29), seconds=60)
    answer(ann, project, claimed=timedelta(hours=2), seconds=120)
    arrive(environment, timedelta(minutes=5), number=2)
    with clock.at(NOON - timedelta(minutes=1)):
        queue.claim(project=project, actor=bo)
    with clock.at(NOON - timedelta(minutes=59)):
        queue.claim(project=project, actor=ann)
    with clock.at(NOON):
        first, second = sla_board.loads(project, since=NOON - 7 * DAY)
        held = sla_board.pressing(project)
    assert (first.user, first.held, first.today, first.done) == (ann, 0, 1, 2)
    assert first.handling == timedelta(seconds=90)
    assert (second.user, second.held, second.done) == (bo, 1, 0)
    assert held == []


def test_another_project_is_not_counted(
    project: Project, environment: Environment, elsewhere: Project
) -> None:
    arrive(environment, timedelta(hours=5))
    assert whole(elsewhere).waiting == 0
    with clock.at(NOON):
        assert sla_board.pressing(elsewhere) == []
        assert sum(day.due for day in sla_board.breaches(elsewhere)) == 0


@pytest.mark.parametrize("number", [1, 6])
def test_every_number_costs_a_fixed_handful_of_statements(
    project: Project, environment: Environment, ann: User, bo: User, number: int
) -> None:
    traces.enrol(project, ann, bo)
    arrive(environment, timedelta(hours=5), number=number)
    since = NOON - DAY
    with clock.at(NOON):
        queue.claim(project=project, actor=ann)
        costs = {}
        for name, read in {
            "clocks": lambda: sla_board.clocks(project, since=since),
            "pressing": lambda: sla_board.pressing(project),
            "breaches": lambda: sla_board.breaches(project),
            "spreads": lambda: sla_board.spreads(project, since=since),
            "loads": lambda: sla_board.loads(project, since=since),
        }.items():
            with CaptureQueriesContext(connection) as caught:
                read()
            costs[name] = len(caught)
    assert costs == {"clocks": 2, "pressing": 2, "breaches": 1, "spreads": 2, "loads": 2}
