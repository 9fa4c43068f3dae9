"""Two threads, one slot; two workers, one consensus."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Barrier, Thread

import pytest
from django.db import connections

from annotation import consensus, labels
from annotation.models import Consensus, Draft, Label, LabelFinding
from core.models import Environment, User
from registry.models import Evidence, RubricVersion
from routing.models import Slot
from routing.models.queue import SlotState
from routing.queue import StaleLease, release_slot
from tests.annotation import world
from tests.annotation.world import Desk, answer, bad, claim, make_items, make_traces

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def desk(
    transactional_db: None, environment: Environment, rubric_version: RubricVersion,
    ann: User, bo: User,
) -> Iterator[Desk]:  # fmt: skip
    world.enrol(ann, bo, environment=environment)
    return Desk(environment, rubric_version)


def together(*work: Callable[[], object]) -> list[object]:
    """Run all at once, each in a thread with its own connection; results or exceptions."""
    barrier, found = Barrier(len(work)), list[object]([None] * len(work))

    def run(place: int, job: Callable[[], object]) -> None:
        try:
            barrier.wait()
            found[place] = job()
        except Exception as error:  # noqa: BLE001 - the test looks at it
            found[place] = error
        finally:
            connections.close_all()

    threads = [Thread(target=run, args=pair) for pair in enumerate(work)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return found


def test_a_double_submit_makes_one_label(desk: Desk, ann: User) -> None:
    make_items(make_traces(desk.environment, 8))
    for lease in claim(ann, desk.environment, limit=8):
        said = [answer(lease, bad("tone"))]
        found = together(*[lambda said=said: desk.submit(said, ann)] * 2)
        assert sorted(type(each).__name__ for each in found) == ["StaleLease", "list"]
    assert Label.objects.count() == LabelFinding.objects.count() == 8
    assert Slot.objects.filter(state=SlotState.DONE).count() == 8


def test_a_stale_token_is_refused_and_what_was_written_is_kept(
    desk: Desk, ann: User, bo: User
) -> None:
    make_items(make_traces(desk.environment))
    [lost] = claim(ann, desk.environment)
    release_slot(slot_id=lost.slot_id, token=lost.token, actor=ann)
    [held] = claim(bo, desk.environment)
    mine = answer(lost, bad("tone"), comment="an hour of work")

    def submit_as_ann() -> object:
        try:
            return desk.submit([mine], ann)
        except StaleLease:
            return labels.keep([mine], actor=ann)

    refused, taken = together(submit_as_ann, lambda: desk.submit([answer(held)], bo))
    assert [type(each) for each in refused] == [Draft]
    assert [label.annotator for label in taken] == [bo]
    assert Label.objects.get().annotator == bo
    assert Draft.objects.get().content["comment"] == "an hour of work"


def test_two_people_who_end_one_item_both_count(desk: Desk, ann: User, bo: User) -> None:
    make_items(make_traces(desk.environment, 6), opinions=2)
    mine = [claim(ann, desk.environment)[0] for _ in range(6)]
    theirs = [claim(bo, desk.environment)[0] for _ in range(6)]
    together(
        lambda: desk.submit([answer(each, bad("tone")) for each in mine], ann),
        lambda: desk.submit([answer(each, bad("tone")) for each in reversed(theirs)], bo),
    )
    assert Label.objects.count() == 12
    assert consensus.settle_due() == 6


def test_four_workers_settle_each_output_once(desk: Desk, ann: User) -> None:
    make_items(make_traces(desk.environment, 60))
    desk.judge(ann, bad("tone"), limit=60)

    def work() -> int:
        settled = 0
        while count := consensus.settle_due(limit=7):
            settled += count
        return settled

    found = together(*[work] * 4)
    assert all(isinstance(each, int) for each in found), found
    consensus.settle_task()
    assert Consensus.objects.count() == Evidence.objects.count() == 60
    assert not consensus.due().exists()


def test_a_change_and_a_settling_at_once_end_with_the_change(desk: Desk, ann: User) -> None:
    make_items(make_traces(desk.environment, 10))
    for old in desk.judge(ann, limit=10):

        def change(old: Label = old) -> Label:
            return labels.supersede(
                label=old, scorecard=bad("tone"), rubric_version=desk.rubric_version,
                saw_judge=False, source="page", actor=ann,
            )  # fmt: skip

        _, new = sorted(
            together(consensus.settle_due, change), key=lambda each: type(each) is Label
        )
        consensus.settle_task()
        row = Consensus.objects.current().get(trace_id=old.trace_id)
        assert (row.verdict, row.inputs) == ("defective", {"labels": [new.pk]})
