"""PostgreSQL: there, new enough, up to date, with nobody who holds it up."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, NamedTuple

from django.apps import apps
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from core import clock
from core.doctor.checks import Check, State, first_line

MINIMUM: Final = 15
IDLE: Final = timedelta(minutes=5)
SKEW: Final = timedelta(seconds=2)  # an SLA clock is read in minutes, a lease in seconds
AHEAD: Final = timedelta(days=28)  # the shortest month
RECENT: Final = timedelta(days=7)

_IDLE = """
    SELECT pid, coalesce(nullif(application_name, ''), 'no name')
    FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
      AND state LIKE 'idle in transaction%%' AND state_change < clock_timestamp() - %s::interval
    ORDER BY state_change
"""
# Per table partitioned by range: its key, where its last partition ends, its default partition.
_PARTITIONED = r"""
    SELECT parent.oid::regclass::text,
           key.attname,
           max((regexp_match(pg_get_expr(part.relpartbound, part.oid), 'TO \(''([^'']+)''\)'))[1]
               ::timestamptz),
           max(part.oid::regclass::text)
               FILTER (WHERE pg_get_expr(part.relpartbound, part.oid) = 'DEFAULT')
    FROM pg_partitioned_table AS made
    JOIN pg_class AS parent ON parent.oid = made.partrelid
    JOIN pg_attribute AS key ON key.attrelid = parent.oid AND key.attnum = made.partattrs[0]
    LEFT JOIN pg_inherits AS link ON link.inhparent = parent.oid
    LEFT JOIN pg_class AS part ON part.oid = link.inhrelid
    WHERE made.partstrat = 'r' AND parent.relnamespace = current_schema()::regnamespace
    GROUP BY 1, 2 ORDER BY 1
"""


class Partitioned(NamedTuple):
    """A table in parts. `until` (exclusive) is None where only the default partition stands."""

    table: str
    key: str
    until: datetime | None
    default: str | None


def check_database() -> Check:
    """Whether PostgreSQL answers, and is 15 or newer."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('server_version_num')::int / 10000")
            (major,) = cursor.fetchone()
    except Exception as error:  # noqa: BLE001 - a pool that times out is no DatabaseError
        advice = "Start PostgreSQL, and compare DATABASE_URL with where it listens."
        return Check("database", State.FAIL, f"Does not answer: {first_line(error)}", advice)
    return judge_version(major)


def judge_version(major: int) -> Check:
    """The check of a server of that major version."""
    if major < MINIMUM:
        advice = f"Upgrade the server to PostgreSQL {MINIMUM} or newer (pg_upgrade)."
        return Check("database", State.FAIL, f"PostgreSQL {major} is too old.", advice)
    return Check("database", State.OK, f"PostgreSQL {major} answers.")


def check_migrations() -> Check:
    """Whether the tables are those that this code knows: neither behind it nor ahead of it."""
    executor = MigrationExecutor(connection)
    wanting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if wanting:
        names = ", ".join(f"{each.app_label}.{each.name}" for each, _ in wanting[:3])
        sentence = f"{len(wanting)} wait to be applied: {names}{', ...' * (len(wanting) > 3)}."
        advice = "Run `python manage.py migrate` before the new code is started."
        return Check("migrations", State.FAIL, sentence, advice)
    return _unknown_migrations(executor)


def _unknown_migrations(executor: MigrationExecutor) -> Check:
    labels = {config.label for config in apps.get_app_configs()}
    applied = {key for key in executor.loader.applied_migrations if key[0] in labels}
    unknown = sorted(applied - set(executor.loader.disk_migrations))
    if unknown:
        names = ", ".join(".".join(key) for key in unknown)
        advice = "Older code runs on newer tables: fine in a roll back, else deploy the newer code."
        return Check("migrations", State.WARN, f"This code does not know {names}.", advice)
    return Check("migrations", State.OK, "All are applied.")


def check_idle_sessions(idle: timedelta = IDLE) -> Check:
    """Sessions that hold a transaction open and do nothing: they keep locks and dead rows."""
    with connection.cursor() as cursor:
        cursor.execute(_IDLE, [f"{idle.total_seconds()} s"])
        rows = cursor.fetchall()
    if not rows:
        return Check("idle sessions", State.OK, "No transaction is left open.")
    who = ", ".join(f"process {pid} ({name})" for pid, name in rows[:5])
    sentence = f"{len(rows)} left a transaction open for more than {_minutes(idle)} min: {who}."
    advice = "Close that program, or `SELECT pg_terminate_backend(process);`"
    return Check("idle sessions", State.WARN, sentence, advice)


def check_clock() -> Check:
    """How far the clock of the database stands from this machine's."""
    before = clock.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (theirs,) = cursor.fetchone()
    after = clock.now()
    # What the way there and back took cannot be told from skew; the middle halves the error.
    return judge_skew(theirs - (before + (after - before) / 2))


def judge_skew(skew: timedelta) -> Check:
    """The check of a database whose clock is ahead by `skew` (negative: behind)."""
    seconds = skew.total_seconds()
    if abs(skew) <= SKEW:
        return Check("clock", State.OK, f"The database's is within {abs(seconds):.2f} s of ours.")
    side = "ahead of" if seconds > 0 else "behind"
    sentence = f"The database's is {abs(seconds):.1f} s {side} this machine's."
    advice = "Run NTP (chrony, systemd-timesyncd) on both machines: leases and SLAs read the clock."
    return Check("clock", State.FAIL, sentence, advice)


def partitioned() -> list[Partitioned]:
    """Tables that are partitioned by a range of time."""
    with connection.cursor() as cursor:
        cursor.execute(_PARTITIONED)
        return [Partitioned(*row) for row in cursor.fetchall()]


def check_partitions_ahead() -> Check:
    """Whether the partitions of the coming month stand already."""
    wanted = clock.now() + AHEAD
    short = [each for each in partitioned() if each.until is None or each.until < wanted]
    if not short:
        return Check("partitions ahead", State.OK, "Those of the coming month stand.")
    ends = ", ".join(f"{each.table} ({_day(each.until)})" for each in short)
    advice = "They are made by an hourly sweep: see that beat and a worker run."
    return Check("partitions ahead", State.WARN, f"They end too soon: {ends}.", advice)


def check_default_partitions() -> Check:
    """Whether what is written now falls into a default partition, which cannot be dropped whole."""
    counts = {
        each.default: _recent(each.default, each.key) for each in partitioned() if each.default
    }
    growing = {name: count for name, count in counts.items() if count}
    if not growing:
        return Check("default partitions", State.OK, "None has grown in the last 7 days.")
    what = ", ".join(f"{name} ({count:,} rows)" for name, count in growing.items())
    advice = "Move them into a partition of their own; docs/operations.md shows how."
    return Check("default partitions", State.WARN, f"Of the last 7 days: {what}.", advice)


def _recent(table: str, key: str) -> int:
    name = connection.ops.quote_name
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FROM {table} WHERE {name(key)} >= %s",  # noqa: S608 - from the catalog
            [clock.now() - RECENT],
        )
        return int(cursor.fetchone()[0])


def _day(moment: datetime | None) -> str:
    return f"until {moment:%Y-%m-%d}" if moment else "none but the default"


def _minutes(span: timedelta) -> str:
    return f"{span.total_seconds() / 60:g}"
