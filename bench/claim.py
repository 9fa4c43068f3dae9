"""Claims a second through the room, beside the bare statement, on the same queue in one run."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from time import perf_counter

import ground

TARGET = 0.5
THREADS = 8

RAW = """
UPDATE routing_slot SET state = 'leased', holder_id = %s, until = now() + interval '15 minutes',
       token = token + 1, claimed_at = now()
WHERE id = (SELECT id FROM routing_slot WHERE project_id = %s AND reserved_for_id IS NULL
            AND state IN ('open', 'leased') AND (state = 'open' OR until <= now())
            ORDER BY lane, due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING id
"""


def main() -> None:
    options = ground.options(__doc__ or "")
    ground.prepare()
    waiting = 2_000 if options.quick else 100_000
    claims = 400 if options.quick else 4_000
    project, people = fill(waiting)
    rates: dict[str, list[float]] = {"raw": [], "room": []}
    for _ in range(3):
        rates["raw"].append(rate(raw, project, people, claims // 3))
        rates["room"].append(rate(room, project, people, claims // 3))
    raw_rate, room_rate = (sorted(rates[name])[1] for name in ("raw", "room"))
    print(f"{waiting} waiting, {THREADS} threads: raw {raw_rate:.0f}/s, room {room_rate:.0f}/s")
    ground.conclude("claim", room_rate / raw_rate, TARGET)


def fill(waiting: int):  # type: ignore[no-untyped-def]
    from datetime import timedelta

    from core import clock
    from core.access import SYSTEM, Role
    from core.db import opened
    from core.models import User
    from core.projects import add_member, create_project
    from routing import policy, queue, reviewers
    from routing.ingest import ingest
    from routing.models import Decision
    from routing.models.decision import Action, Tier
    from routing.models.queue import Purpose
    from routing.spans import TraceIn

    project = create_project(slug="bench", name="Bench", actor=SYSTEM)
    people = [User.objects.create_user(f"p{n}@bench.test") for n in range(THREADS)]
    for person in people:
        add_member(project=project, user=person, role=Role.REVIEWER, actor=SYSTEM)
    reviewers.enrol(project=project, users=people, actor=SYSTEM)
    environment = project.environment_set.get()
    now = clock.now()
    for start in range(0, waiting, 5000):
        count = min(5000, waiting - start)
        traces = ingest(
            [
                TraceIn(trace_id=f"t{start + n}", started_at=now, output="x", complete=True)
                for n in range(count)
            ],
            environment=environment,
            actor=SYSTEM,
        ).created
        with opened("bench"):
            rules = policy.published(project)
            decisions = Decision.objects.bulk_create(
                Decision(
                    trace=trace, sequence=1, policy=rules, tier=Tier.MEDIUM, action=Action.REVIEW,
                    risk=0.3, factors=[], reason="bench", probability=1, seed="s", draw=0, at=now,
                )
                for trace in traces
            )  # fmt: skip
            queue.enqueue(
                [
                    queue.Wanted(each, project.pk, 1, now + timedelta(seconds=n), Purpose.WORK, {})
                    for n, each in enumerate(decisions)
                ],
                at=now,
            )
    return project, people


def rate(claim, project, people, claims: int) -> float:  # type: ignore[no-untyped-def]
    """Claims a second by all threads; the first of each, which opens a connection, is not timed."""
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda person: claim(project, person), people))
        start = perf_counter()
        list(pool.map(lambda person: repeat(claim, project, person, claims // THREADS), people))
        return claims / (perf_counter() - start)


def repeat(claim, project, person, times: int) -> None:  # type: ignore[no-untyped-def]
    for _ in range(times):
        claim(project, person)


def raw(project, person) -> None:  # type: ignore[no-untyped-def]
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(RAW, [person.pk, project.pk])
        assert cursor.fetchone()


def room(project, person) -> None:  # type: ignore[no-untyped-def]
    from routing import queue

    assert queue.claim(project=project, actor=person)


if __name__ == "__main__":
    main()
