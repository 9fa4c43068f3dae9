"""Sealers among writers: no row slips in behind a seal, and nobody waits for a sealer."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from threading import Event
from typing import TypeVar

import pytest
from django.db import connection, transaction

from core.models import AuditEntry, AuditSeal
from core.seals import seal_due, settled_bound, verify
from tests import factories

T = TypeVar("T")
pytestmark = pytest.mark.django_db(transaction=True)


def closing(work: Callable[[], T]) -> T:
    try:
        return work()
    finally:
        connection.close()


def write_and_wait(written: Event, go: Event) -> None:
    """A transaction that has its id and stays open until `go`."""
    entry = AuditEntry.objects.get(pk=AuditEntry.objects.order_by("pk").values("pk")[:1])
    with transaction.atomic():
        entry.pk = None
        entry.save(force_insert=True)
        written.set()
        assert go.wait(20)


def test_a_row_that_commits_late_is_not_skipped() -> None:
    """The late writer has the lower id; a seal up to the other's would pass it by."""
    factories.make_project()
    written, go = Event(), Event()
    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(closing, lambda: write_and_wait(written, go))
        assert written.wait(20)
        factories.make_project()
        assert settled_bound(patience=0.1) == 0
        go.set()
        late.result()
    assert seal_due(limit=100) == 3
    assert verify().broken is None


def test_the_sealer_goes_on_as_soon_as_the_open_writer_ends() -> None:
    factories.make_project()
    written, go = Event(), Event()
    with ThreadPoolExecutor(2) as pool:
        late = pool.submit(closing, lambda: write_and_wait(written, go))
        assert written.wait(20)
        factories.make_project()
        bound = pool.submit(closing, lambda: settled_bound(patience=20))
        with pytest.raises(NotYet):
            bound.result(timeout=0.5)
        go.set()
        late.result()
        assert bound.result() == AuditEntry.objects.order_by("-pk")[0].pk
    assert seal_due(limit=100) == 3


def test_sealers_and_writers_at_once_make_one_whole_chain() -> None:
    def write() -> int:
        for _ in range(15):
            factories.make_project()
        return 15

    def seal() -> int:
        return sum(seal_due(limit=4) for _ in range(10))

    with ThreadPoolExecutor(6) as pool:
        writers = [pool.submit(closing, write) for _ in range(3)]
        sealers = [pool.submit(closing, seal) for _ in range(3)]
        written = sum(each.result() for each in writers)
        sealed = sum(each.result() for each in sealers)
    while more := seal_due(limit=4):
        sealed += more
    report = verify()
    assert written == sealed == report.rows == 45
    assert report.broken is None
    assert list(AuditSeal.objects.order_by("number").values_list("number", flat=True)) == list(
        range(1, report.seals + 1)
    )


def test_writers_do_not_wait_for_a_sealer() -> None:
    factories.make_project()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [0x5EA1])
        with ThreadPoolExecutor(1) as pool:
            pool.submit(closing, factories.make_project).result(timeout=10)
    assert AuditEntry.objects.count() == 2
