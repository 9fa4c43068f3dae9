"""One loop from ingest to roll back, by a real worker, with Redis killed half-way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from annotation.demo.simulator import Simulator
from annotation.labels import Submission, submit
from annotation.models import Consensus
from core import clock
from core.access import SYSTEM, Role
from core.models import Environment, Project, User
from registry import release, rubrics
from registry.models import Evidence, PromptVersion, Release, RubricVersion, SurfaceFinding
from registry.models.release import ReleaseState
from registry.rubrics import Finding, Scorecard
from registry.serving import resolve
from routing import queue
from routing.ingest import ingest
from routing.models import Item, Trace
from routing.models.queue import ItemState
from routing.models.trace import Stage as TraceStage
from routing.spans import TraceIn
from tests import factories
from tests.flow.stage import Stage, staged, wait_for
from tests.registry.facts import approve
from tests.traces import CALM, enrol

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def stage(tmp_path: Path, simulator: Simulator, transactional_db: None) -> Iterator[Stage]:
    with staged(tmp_path, simulator) as running:
        yield running


def send(environment: Environment, version: PromptVersion, users: range) -> None:
    """What an application does: fetch by key, answer, send."""
    found = []
    for number in users:
        key = f"user-{number}"
        served = resolve(version.prompt, environment, key)
        assert served is not None
        found.append(
            TraceIn(
                trace_id=factories.unique("flow"),
                started_at=clock.now(),
                messages=[{"role": "user", "content": "How do I block my card?"}],
                prompt_name=version.prompt.slug,
                prompt_version=str(served.version.number),
                user=key,
                metadata={"whetstone.key": key},
                complete=True,
                **CALM,
            )
        )
    ingest(found, environment=environment, actor=SYSTEM)


def label_all(project: Project, people: list[User], edition: RubricVersion, bad: int) -> None:
    """People judge what waits: the version `bad` breaks its tone, the other one does not."""
    for person in people:
        while leases := queue.claim(project=project, actor=person, limit=100):
            numbers = dict(
                Trace.objects.filter(pk__in=[lease.trace_id for lease in leases]).values_list(
                    "pk", "prompt_version__number"
                )
            )
            cards = {
                True: Scorecard("defective", (Finding("tone", severity="major", cause="prompt"),)),
                False: Scorecard("acceptable"),
            }
            submit(
                [
                    Submission(lease.slot_id, lease.token, cards[numbers[lease.trace_id] == bad])
                    for lease in leases
                ],
                rubric_version=edition,
                source="test",
                actor=person,
            )


def test_a_worse_canary_is_rolled_back_from_labels_though_redis_died(stage: Stage) -> None:
    project = factories.make_project()
    environment = factories.make_environment(project)
    people = [factories.make_member(project, Role.REVIEWER, name) for name in ("Ann", "Bo")]
    enrol(project, *people)
    edition = factories.make_rubric(project, rubrics.STARTER)
    first = factories.make_prompt(project)
    live = release.go_live(version=first, environment=environment, reason="first", actor=SYSTEM)
    second = factories.make_version(first)
    approve(second)
    canary = release.start_canary(
        version=second, environment=environment, share=0.5, reason="try", actor=SYSTEM
    )

    send(environment, first, range(40))
    decided = Trace.objects.filter(stage=TraceStage.DECIDED)
    wait_for(lambda: decided.count() == 40, "40 traces are decided")

    stage.kill_redis()
    send(environment, first, range(40, 160))
    label_all(project, people, edition, bad=2)
    assert Trace.objects.count() == 160
    stage.start_redis()

    # A judge at work when Redis died leaves its lease, which runs out after 90 seconds.
    what = "what came while Redis was dead is decided"
    wait_for(lambda: decided.count() == 160, what, seconds=150)
    label_all(project, people, edition, bad=2)
    closed = Item.objects.filter(state=ItemState.DONE)
    wait_for(lambda: closed.count() == Consensus.objects.count() == 160, "all is agreed")
    wait_for(
        lambda: Release.objects.get(pk=canary.pk).state == ReleaseState.ROLLED_BACK,
        "the canary is rolled back by itself",
    )
    assert Release.objects.get(pk=live.pk).state == ReleaseState.LIVE
    assert Evidence.objects.filter(prompt_version=second, mode="tone").exists()
    wait_for(lambda: SurfaceFinding.objects.filter(mode="tone").exists(), "a finding is open", 90)
