"""How long the disk will do."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection

from core import clock
from core.doctor import disk
from core.doctor.disk import Growth
from core.models import Environment
from tests.traces import queued

GB = 1_000_000_000


@pytest.mark.parametrize(
    ("free", "daily", "state", "words"),
    [
        (50 * GB, 1 * GB, "ok", "enough for 50 days"),
        (20 * GB, 1 * GB, "warn", "enough for 20 days"),
        (2 * GB, 1 * GB, "fail", "enough for 2 days"),
        (GB // 2, 0.0, "fail", "500 MB are free"),
        (50 * GB, 0.0, "ok", "enough for years"),
    ],
)
def test_days_left_are_what_is_free_over_what_comes(
    free: int, daily: float, state: str, words: str
) -> None:
    found = disk.judge_disk(3 * GB, daily, free)
    assert found.state == state
    assert words in found.sentence


def test_the_disk_of_a_server_elsewhere_is_not_ours_to_judge() -> None:
    found = disk.judge_disk(3 * GB, 12_300_000, None)
    assert (found.state, found.sentence) == (
        "ok",
        "The database has 3 GB and grows by 12.3 MB a day.",
    )
    assert "alert" in found.what_to_do


@pytest.mark.parametrize(("days", "daily"), [(7.0, 100.0), (3.5, 200.0), (0.1, 700.0)])
def test_a_young_installation_is_divided_by_its_age(days: float, daily: float) -> None:
    now = clock.now()
    assert disk.per_day(Growth(700.0, now - timedelta(days=days)), now) == pytest.approx(daily)


def test_where_nothing_came_nothing_grows() -> None:
    assert disk.per_day(Growth(0.0, None), clock.now()) == 0


def count_rows() -> None:
    """What the planner believes of the table is a matter of who ran before."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE routing_item")


@pytest.mark.django_db
def test_growth_is_the_share_of_rows_that_are_new(environment: Environment) -> None:
    """Half of the items came a month ago; what other tables hold is the same before and after."""
    now = clock.now()
    with clock.at(now - timedelta(days=30)):
        queued(environment, 3)
    assert disk._table_growth("routing_item", "created_at", now) == Growth(0.0, None)
    count_rows()
    whole = disk._table_growth("routing_item", "created_at", now - timedelta(days=28))
    with clock.at(now - timedelta(days=2)):
        queued(environment, 3)
    count_rows()
    half = disk._table_growth("routing_item", "created_at", now)
    assert half.since == now - timedelta(days=2)
    assert half.added == pytest.approx(whole.added / 2)


@pytest.mark.django_db
def test_partitions_are_counted(environment: Environment) -> None:
    queued(environment, 2)
    grown = disk._table_growth("routing_payload", "started_at", clock.now())
    assert grown.added > 8192
    assert ("routing_payload", "started_at") in list(disk._dated_tables())


@pytest.mark.django_db
def test_the_check_reads_it_all(environment: Environment) -> None:
    queued(environment, 2)
    found = disk.check_disk()
    assert "The database has " in found.sentence
    assert "0 B a day" not in found.sentence
