"""Several workers on one pipeline."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from routing.models import Decision, Item, Score, Trace
from routing.models.trace import Stage
from tests import factories
from tests.traces import run, send, trace_in

pytestmark = pytest.mark.django_db(transaction=True)


def work(_: int) -> None:
    try:
        run()
    finally:
        connection.close()


def test_four_workers_decide_each_trace_once() -> None:
    environment = factories.make_environment(factories.make_project())
    send(environment, *(trace_in() for _ in range(300)))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert Decision.objects.count() == Item.objects.count() == 300
    assert set(Trace.objects.values_list("stage", flat=True)) == {Stage.DECIDED}
    names = Score.objects.values_list("trace", "evaluator")
    assert len(names) == len(set(names))
