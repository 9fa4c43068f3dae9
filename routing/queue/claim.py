"""Claiming, keeping and handing back a slot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection

from core import clock
from core.access import Verb, require
from core.audit import record
from core.db import command
from core.models import Project, User
from routing.models import Slot
from routing.models.queue import SlotState
from routing.models.reviewer import ReviewerState
from routing.queue.finish import StaleLease
from routing.verbs import RoutingVerb

LEASE_SECONDS = 900
# Every fourth pick comes from the overdue lane: plain earliest-due-first collapses under backlog.
OVERDUE_EVERY = 4

# One statement: each lane is scanned only where those before it have not given enough (a CTE is
# read as far as it is asked for), and each reads its partial index in the order of the index.
CLAIM = """
WITH {lanes}
UPDATE routing_slot SET state = 'leased', holder_id = %(me)s, until = %(until)s,
       token = token + 1, claimed_at = %(now)s
WHERE id IN (SELECT id FROM ({union}) AS found LIMIT %(limit)s)
RETURNING id, item_id, (SELECT trace_id FROM routing_item i WHERE i.id = item_id), token, purpose,
          due_at, until
"""
LANE = """{name} AS (
    SELECT s.id FROM routing_slot s
    WHERE s.project_id = %(project)s AND {whose} AND {lane} AND s.item_id <> ALL(%(avoiding)s)
      AND s.state IN ('open', 'leased') AND (s.state = 'open' OR s.until <= %(now)s)
      AND NOT EXISTS (
          SELECT 1 FROM routing_slot o
          WHERE o.item_id = s.item_id AND o.id <> s.id AND o.holder_id = %(me)s
            AND o.purpose = s.purpose AND o.round = s.round AND o.state IN ('leased', 'done'))
      {single}
    ORDER BY s.lane, s.due_at, s.id LIMIT %(limit)s
    FOR UPDATE OF s SKIP LOCKED)"""
LANES = {
    "urgent": "s.lane = 0",
    "in_time": "s.lane = 1 AND s.due_at > %(now)s",
    "overdue": "s.lane = 1 AND s.due_at <= %(now)s",
}
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
    *,
    project: Project,
    actor: User,
    limit: int = 1,
    seconds: int = LEASE_SECONDS,
    avoiding: Sequence[int] = (),
) -> list[Lease]:
    """Up to `limit` slots for the person, those reserved for him or her first; [] if none waits.

    None is of the items whose ids stand in `avoiding`: those that the person has just skipped.
    Raises PermissionDenied for whoever may not review or is paused. Two windows of one person
    that reach for the same item at once are told apart by a constraint; the loser tries again.
    """
    for _ in range(3):
        try:
            return _claim(
                project=project, actor=actor, limit=limit, seconds=seconds, avoiding=avoiding
            )
        except IntegrityError:
            continue
    return []


@command
def _claim(
    *, project: Project, actor: User, limit: int, seconds: int, avoiding: Sequence[int]
) -> list[Lease]:
    require(actor, Verb.REVIEW, project=project)
    picks = _count_pick(project, actor, limit)
    now = clock.now()
    until = now + timedelta(seconds=seconds)
    facts: dict[str, Any] = {
        "me": actor.pk,
        "project": project.pk,
        "now": now,
        "until": until,
        "limit": limit,
        "avoiding": list(avoiding),
    }
    with connection.cursor() as cursor:
        cursor.execute(statement(late=picks % OVERDUE_EVERY == 0, many=limit > 1), facts)
        return [Lease(*row) for row in cursor.fetchall()]


def _count_pick(project: Project, actor: User, limit: int) -> int:
    """The reviewer's pick number; whoever is not an active reviewer is refused."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE routing_reviewer SET picks = picks + %s"
            " WHERE project_id = %s AND user_id = %s AND state = %s RETURNING picks",
            [limit, project.pk, actor.pk, ReviewerState.ACTIVE],
        )
        row = cursor.fetchone()
    if row is None:
        raise PermissionDenied("You are not an active reviewer of this project.")
    return int(row[0])


@cache
def statement(*, late: bool, many: bool) -> str:
    """The claim: what is reserved for the person first, and in both the lanes in their order."""
    order = ["urgent", "overdue", "in_time"] if late else ["urgent", "in_time", "overdue"]
    lanes = [
        (f"{whose}_{name}", condition, LANES[name])
        for whose, condition in (("mine", RESERVED), ("free", FREE))
        for name in order
    ]
    texts = [
        LANE.format(
            name=name,
            whose=whose,
            lane=lane,
            single=ONE_PER_ITEM if many and whose == FREE else "",
        )
        for name, whose, lane in lanes
    ]
    union = " UNION ALL ".join(f"SELECT id FROM {name}" for name, _, _ in lanes)  # noqa: S608
    # psycopg keeps what it has parsed of a statement up to 4,096 characters, of a longer one never.
    return " ".join(CLAIM.format(lanes=", ".join(texts), union=union).split())


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
