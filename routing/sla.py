"""By when: working time, targets, and the events from which every clock derives."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from celery import shared_task
from django.core.exceptions import ValidationError
from django.db.models import DateTimeField, DurationField, ExpressionWrapper, F, Value

from core import clock
from core.access import SYSTEM, Actor, Verb, require
from core.audit import record
from core.db import command, step
from core.models import Project
from routing.models import Calendar, Item, SlaEvent, SlaPolicy
from routing.models.decision import Tier
from routing.models.queue import ItemState
from routing.models.sla import SlaEventKind
from routing.verbs import RoutingVerb

# What is promised where nobody has set anything: minutes around the clock.
DEFAULT_MINUTES = {Tier.HIGH: 240, Tier.MEDIUM: 1440, Tier.LOW: 4320}
WARN_AT = 0.75
# No calendar has less than one working hour in two years; past that it is a fault in the data.
HORIZON = timedelta(days=730)


@dataclass(frozen=True, slots=True)
class Hours:
    """Working time as values: weekday (0 is Monday) to (start, end) in local time."""

    zone: ZoneInfo
    week: Mapping[int, tuple[tuple[time, time], ...]]
    holidays: frozenset[date]

    @property
    def always(self) -> bool:
        return not self.week

    def of_day(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        """The working intervals of a local day, as instants; a lost hour (DST) is not worked."""
        if day in self.holidays:
            return
        for start, end in self.week.get(day.weekday(), ()):
            opens, closes = self._instant(day, start), self._instant(day, end)
            if opens < closes:
                yield opens, closes

    def _instant(self, day: date, at: time) -> datetime:
        if at == time.max:
            day, at = day + timedelta(days=1), time.min
        return datetime.combine(day, at, tzinfo=self.zone).astimezone(UTC)


def hours_of(calendar: Calendar) -> Hours:
    """The calendar as values. ValidationError names the field that cannot be read."""
    try:
        zone = ZoneInfo(calendar.time_zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValidationError({"time_zone": f"{calendar.time_zone} is not a time zone."}) from error
    try:
        week = {
            int(day): tuple((_clock(start), _clock(end)) for start, end in spans)
            for day, spans in calendar.hours.items()
        }
        holidays = frozenset(date.fromisoformat(day) for day in calendar.holidays)
    except (TypeError, ValueError, AttributeError) as error:
        raise ValidationError({"hours": f"Working hours cannot be read: {error}."}) from error
    if any(start >= end for spans in week.values() for start, end in spans):
        raise ValidationError({"hours": "Every working interval must end after it starts."})
    return Hours(zone, week, holidays)


def _clock(text: str) -> time:
    return time.max if text == "24:00" else time.fromisoformat(text)


def due(start: datetime, minutes: int, hours: Hours) -> datetime:
    """The instant at which `minutes` of working time have passed since `start`."""
    left = timedelta(minutes=minutes)
    if hours.always:
        return start + left
    day = start.astimezone(hours.zone).date()
    last = day + HORIZON
    while day <= last:
        for opens, closes in hours.of_day(day):
            begin = max(opens, start)
            if begin >= closes:
                continue
            if closes - begin >= left:
                return begin + left
            left -= closes - begin
        day += timedelta(days=1)
    raise ValidationError({"hours": "The calendar has too little working time for this target."})


@dataclass(frozen=True, slots=True)
class Target:
    """What is promised for a tier, and the snapshot that the decision keeps."""

    minutes: int
    hours: Hours
    snapshot: dict[str, Any]

    def due(self, start: datetime) -> datetime:
        return due(start, self.minutes, self.hours)


@step
def targets(project: Project) -> dict[str, Target]:
    """The target of each tier. Where none is set, the defaults are written down first."""
    rows = list(SlaPolicy.objects.filter(project=project, ended_at=None).select_related("calendar"))
    missing = [tier for tier in Tier if tier not in {row.tier for row in rows}]
    if missing:
        rows += _add_defaults(project, missing)
    return {row.tier: _target(row) for row in rows}


def _target(row: SlaPolicy) -> Target:
    calendar = row.calendar
    snapshot = {
        "policy": row.pk,
        "minutes": row.minutes,
        "calendar": calendar.name,
        "time_zone": calendar.time_zone,
        "hours": calendar.hours,
        "holidays": calendar.holidays,
    }
    return Target(row.minutes, hours_of(calendar), snapshot)


def _add_defaults(project: Project, tiers: Iterable[Tier]) -> list[SlaPolicy]:
    now = clock.now()
    calendar, _ = Calendar.objects.get_or_create(
        project=project, name="Around the clock", defaults={"created_at": now}
    )
    for tier in tiers:
        SlaPolicy.objects.bulk_create(
            [
                SlaPolicy(
                    project=project,
                    tier=tier,
                    minutes=DEFAULT_MINUTES[tier],
                    calendar=calendar,
                    created_at=now,
                )
            ],
            ignore_conflicts=True,
        )
    return list(
        SlaPolicy.objects.filter(project=project, ended_at=None, tier__in=tiers).select_related(
            "calendar"
        )
    )


@command
def create_calendar(
    *,
    project: Project,
    name: str,
    time_zone: str,
    hours: Mapping[str, Any],
    holidays: Iterable[str] = (),
    actor: Actor,
) -> Calendar:
    """Working time under a name. ValidationError names what cannot be read."""
    require(actor, Verb.EDIT_POLICY, project=project)
    calendar = Calendar(
        project=project,
        name=name,
        time_zone=time_zone,
        hours=dict(hours),
        holidays=list(holidays),
        created_at=clock.now(),
    )
    hours_of(calendar)
    calendar.save()
    record(
        RoutingVerb.CALENDAR_CREATED, calendar, actor=actor, project=project, after={"name": name}
    )
    return calendar


@command
def set_target(
    *,
    project: Project,
    tier: Tier,
    minutes: int,
    calendar: Calendar,
    actor: Actor,
    goal: float = 0.97,
) -> SlaPolicy:
    """The promise for a tier from now on; items that wait keep the one they were given."""
    require(actor, Verb.EDIT_POLICY, project=project)
    if minutes < 1:
        raise ValidationError({"minutes": "Write at least one minute."})
    if not 0 < goal <= 1:
        raise ValidationError({"goal": "Write a share above 0 and not above 1."})
    due(clock.now(), minutes, hours_of(calendar))
    now = clock.now()
    old = SlaPolicy.objects.select_for_update().filter(project=project, tier=tier, ended_at=None)
    before = {row.tier: row.minutes for row in old}
    old.update(ended_at=now)
    policy = SlaPolicy.objects.create(
        project=project, tier=tier, minutes=minutes, calendar=calendar, goal=goal, created_at=now
    )
    record(
        RoutingVerb.SLA_TARGET_SET,
        policy,
        actor=actor,
        project=project,
        before=before,
        after={tier: minutes},
    )
    return policy


@step
def write_events(
    items: Iterable[Item],
    kind: SlaEventKind,
    *,
    at: datetime,
    snapshots: dict[int, Any] | None = None,
) -> None:
    """One event for each item; a second of the same kind is not written."""
    SlaEvent.objects.bulk_create(
        (
            SlaEvent(
                item=item,
                kind=kind,
                due_at=item.due_at,
                snapshot=(snapshots or {}).get(item.pk, {}),
                at=at,
            )
            for item in items
        ),
        ignore_conflicts=True,
    )


@command
def sweep(*, limit: int = 1000, actor: Actor = SYSTEM) -> int:
    """Write the warnings and breaches that have become due. Returns how many items it marked."""
    now = clock.now()
    waiting = Item.objects.filter(state=ItemState.OPEN)
    breached = list(
        waiting.filter(due_at__lte=now)
        .exclude(sla_events__kind=SlaEventKind.BREACHED)
        .order_by("due_at")[:limit]
    )
    write_events(breached, SlaEventKind.BREACHED, at=now)
    warned = list(
        waiting.filter(due_at__gt=now)
        .annotate(warn_at=warn_at())
        .filter(warn_at__lte=now)
        .exclude(sla_events__kind=SlaEventKind.WARNED)
        .order_by("due_at")[:limit]
    )
    write_events(warned, SlaEventKind.WARNED, at=now)
    return len(breached) + len(warned)


def warn_at() -> ExpressionWrapper[Any]:
    """When the larger part of an item's time has gone: WARN_AT of it."""
    whole = ExpressionWrapper(F("due_at") - F("created_at"), output_field=DurationField())
    gone = ExpressionWrapper(whole * Value(WARN_AT), output_field=DurationField())
    return ExpressionWrapper(F("created_at") + gone, output_field=DateTimeField())


@shared_task(name="routing.sla.sweep")
def sweep_task() -> None:
    sweep(actor=SYSTEM)
