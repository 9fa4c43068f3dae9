"""Claiming, keeping and handing back a slot."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection

from core import clock
from core.access import Verb, require
from core.audit import record
from core.db import command
from core.models import Project, User
from routing.models import Reviewer, Slot
from routing.models.queue import SlotState
from routing.models.reviewer import ReviewerState
from routing.queue.finish import StaleLease
from routing.verbs import RoutingVerb

LEASE_SECONDS = 900
# Every fourth pick comes from the overdue lane: plain earliest-due-first collapses under backlog.
OVERDUE_EVERY = 4

URGENT = "s.lane = 0"
IN_TIME = "s.lane = 1 AND s.due_at > %(now)s"
OVERDUE = "s.lane = 1 AND s.due_at <= %(now)s"

CLAIM = """
UPDATE routing_slot SET state = 'leased', holder_id = %(me)s, until = %(until)s,
       token = token + 1, claimed_at = %(now)s
WHERE id IN (
    SELECT s.id FROM routing_slot s
    WHERE s.project_id = %(project)s AND {whose}
      AND s.state IN ('open', 'leased') AND (s.state = 'open' OR s.until <= %(now)s)
      AND {lane}
      AND NOT EXISTS (
          SELECT 1 FROM routing_slot o
          WHERE o.item_id = s.item_id AND o.id <> s.id AND o.holder_id = %(me)s
            AND o.purpose = s.purpose AND o.round = s.round AND o.state IN ('leased', 'done'))
      {single}
    ORDER BY s.lane, s.due_at, s.id LIMIT %(limit)s
    FOR UPDATE OF s SKIP LOCKED)
RETURNING id, item_id, (SELECT trace_id FROM routing_item i WHERE i.id = item_id), token, purpose,
          due_at
"""
RESERVED = "s.reserved_for_id = %(me)s"
FREE = "s.reserved_for_id IS NULL"
# Two free slots of one item never go to one person in the same statement.
ONE_PER_ITEM = """AND NOT EXISTS (
          SELECT 1 FROM routing_slot p
          WHERE p.item_id = s.item_id AND p.id < s.id AND p.purpose = s.purpose
            AND p.round = s.round AND p.reserved_for_id IS NULL
            AND (p.state = 'open' OR p.state = 'leased' AND p.until <= %(now)s))"""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to judge one output until `until`. Submit must carry `token`."""

    slot_id: int
    item_id: int
    trace_id: int
    token: int
    purpose: str
    due_at: datetime
    until: datetime


def claim(
    *, project: Project, actor: User, limit: int = 1, seconds: int = LEASE_SECONDS
) -> list[Lease]:
    """Up to `limit` slots for the person, those reserved for him or her first; [] if none waits.

    Raises PermissionDenied for whoever may not review or is paused. Two windows of one person
    that reach for the same item at once are told apart by a constraint; the loser tries again.
    """
    for _ in range(3):
        try:
            return _claim(project=project, actor=actor, limit=limit, seconds=seconds)
        except IntegrityError:
            continue
    return []


@command
def _claim(*, project: Project, actor: User, limit: int, seconds: int) -> list[Lease]:
    require(actor, Verb.REVIEW, project=project)
    picks = _count_pick(project, actor, limit)
    now = clock.now()
    facts = {
        "me": actor.pk,
        "project": project.pk,
        "now": now,
        "until": now + timedelta(seconds=seconds),
    }
    leases: list[Lease] = []
    for whose in (RESERVED, FREE):
        for lane in _lanes(picks):
            if len(leases) < limit:
                leases += _take(whose, lane, limit - len(leases), facts)
    return leases


def _count_pick(project: Project, actor: User, limit: int) -> int:
    """The reviewer's pick number; whoever is not an active reviewer is refused."""
    reviewer = Reviewer.objects.select_for_update().filter(project=project, user=actor).first()
    if reviewer is None or reviewer.state != ReviewerState.ACTIVE:
        raise PermissionDenied("You are not an active reviewer of this project.")
    reviewer.picks += limit
    reviewer.save(update_fields=["picks"])
    return reviewer.picks


def _lanes(picks: int) -> tuple[str, ...]:
    if picks % OVERDUE_EVERY == 0:
        return URGENT, OVERDUE, IN_TIME
    return URGENT, IN_TIME, OVERDUE


def _take(whose: str, lane: str, limit: int, facts: dict[str, Any]) -> list[Lease]:
    single = ONE_PER_ITEM if limit > 1 and whose is FREE else ""
    sql = CLAIM.format(whose=whose, lane=lane, single=single)
    with connection.cursor() as cursor:
        cursor.execute(sql, {**facts, "limit": limit})
        rows = cursor.fetchall()
    until: datetime = facts["until"]
    return [
        Lease(
            slot_id=slot,
            item_id=item,
            trace_id=trace,
            token=token,
            purpose=purpose,
            due_at=due_at,
            until=until,
        )
        for slot, item, trace, token, purpose, due_at in rows
    ]


def resume(*, project: Project, actor: User) -> Lease | None:
    """The lease that the person still holds, if any: a closed window loses nothing."""
    slot = (
        Slot.objects.filter(
            project=project, holder=actor, state=SlotState.LEASED, until__gt=clock.now()
        )
        .select_related("item")
        .order_by("claimed_at")
        .first()
    )
    if slot is None or slot.until is None:
        return None
    return Lease(
        slot_id=slot.pk,
        item_id=slot.item_id,
        trace_id=slot.item.trace_id,
        token=slot.token,
        purpose=slot.purpose,
        due_at=slot.due_at,
        until=slot.until,
    )


@command
def heartbeat(*, slot_id: int, token: int, actor: User, seconds: int = LEASE_SECONDS) -> datetime:
    """Keep the lease. Raises StaleLease where somebody else has the slot by now."""
    until = clock.now() + timedelta(seconds=seconds)
    hit = Slot.objects.filter(pk=slot_id, token=token, holder=actor, state=SlotState.LEASED).update(
        until=until
    )
    if not hit:
        raise StaleLease([slot_id])
    return until


@command
def release_slot(*, slot_id: int, token: int, actor: User) -> None:
    """Hand the slot back; it is open to others at once."""
    slot = Slot.objects.select_for_update().filter(pk=slot_id).first()
    held = slot and slot.token == token and slot.holder_id == actor.pk
    if slot is None or not held or slot.state != SlotState.LEASED:
        raise StaleLease([slot_id])
    slot.state, slot.holder, slot.until = SlotState.OPEN, None, None
    slot.save(update_fields=["state", "holder", "until"])
    record(RoutingVerb.SLOT_RELEASED, slot, actor=actor, project=slot.project)
