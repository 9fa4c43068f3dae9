"""What waits, and how late it is."""

from __future__ import annotations

from datetime import timedelta

import pytest

from annotation import pending
from annotation.labels import Submission, submit
from core import clock
from core.models import Environment, Project, User
from registry.models import GateRun, PromptVersion, RubricVersion
from registry.models.gate import GateState
from registry.rubrics import Scorecard
from tests.traces import enrol, queued, send, take

pytestmark = pytest.mark.django_db


def ages() -> dict[str, timedelta | None]:
    return {
        " ".join([sample.name, *sample.labels.values()]): age for sample, age in pending.waiting()
    }


def test_nothing_waits_in_an_empty_house() -> None:
    found = [probe() for _, probe in pending.probes()]
    assert {check.state for check in found} == {"ok"}
    assert found[0].sentence == "Nothing waits for a worker."


def test_every_gauge_of_pending_work_knows_the_age_of_its_oldest() -> None:
    gauges = {(sample.name, *sample.labels.values()) for sample, _ in pending.waiting()}
    known = {(stage.gauge, *stage.labels.values()) for stage in pending.stages(clock.now())}
    assert gauges == known


def test_a_trace_that_waits_for_minutes_is_fine(environment: Environment) -> None:
    send(environment)
    found = pending.check_pending()
    assert found.state == "ok"
    assert "traces pending (settled) 1" in found.sentence


def test_a_trace_that_waits_for_hours_is_a_warning(environment: Environment) -> None:
    with clock.at(clock.now() - timedelta(hours=3)):
        send(environment)
    found = pending.check_pending()
    assert found.state == "warn"
    assert "oldest 3 h" in found.sentence
    assert "beat" in found.what_to_do


def test_labels_that_no_worker_has_settled_are_a_warning(
    environment: Environment, project: Project, ann: User, rubric_version: RubricVersion
) -> None:
    enrol(project, ann)
    with clock.at(clock.now() - timedelta(hours=5)):
        queued(environment)
        [lease] = take(project, ann)
        words = Submission(lease.slot_id, lease.token, Scorecard("acceptable"))
        submit([words], rubric_version=rubric_version, source="test", actor=ann)
    assert "consensus 1, oldest 5 h" in pending.check_pending().sentence


def test_what_waits_for_people_is_late_after_its_due_date(environment: Environment) -> None:
    queued(environment, 2)
    assert pending.check_review().state == "ok"
    with clock.at(clock.now() + timedelta(days=60)):
        found = pending.check_review()
    assert found.state == "warn"
    assert found.sentence.startswith("2 outputs wait for people, 2 of them past")
    assert " days." in found.sentence


def test_a_lease_that_nobody_took_over_is_found(
    environment: Environment, project: Project, ann: User
) -> None:
    enrol(project, ann)
    queued(environment)
    take(project, ann)
    with clock.at(clock.now() + timedelta(hours=12)):
        assert pending.check_leases().state == "ok"
    with clock.at(clock.now() + timedelta(days=3)):
        found = pending.check_leases()
    assert (found.state, found.sentence[:2]) == ("warn", "1 ")


def test_a_gate_that_does_not_end_is_found(prompt_version: PromptVersion) -> None:
    GateRun.objects.create(
        candidate=prompt_version,
        state=GateState.RUNNING,
        created_at=clock.now(),
        started_at=clock.now(),
    )
    assert pending.check_runs().state == "ok"
    with clock.at(clock.now() + timedelta(hours=2)):
        found = pending.check_runs()
    assert found.state == "warn"
    assert "1 gate runs" in found.sentence
