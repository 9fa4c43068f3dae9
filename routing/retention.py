"""Partitions: made ahead, so that old content can be dropped whole."""

from __future__ import annotations

from datetime import UTC, datetime

from celery import shared_task
from django.db import connection

from core import clock
from core.db import command

TABLES = ("routing_span", "routing_payload")
AHEAD = 2
BEHIND = 1


def months_around(moment: datetime) -> list[tuple[datetime, datetime]]:
    """The months for which partitions should stand: first instant and end (exclusive) of each."""
    return [
        (_month(moment, offset), _month(moment, offset + 1)) for offset in range(-BEHIND, AHEAD + 1)
    ]


def _month(moment: datetime, offset: int) -> datetime:
    index = moment.year * 12 + moment.month - 1 + offset
    return datetime(index // 12, index % 12 + 1, 1, tzinfo=UTC)


@command
def make_partitions() -> int:
    """Make the partitions that are wanting. Returns how many were made.

    A month whose rows already stand in the default partition stays there: moving them would
    lock the table for as long as it takes.
    """
    return sum(
        _make(table, first, end) for table in TABLES for first, end in months_around(clock.now())
    )


def _make(table: str, first: datetime, end: datetime) -> int:
    name = f"{table}_{first:%Y%m}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [table])
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [name])
        if cursor.fetchone() == (True,):
            return 0
        cursor.execute(
            f"SELECT EXISTS (SELECT 1 FROM {table}_default"  # noqa: S608 - our own table names
            " WHERE started_at >= %s AND started_at < %s)",
            [first, end],
        )
        if cursor.fetchone() == (True,):
            return 0
        cursor.execute(
            f"CREATE TABLE {name} PARTITION OF {table} FOR VALUES FROM (%s) TO (%s)",
            [first, end],
        )
    return 1


@shared_task(name="routing.retention.make_partitions")
def make_partitions_task() -> None:
    make_partitions()
