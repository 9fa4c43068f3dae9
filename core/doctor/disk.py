"""How large the database is, how fast it grows, and how long the disk will hold it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from django.apps import apps
from django.db import connection, models

from core import clock, embedded
from core.doctor.checks import Check, State
from core.doctor.services import is_embedded

WEEK: Final = timedelta(days=7)
TIGHT: Final = 30  # days
FULL: Final = 3  # days
LEAST_FREE: Final = 1_000_000_000  # bytes that PostgreSQL needs for its log and for sorting
# What a table may call the moment at which a row came to it, best first.
MOMENTS: Final = (
    "received_at",
    "created_at",
    "saved_at",
    "opened_at",
    "granted_at",
    "started_at",
    "at",
)
_SIZE = """
    SELECT coalesce((SELECT sum(pg_total_relation_size(relid)) FROM pg_partition_tree(%(table)s)),
                    pg_total_relation_size(%(table)s)),
           coalesce((SELECT sum(greatest(reltuples, 0)) FROM pg_partition_tree(%(table)s)
                     JOIN pg_class ON pg_class.oid = relid WHERE isleaf),
                    (SELECT greatest(reltuples, 0) FROM pg_class
                     WHERE oid = %(table)s::regclass))
"""


class Growth(NamedTuple):
    """Of the last week: bytes that came, and since when (None where nothing came)."""

    added: float
    since: datetime | None


def check_disk() -> Check:
    """Size, growth per day, and days left where the disk is one that we can see."""
    now = clock.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        size = int(cursor.fetchone()[0])
    daily = per_day(growth(now), now)
    free = shutil.disk_usage(embedded.home()).free if is_embedded() else None
    return judge_disk(size, daily, free)


def judge_disk(size: int, daily: float, free: int | None) -> Check:
    """The check of a database of `size` bytes that grows by `daily`; `free` bytes are left on
    its disk, None where the disk is another machine's."""
    facts = f"The database has {_bytes(size)} and grows by {_bytes(daily)} a day"
    if free is None:
        advice = "Its disk is the server's: alert there when less than a fifth is free."
        return Check("disk", State.OK, f"{facts}.", advice)
    days = free / daily if daily > 0 else float("inf")
    left = "for years" if days > 3650 else f"for {days:,.0f} days"
    sentence = f"{facts}; {_bytes(free)} are free, enough {left}."
    if days < FULL or free < LEAST_FREE:
        return Check("disk", State.FAIL, sentence, "Make room now, or move WHETSTONE_HOME.")
    if days < TIGHT:
        return Check("disk", State.WARN, sentence, "Make room, or move WHETSTONE_HOME.")
    return Check("disk", State.OK, sentence)


def growth(now: datetime) -> Growth:
    """What the rows of the last week take, indexes included, over all tables that say when a row
    came: each table's size times the share of its rows that are new."""
    parts = [_table_growth(table, column, now) for table, column in _dated_tables()]
    since = [part.since for part in parts if part.since]
    return Growth(sum(part.added for part in parts), min(since, default=None))


def per_day(grown: Growth, now: datetime) -> float:
    """Bytes a day. An installation younger than a week is divided by its own age, but by no less
    than a day: an hour of import is no rate."""
    if grown.since is None:
        return 0.0
    days = max(1.0, (now - grown.since) / timedelta(days=1))
    return grown.added / min(days, WEEK / timedelta(days=1))


def _dated_tables() -> Iterator[tuple[str, str]]:
    for model in apps.get_models():
        fields = {field.name: field for field in model._meta.local_concrete_fields}
        for name in MOMENTS:
            if isinstance(fields.get(name), models.DateTimeField):
                yield model._meta.db_table, fields[name].get_attname()
                break


def _table_growth(table: str, column: str, now: datetime) -> Growth:
    name = connection.ops.quote_name
    recent = f"SELECT count(*), min({name(column)}) FROM {name(table)} WHERE {name(column)}"  # noqa: S608 - names of our models
    with connection.cursor() as cursor:
        cursor.execute(f"{recent} BETWEEN %s AND %s", [now - WEEK, now])
        fresh, since = cursor.fetchone()
        if not fresh:
            return Growth(0.0, None)
        cursor.execute(_SIZE, {"table": table})
        size, total = cursor.fetchone()
        if total < fresh:  # the planner has not counted lately
            cursor.execute(f"SELECT count(*) FROM {name(table)}")  # noqa: S608
            (total,) = cursor.fetchone()
    return Growth(float(size) * fresh / float(total), since)


def _bytes(number: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000:
            return f"{number:.3g} {unit}"
        number /= 1000
    return f"{number:,.3g} TB"
