"""The numbers of the SLA board: pure reads, a handful of statements however much waits.

Only work and audits count; gold, repeats and calibration never enter. Times are elapsed, not
working, time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db.models import (
    Aggregate,
    Count,
    DurationField,
    Exists,
    ExpressionWrapper,
    F,
    Min,
    OuterRef,
    Q,
    QuerySet,
)
from django.db.models.functions import TruncDate

from core import clock
from core.figures import span
from core.models import Project, User
from routing.models import Item, Reviewer, SlaPolicy, Slot
from routing.models.decision import Tier
from routing.models.queue import ItemState, Purpose, SlotState
from routing.sla import warn_at

COUNTED: Final = (Purpose.WORK, Purpose.AUDIT)
SOON: Final = timedelta(hours=1)
BREACH_DAYS: Final = 14
GOAL: Final = 0.97
LISTED: Final = 12


class Percentile(Aggregate):
    """The continuous percentile of a duration: the share `at` of values lies below it."""

    function = "PERCENTILE_CONT"
    template = "%(function)s(%(at)s) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = DurationField()

    def __init__(self, expression: Any, at: float, **extra: Any) -> None:
        super().__init__(expression, at=float(at), **extra)


@dataclass(frozen=True, slots=True)
class Clock:
    """How the promise stands, for a tier or for all.

    `closed` counts items that ended in the window, `met` those of them in time. `at_risk` and
    `overdue` are of the `waiting`; `oldest` is when the first of those arrived.
    """

    tier: str
    goal: float
    minutes: int | None = None
    calendar: str = ""
    closed: int = 0
    met: int = 0
    waiting: int = 0
    at_risk: int = 0
    overdue: int = 0
    oldest: datetime | None = None
    next_due: datetime | None = None

    @property
    def judged(self) -> int:
        """Items whose promise is decided: closed, or overdue and still waiting."""
        return self.closed + self.overdue

    @property
    def promise(self) -> str:
        """The target as a duration of working time."""
        return "" if self.minutes is None else span(self.minutes * 60)

    @property
    def label(self) -> str:
        return str(Tier(self.tier).label) if self.tier else "All"


@dataclass(frozen=True, slots=True)
class Spread:
    """The middle and the slow end of a duration, over `n` opinions."""

    name: str
    text: str
    p50: timedelta | None
    p90: timedelta | None
    n: int

    @property
    def p50_seconds(self) -> float | None:
        return _seconds(self.p50)

    @property
    def p90_seconds(self) -> float | None:
        return _seconds(self.p90)


@dataclass(frozen=True, slots=True)
class Load:
    """What a reviewer holds and has done. `handling` is the median time of one opinion."""

    user: User
    state: str
    held: int = 0
    today: int = 0
    done: int = 0
    handling: timedelta | None = None

    @property
    def seconds(self) -> float | None:
        return _seconds(self.handling)


@dataclass(frozen=True, slots=True)
class Day:
    """Items due on a day, and those of them that were late."""

    day: date
    due: int
    late: int


def _seconds(length: timedelta | None) -> float | None:
    return None if length is None else length.total_seconds()


def clocks(project: Project, *, since: datetime) -> list[Clock]:
    """One for each tier, the most urgent first; two statements."""
    now = clock.now()
    counts = {row["tier"]: row for row in _counts(project, since, now)}
    policies = {
        row.tier: row
        for row in SlaPolicy.objects.in_project(project)
        .filter(ended_at=None)
        .select_related("calendar")
    }
    return [_clock(tier, counts.get(tier, {}), policies.get(tier)) for tier in reversed(Tier)]


def _clock(tier: str, counts: Mapping[str, Any], policy: SlaPolicy | None) -> Clock:
    numbers = {name: value for name, value in counts.items() if name != "tier"}
    if policy is None:
        return Clock(tier, GOAL, **numbers)
    return Clock(tier, policy.goal, policy.minutes, policy.calendar.name, **numbers)


def total(rows: Iterable[Clock]) -> Clock:
    """All tiers as one: for whoever may not see tiers. The goal is the strictest of them."""
    found = list(rows)
    names = ("closed", "met", "waiting", "at_risk", "overdue")
    sums = {name: sum(getattr(row, name) for row in found) for name in names}
    return Clock(
        "",
        max((row.goal for row in found), default=GOAL),
        oldest=min((row.oldest for row in found if row.oldest), default=None),
        next_due=min((row.next_due for row in found if row.next_due), default=None),
        **sums,
    )


def _counts(project: Project, since: datetime, now: datetime) -> Iterable[Mapping[str, Any]]:
    waiting = Q(state=ItemState.OPEN)
    ended = Q(state=ItemState.DONE, closed_at__gte=since)
    return (
        _items(project)
        .filter(waiting | ended)
        .annotate(warn_at=warn_at())
        .values("tier")
        .annotate(
            closed=Count("pk", filter=ended),
            met=Count("pk", filter=ended & Q(closed_at__lte=F("due_at"))),
            waiting=Count("pk", filter=waiting),
            overdue=Count("pk", filter=waiting & Q(due_at__lte=now)),
            at_risk=Count("pk", filter=waiting & _soon(now)),
            oldest=Min("created_at", filter=waiting),
            next_due=Min("due_at", filter=waiting & Q(due_at__gt=now)),
        )
        .order_by("tier")
    )


def _items(project: Project) -> QuerySet[Item]:
    """Items that somebody works on for the project's own sake."""
    counted = Slot.objects.filter(item=OuterRef("pk"), purpose__in=COUNTED)
    return Item.objects.in_project(project).filter(Exists(counted))


