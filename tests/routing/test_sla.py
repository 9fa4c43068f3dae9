"""Due dates in working time, and the events of the clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from hypothesis import given
from hypothesis import strategies as st

from core import clock
from core.models import Project, User
from routing import sla
from routing.models import Calendar, SlaPolicy
from routing.models.decision import Tier

BERLIN = ZoneInfo("Europe/Berlin")
NINE_TO_FIVE = ((time(9), time(12)), (time(13), time(17)))
OFFICE = sla.Hours(BERLIN, dict.fromkeys(range(5), NINE_TO_FIVE), frozenset())


def berlin(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=BERLIN)  # type: ignore[misc, arg-type]


def test_around_the_clock_is_plain_addition() -> None:
    always = sla.Hours(ZoneInfo("UTC"), {}, frozenset())
    start = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)
    assert sla.due(start, 60, always) == datetime(2026, 3, 2, 0, 30, tzinfo=UTC)


def test_lunch_is_not_worked() -> None:
    assert sla.due(berlin(2026, 3, 2, 11, 30), 60, OFFICE) == berlin(2026, 3, 2, 13, 30)


def test_friday_evening_is_due_on_monday() -> None:
    assert sla.due(berlin(2026, 3, 6, 16, 30), 60, OFFICE) == berlin(2026, 3, 9, 9, 30)


def test_a_holiday_is_passed_over() -> None:
    hours = sla.Hours(BERLIN, OFFICE.week, frozenset({date(2026, 3, 9)}))
    assert sla.due(berlin(2026, 3, 6, 16, 30), 60, hours) == berlin(2026, 3, 10, 9, 30)


def test_the_hour_that_spring_takes_is_not_worked() -> None:
    night = sla.Hours(BERLIN, {6: ((time(1), time(5)),)}, frozenset())
    assert sla.due(berlin(2026, 3, 29, 0), 120, night) == berlin(2026, 3, 29, 4)


def test_a_calendar_without_time_is_refused() -> None:
    never = sla.Hours(BERLIN, {0: ()}, frozenset())
    with pytest.raises(ValidationError, match="too little working time"):
        sla.due(berlin(2026, 3, 6, 16, 30), 60, never)


def walk(start: datetime, minutes: int, hours: sla.Hours) -> datetime:
    """Minute by minute: slow, and hard to get wrong."""
    now = start.astimezone(UTC)
    while minutes:
        local = now.astimezone(hours.zone)
        spans = hours.week.get(local.weekday(), ())
        at = local.time().replace(tzinfo=None)
        minutes -= local.date() not in hours.holidays and any(a <= at < b for a, b in spans)
        now += timedelta(minutes=1)
    return now


@given(
    minutes=st.integers(1, 900),
    start=st.integers(0, 16 * 24 * 60),
    days=st.sets(st.integers(0, 6), min_size=1),
)
def test_due_agrees_with_a_minute_walker(minutes: int, start: int, days: set[int]) -> None:
    hours = sla.Hours(BERLIN, dict.fromkeys(days, NINE_TO_FIVE), frozenset({date(2026, 10, 27)}))
    begin = datetime(2026, 10, 20, tzinfo=UTC) + timedelta(minutes=start)
    assert sla.due(begin, minutes, hours) == walk(begin, minutes, hours)


@pytest.mark.parametrize(
    ("field", "hours", "zone"),
    [
        ("time_zone", {}, "Mars/Olympus"),
        ("hours", {"0": [["17:00", "09:00"]]}, "UTC"),
        ("hours", {"0": [["nine", "five"]]}, "UTC"),
    ],
)
def test_a_calendar_that_cannot_be_read_names_its_field(
    project: Project, ada: User, field: str, hours: dict[str, object], zone: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        sla.create_calendar(project=project, name="x", time_zone=zone, hours=hours, actor=ada)
    assert field in caught.value.message_dict


def test_a_new_target_ends_the_old_one(project: Project, ada: User) -> None:
    calendar = Calendar.objects.create(project=project, name="all", created_at=clock.now())
    for minutes in (60, 30):
        sla.set_target(
            project=project, tier=Tier.HIGH, minutes=minutes, calendar=calendar, actor=ada
        )
    found = SlaPolicy.objects.in_project(project).filter(tier=Tier.HIGH)
    assert [(row.minutes, row.ended_at is None) for row in found.order_by("pk")] == [
        (60, False),
        (30, True),
    ]


def test_a_reviewer_sets_no_targets(project: Project, ann: User) -> None:
    calendar = Calendar.objects.create(project=project, name="all", created_at=clock.now())
    with pytest.raises(PermissionDenied):
        sla.set_target(project=project, tier=Tier.HIGH, minutes=5, calendar=calendar, actor=ann)
