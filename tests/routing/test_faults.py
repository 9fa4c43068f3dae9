"""A trace that breaks its batch is set aside, told of and tried again; the others go on."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core import clock
from core.access import SYSTEM
from core.models import Environment
from core.sweeps import PAUSE
from routing import metrics
from routing.decide import decide_task
from routing.ingest import settle_task, store_spans
from routing.models import Payload, Trace
from routing.models.trace import Stage
from routing.scoring import score_task
from routing.spans import SpanIn
from tests.traces import queued, send, trace_in


def stages(traces: list[Trace]) -> list[str]:
    by_pk = dict(Trace.objects.values_list("pk", "stage"))
    return [by_pk[trace.pk] for trace in traces]


def set_aside() -> dict[str, float]:
    found = [each for each in metrics.samples() if each.name == "whetstone_traces_set_aside"]
    return {each.labels["stage"]: each.value for each in found if each.value}


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [each.getMessage() for each in caplog.records if each.levelname == "ERROR"]


def test_a_trace_that_cannot_settle(
    environment: Environment, caplog: pytest.LogCaptureFixture
) -> None:
    bad, good = send(environment, trace_in(), trace_in())
    now = clock.now()
    span = SpanIn(trace_id=good.trace_id, span_id="b" * 16, started_at=now, ended_at=now)
    store_spans([span], environment=environment, actor=SYSTEM)
    # No span of it is there, so there is nothing to make a whole of.
    Trace.objects.update(stage=Stage.RECEIVED, settle_at=now)
    settle_task()
    assert stages([bad, good]) == [Stage.RECEIVED, Stage.SETTLED]
    assert set_aside() == {"received": 1}
    assert f"row {bad.pk} " in told(caplog)[0]


def test_a_trace_that_cannot_be_scored_is_tried_again_later(
    environment: Environment, caplog: pytest.LogCaptureFixture
) -> None:
    traces = send(environment, *(trace_in() for _ in range(5)))
    payload = Payload.objects.filter(trace_id=traces[2].pk)
    content = payload.get().content
    payload.update(content=content | {"scores": ["no names"]})
    score_task()
    assert stages(traces).count(Stage.SETTLED) == 1
    assert stages(traces)[2] == Stage.SETTLED
    assert set_aside() == {"settled": 1}
    assert [f"row {traces[2].pk} " in each for each in told(caplog)] == [True]
    payload.update(content=content)
    score_task()
    assert stages(traces)[2] == Stage.SETTLED
    with clock.at(clock.now() + PAUSE + timedelta(seconds=1)):
        score_task()
        assert stages(traces)[2] != Stage.SETTLED
        assert set_aside() == {}


def test_a_trace_that_cannot_be_decided(
    environment: Environment, caplog: pytest.LogCaptureFixture
) -> None:
    # It has a decision, and the second of the same number is refused.
    bad = queued(environment)[0].trace
    traces = [bad, *send(environment, trace_in(), trace_in())]
    Trace.objects.update(stage=Stage.JUDGED)
    decide_task()
    assert stages(traces) == [Stage.JUDGED, Stage.DECIDED, Stage.DECIDED]
    assert set_aside() == {"judged": 1}
    assert f"row {bad.pk} " in told(caplog)[0]