def _soon(now: datetime) -> Q:
    """In time now, and due within the hour or with the warning share of its time gone."""
    return Q(due_at__gt=now) & (Q(due_at__lte=now + SOON) | Q(warn_at__lte=now))


def pressing(project: Project, limit: int = LISTED) -> list[Item]:
    """What is overdue or at risk, by due date, with `trace` and `held`: who has it now.

    Two statements.
    """
    now = clock.now()
    rows = _items(project).filter(state=ItemState.OPEN).annotate(warn_at=warn_at())
    near = rows.filter(Q(due_at__lte=now) | _soon(now))
    items: list[Item] = list(near.select_related("trace").order_by("due_at", "pk")[:limit])
    held: dict[int, list[User]] = {}
    leased = Slot.objects.filter(item__in=items, state=SlotState.LEASED, until__gt=now)
    for slot in leased.select_related("holder").order_by("pk"):
        if slot.holder is not None:
            held.setdefault(slot.item_id, []).append(slot.holder)
    for item in items:
        item.held = held.get(item.pk, [])  # type: ignore[attr-defined]
    return items


def breaches(project: Project) -> list[Day]:
    """By day (UTC) of the due date, the last fortnight, oldest first; one statement."""
    now = clock.now()
    first = now.date() - timedelta(days=BREACH_DAYS - 1)
    late = Q(closed_at__gt=F("due_at")) | Q(state=ItemState.OPEN)
    rows = (
        _items(project)
        .exclude(state=ItemState.WITHDRAWN)
        .filter(due_at__date__gte=first, due_at__lte=now)
        .annotate(day=TruncDate("due_at"))
        .values("day")
        .annotate(due=Count("pk"), late=Count("pk", filter=late))
        .order_by("day")
    )
    found = {row["day"]: Day(row["day"], row["due"], row["late"]) for row in rows}
    days = [first + timedelta(days=place) for place in range(BREACH_DAYS)]
    return [found.get(day, Day(day, 0, 0)) for day in days]


def spreads(project: Project, *, since: datetime) -> list[Spread]:
    """Waiting for a person, handling by one, and both to the last opinion; two statements."""
    slots = Slot.objects.in_project(project).filter(
        state=SlotState.DONE, purpose__in=COUNTED, closed_at__gte=since, claimed_at__isnull=False
    )
    wait, handling = F("claimed_at") - F("item__created_at"), F("closed_at") - F("claimed_at")
    found = slots.aggregate(n=Count("pk"), **_middle("wait", wait), **_middle("hand", handling))
    ended = _items(project).filter(state=ItemState.DONE, closed_at__gte=since)
    whole = ended.aggregate(n=Count("pk"), **_middle("whole", F("closed_at") - F("created_at")))
    return [
        _spread("Wait", "arrival to claim", "wait", found),
        _spread("Handling", "claim to opinion", "hand", found),
        _spread("Whole", "arrival to last opinion", "whole", whole),
    ]


def _middle(name: str, expression: Any) -> dict[str, Percentile]:
    length = ExpressionWrapper(expression, output_field=DurationField())
    return {f"{name}_p50": Percentile(length, 0.5), f"{name}_p90": Percentile(length, 0.9)}


def _spread(name: str, text: str, key: str, found: dict[str, Any]) -> Spread:
    return Spread(name, text, found[f"{key}_p50"], found[f"{key}_p90"], found["n"])


def loads(project: Project, *, since: datetime) -> list[Load]:
    """Each reviewer, the busiest today first; two statements. Today is the day in UTC."""
    now = clock.now()
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    held = Q(state=SlotState.LEASED, until__gt=now)
    done = Q(state=SlotState.DONE, closed_at__gte=min(since, today))
    length = ExpressionWrapper(F("closed_at") - F("claimed_at"), output_field=DurationField())
    rows = (
        Slot.objects.in_project(project)
        .filter(held | done, holder__isnull=False, purpose__in=COUNTED)
        .values("holder_id")
        .annotate(
            held=Count("pk", filter=held),
            today=Count("pk", filter=done & Q(closed_at__gte=today)),
            done=Count("pk", filter=done & Q(closed_at__gte=since)),
            handling=Percentile(length, 0.5, filter=done & Q(closed_at__gte=since)),
        )
    )
    found = {row["holder_id"]: row for row in rows}
    reviewers = Reviewer.objects.in_project(project).select_related("user").order_by("user__name")
    shown = [_load(each, found.get(each.user_id, {})) for each in reviewers]
    return sorted(shown, key=lambda load: (-load.today, -load.held, -load.done))


def _load(reviewer: Reviewer, counts: Mapping[str, Any]) -> Load:
    numbers = {name: value for name, value in counts.items() if name != "holder_id"}
    return Load(reviewer.user, reviewer.state, **numbers)
