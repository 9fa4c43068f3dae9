"""Partitions by month: there from the first migration on, made ahead, never in the way."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import connection

from core import clock
from core.models import Environment
from routing.retention import TABLES, make_partitions, months_around
from tests.traces import send, trace_in

pytestmark = pytest.mark.django_db


def partition_of(table: str, moment: datetime) -> str:
    """Where a row of that moment would lie, by the catalogue."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s)::text", [f"{table}_{moment:%Y%m}"])
        return cursor.fetchone()[0] or ""


@pytest.mark.parametrize("table", TABLES)
def test_the_first_migration_makes_this_month_and_the_next(table: str) -> None:
    for first, _ in months_around(clock.now()):
        assert partition_of(table, first) == f"{table}_{first:%Y%m}"


def test_a_year_later_the_sweep_makes_what_is_wanting_once() -> None:
    with clock.at(datetime(2031, 12, 15, tzinfo=UTC)):
        assert make_partitions() == 8
        assert make_partitions() == 0
    assert partition_of("routing_payload", datetime(2032, 2, 1, tzinfo=UTC))


def test_a_month_whose_rows_stand_in_the_default_stays_there(environment: Environment) -> None:
    moment = datetime(2033, 6, 10, tzinfo=UTC)
    send(environment, trace_in(started_at=moment))
    with clock.at(moment):
        made = make_partitions()
    assert made == 7
    assert partition_of("routing_payload", moment) == ""
    assert partition_of("routing_span", moment) == "routing_span_203306"
