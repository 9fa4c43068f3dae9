"""A stretch of work: what workers do by themselves, and what people do at the desk."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Final

from annotation import consensus, labels
from annotation.demo.texts.questions import share
from annotation.demo.world.cast import EXPERT, LEAD, REVIEWERS, Person
from annotation.demo.world.ground import World
from annotation.demo.world.opinions import opine
from annotation.demo.world.plan import ZONE
from annotation.labels import Submission
from core import clock
from core.access import SYSTEM
from registry import release
from routing import decide, queue, scoring, sla
from routing.models import Item, Payload, Trace
from routing.models.decision import Tier
from routing.sla import Hours

SOURCE: Final = "demo"
JUDGE_AT_ONCE: Final = 96
AT_ONCE: Final = 500
# How often somebody sits down between two ticks.
SITTINGS: Final = 2
LEASE_SECONDS: Final = 3600
# In the last days fewer people are there, so that work is left for whoever looks.
THIN_FROM: Final = 24.2
LEAVE_FROM: Final = 23.4


def process() -> None:
    """What the sweeps of production do with what has arrived, in their order."""
    while scoring.score_due() == scoring.BATCH:
        pass
    while scoring.judge_due(limit=JUDGE_AT_ONCE) == JUDGE_AT_ONCE:
        pass
    while decide.decide_due() == decide.BATCH:
        pass
    release.judge_canaries()
    sla.sweep(actor=SYSTEM)


def settle() -> None:
    """What the labels that have come in add up to."""
    while consensus.settle_due(limit=AT_ONCE) == AT_ONCE:
        pass


def man(world: World, tick: int) -> int:
    """People claim and label until the next tick; how many labels they gave."""
    given = 0
    last = world.plan.ticks[tick]
    for at, person in sittings(world, tick):
        with clock.at(at):
            count = _sit(world, person)
        given += count
        last = at if count else last
    if given:
        with clock.at(last + timedelta(minutes=29)):
            settle()
    return given


def sittings(world: World, tick: int) -> list[tuple[datetime, Person]]:
    """Who sits down when, between this tick and the next, in order of time."""
    if tick + 1 >= len(world.plan.ticks):
        return []
    since, until = world.plan.ticks[tick], world.plan.ticks[tick + 1]
    # Who sits down may take half an hour, and must be done by the next tick.
    stretch = (until - since - timedelta(minutes=40)) / SITTINGS
    if stretch <= timedelta():
        return []
    found = [
        (since + stretch * (turn + share("sits", person.key, str(tick), str(turn))), person)
        for person in (*REVIEWERS, LEAD)
        for turn in range(SITTINGS)
    ]
    return sorted(
        ((at, person) for at, person in found if _is_there(world, person, at)),
        key=lambda pair: pair[0],
    )


def _is_there(world: World, person: Person, at: datetime) -> bool:
    # When the expert is on leave, the lead stands in.
    on_leave = at >= world.plan.day(LEAVE_FROM)
    if person == (EXPERT if on_leave else LEAD):
        return False
    local = at.astimezone(ZONE)
    if local.weekday() not in person.days or not is_open(world.desk, at):
        return False
    # At weekends those who are there share the whole day.
    return local.weekday() >= 5 or person.hours[0] <= local.hour < person.hours[1]


def is_open(desk: Hours, at: datetime) -> bool:
    """Whether it is working time."""
    day = at.astimezone(desk.zone).date()
    return any(opens <= at < closes for opens, closes in desk.of_day(day))


def _sit(world: World, person: Person) -> int:
    """One sitting: claim a handful, judge them, submit."""
    assert person.temper is not None
    user = world.cast[person]
    room = min(person.temper.pace, _room(world))
    if room <= 0:
        return 0
    leases = queue.claim(project=world.project, actor=user, limit=room, seconds=LEASE_SECONDS)
    if not leases:
        return 0
    payloads = _payloads([lease.trace_id for lease in leases])
    submissions = [_submission(lease, person, payloads[lease.trace_id]) for lease in leases]
    seconds = sum((each.active_ms or 0) / 1000 for each in submissions)
    with clock.at(clock.now() + timedelta(seconds=min(seconds, 1700))):
        labels.submit(submissions, rubric_version=world.rubric, source=SOURCE, actor=user)
    return len(submissions)


def _room(world: World) -> int:
    """How many outputs may be taken now. What is urgent is never left lying."""
    waiting = Item.objects.waiting().filter(project=world.project)
    tiers = Counter(waiting.values_list("tier", flat=True))
    return max(tiers.total() - _kept(world, clock.now()), tiers[Tier.HIGH])


def _kept(world: World, at: datetime) -> int:
    """How many outputs are left waiting, more and more towards the end."""
    thin = world.plan.day(THIN_FROM)
    part = (at - thin) / (world.plan.end - thin)
    return round(max(0.0, part) * world.plan.scale.waiting)


def _payloads(trace_ids: list[int]) -> dict[int, Payload]:
    return scoring.payloads_of(Trace.objects.filter(pk__in=trace_ids))


def _submission(lease: queue.Lease, person: Person, payload: Payload) -> Submission:
    opinion = opine(person, payload)
    return Submission(
        slot_id=lease.slot_id, token=lease.token, scorecard=opinion.scorecard,
        comment=opinion.comment, corrected_output=opinion.corrected_output,
        confidence=opinion.confidence, active_ms=opinion.active_ms,
    )  # fmt: skip
