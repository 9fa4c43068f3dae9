"""The checks of PostgreSQL, on a real one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from unittest.mock import patch

import psycopg
import pytest
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder

from core import clock
from core.doctor import database
from routing.retention import make_partitions

pytestmark = pytest.mark.django_db


@pytest.fixture
def other() -> Iterator[psycopg.Connection]:
    """A session of somebody else on the database of this test."""
    settings = connection.settings_dict
    with psycopg.connect(os.environ["DATABASE_URL"], dbname=settings["NAME"],
                         application_name="forgetful") as line:  # fmt: skip
        yield line


def test_a_database_that_answers_is_sound() -> None:
    assert database.check_database().state == "ok"


def test_a_database_that_does_not_answer_fails() -> None:
    with patch.object(connection, "cursor", side_effect=OperationalError("no route to host")):
        found = database.check_database()
    assert (found.state, found.sentence) == ("fail", "Does not answer: no route to host")
    assert "DATABASE_URL" in found.what_to_do


@pytest.mark.parametrize(("major", "state"), [(14, "fail"), (15, "ok"), (18, "ok")])
def test_postgresql_must_be_15_or_newer(major: int, state: str) -> None:
    assert database.judge_version(major).state == state


def test_applied_migrations_are_sound() -> None:
    assert database.check_migrations().state == "ok"


def test_a_migration_that_waits_fails() -> None:
    MigrationRecorder(connection).record_unapplied("annotation", "0002_append_only")
    found = database.check_migrations()
    assert found.state == "fail"
    assert "annotation.0002_append_only" in found.sentence
    assert "migrate" in found.what_to_do


def test_a_migration_of_newer_code_is_a_warning() -> None:
    MigrationRecorder(connection).record_applied("routing", "9999_from_tomorrow")
    found = database.check_migrations()
    assert found.state == "warn"
    assert "routing.9999_from_tomorrow" in found.sentence


def test_a_transaction_left_open_is_found(other: psycopg.Connection) -> None:
    other.execute("SELECT 1")
    found = database.check_idle_sessions(timedelta(0))
    assert found.state == "warn"
    assert f"process {other.info.backend_pid} (forgetful)" in found.sentence


def test_a_transaction_is_left_open_only_after_five_minutes(other: psycopg.Connection) -> None:
    other.execute("SELECT 1")
    assert database.check_idle_sessions().state == "ok"


def test_an_idle_session_without_a_transaction_is_sound(other: psycopg.Connection) -> None:
    other.execute("SELECT 1")
    other.commit()
    assert database.check_idle_sessions(timedelta(0)).state == "ok"


def test_the_clocks_of_one_machine_agree() -> None:
    assert database.check_clock().state == "ok"


def test_a_clock_that_is_wrong_fails_and_says_which_way() -> None:
    with clock.at(clock.now() + timedelta(minutes=1)):
        found = database.check_clock()
    assert found.state == "fail"
    assert "s behind" in found.sentence
    assert "ahead of" in database.judge_skew(timedelta(seconds=3)).sentence


@pytest.fixture
def unpartitioned() -> None:
    """Nothing but the default, as after months without the sweep."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relname ~ '^routing_.*_[0-9]{6}$'")
        for (name,) in cursor.fetchall():
            if not name.endswith("_pkey"):
                cursor.execute(f'DROP TABLE "{name}"')


@pytest.mark.usefixtures("unpartitioned")
def test_partitions_that_are_not_made_ahead_are_a_warning() -> None:
    found = database.check_partitions_ahead()
    assert found.state == "warn"
    assert "routing_span (none but the default)" in found.sentence


def test_partitions_made_ahead_last_for_a_month_and_more() -> None:
    make_partitions()
    assert database.check_partitions_ahead().state == "ok"
    with clock.at(clock.now() + timedelta(days=70)):
        found = database.check_partitions_ahead()
    assert found.state == "warn"
    assert "routing_payload (until 20" in found.sentence


def put_payload(age: timedelta) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO routing_payload (trace_id, started_at, output, content)"
            " VALUES (1, %s, '', '{}')",
            [clock.now() - age],
        )


@pytest.mark.usefixtures("unpartitioned")
def test_a_default_partition_that_takes_todays_rows_is_a_warning() -> None:
    put_payload(timedelta(hours=1))
    found = database.check_default_partitions()
    assert found.state == "warn"
    assert "routing_payload_default (1 rows)" in found.sentence


def test_what_a_default_partition_has_of_old_is_no_fault() -> None:
    put_payload(timedelta(days=400))
    assert database.check_default_partitions().state == "ok"


def test_with_its_partition_a_row_leaves_the_default_alone() -> None:
    make_partitions()
    put_payload(timedelta(hours=1))
    assert database.check_default_partitions().state == "ok"
