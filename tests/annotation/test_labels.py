from __future__ import annotations

import pytest
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, ValidationError
from django.db import DatabaseError
from pytest_django import DjangoAssertNumQueries

from annotation import labels
from annotation.models import Consensus, Draft, Label, LabelFinding
from core.access import SYSTEM, Role
from core.db import IllegalTransition
from core.models import AuditEntry, Environment, Project, User
from core.projects import add_member
from registry.models import RubricVersion
from registry.rubrics import Criterion, Finding, Scorecard, Span
from routing.models import Item, Slot
from routing.models.queue import ItemState, SlotState
from routing.queue import StaleLease, release_slot
from tests import factories
from tests.annotation import world
from tests.annotation.world import FINE, Desk, answer, bad, claim, make_items, make_traces


@pytest.fixture
def desk(environment: Environment, rubric_version: RubricVersion, ann: User, bo: User) -> Desk:
    world.enrol(ann, bo, environment=environment)
    return Desk(environment, rubric_version)


def test_a_label_closes_its_slot_and_the_last_one_its_item(desk: Desk, ann: User, bo: User) -> None:
    [item] = make_items(make_traces(desk.environment), opinions=2)
    [first] = desk.judge(ann)
    assert Item.objects.get().state == ItemState.OPEN
    desk.judge(bo)
    assert first.slot is not None
    assert (first.trace_id, first.annotator, first.purpose) == (item.trace_id, ann, "work")
    assert Slot.objects.filter(state=SlotState.DONE).count() == 2
    assert Item.objects.get().state == ItemState.DONE


def test_all_that_was_said_is_kept(project: Project, desk: Desk, ann: User) -> None:
    rubric = factories.make_rubric(project, criteria=[Criterion("clarity", "Clarity")])
    make_items(make_traces(desk.environment))
    card = Scorecard(
        "defective",
        (Finding("tone", "critical", "policy", (Span("output", 0, 3, "Yes"),), "curt"),),
        {"clarity": 2},
    )
    [lease] = claim(ann, desk.environment)
    said = answer(
        lease, card, comment="rude", corrected_output="Yes, up to 100,000.", confidence=4,
        active_ms=31_000, saw_judge=True,
    )  # fmt: skip
    labels.submit([said], rubric_version=rubric, source="api", actor=ann)
    label = Label.objects.get()
    assert (label.verdict, label.ratings, label.comment) == ("defective", {"clarity": 2}, "rude")
    assert (label.corrected_output, label.confidence) == ("Yes, up to 100,000.", 4)
    assert (label.active_ms, label.saw_judge, label.source) == (31_000, True, "api")
    finding = label.findings.get()
    assert (finding.mode, finding.severity, finding.cause) == ("tone", "critical", "policy")
    assert finding.spans == [{"target": "output", "start": 0, "end": 3, "text": "Yes"}]
    assert finding.comment == "curt"


def test_a_finding_without_severity_and_cause_gets_those_of_its_mode(desk: Desk, ann: User) -> None:
    make_items(make_traces(desk.environment))
    desk.judge(ann, bad("poor_retrieval"))
    finding = LabelFinding.objects.get()
    assert (finding.severity, finding.cause) == ("major", "retrieval")


@pytest.mark.parametrize(
    ("fault", "field"),
    [
        ({"scorecard": bad("no_such_mode")}, "submissions[1].findings"),
        ({"scorecard": Scorecard("so-so")}, "submissions[1].verdict"),
        ({"scorecard": Scorecard("acceptable", (), {"x": 3})}, "submissions[1].ratings"),
        ({"confidence": 6}, "submissions[1].confidence"),
        ({"active_ms": -1}, "submissions[1].active_ms"),
        ({"comment": "a\x00b"}, "submissions[1].comment"),
        ({"corrected_output": "\ud800"}, "submissions[1].corrected_output"),
        ({"scorecard": bad("tone", comment="\x00")}, "submissions[1].findings"),
    ],
)
def test_one_bad_submission_is_named_and_none_is_saved(
    desk: Desk, ann: User, fault: dict[str, object], field: str
) -> None:
    make_items(make_traces(desk.environment, 2))
    good, other = claim(ann, desk.environment, limit=2)
    said = {"scorecard": FINE} | fault
    with pytest.raises(ValidationError) as caught:
        desk.submit([answer(good), answer(other, **said)], ann)
    assert list(caught.value.message_dict) == [field]
    assert not Label.objects.exists()
    assert Slot.objects.filter(state=SlotState.LEASED).count() == 2


def test_a_slot_that_comes_twice_in_a_batch_is_named(desk: Desk, ann: User) -> None:
    make_items(make_traces(desk.environment))
    [lease] = claim(ann, desk.environment)
    with pytest.raises(ValidationError) as caught:
        desk.submit([answer(lease), answer(lease, bad())], ann)
    assert list(caught.value.message_dict) == ["submissions[0].slot_id", "submissions[1].slot_id"]


def test_a_stale_token_is_refused_for_the_whole_batch(desk: Desk, ann: User, bo: User) -> None:
    make_items(make_traces(desk.environment, 2))
    lost, held = claim(ann, desk.environment, limit=2)
    release_slot(slot_id=lost.slot_id, token=lost.token, actor=ann)
    claim(bo, desk.environment)
    with pytest.raises(StaleLease) as caught:
        desk.submit([answer(lost), answer(held)], ann)
    assert caught.value.slot_ids == [lost.slot_id]
    assert not Label.objects.exists()


def test_what_a_stale_lease_refused_is_kept_as_a_draft(desk: Desk, ann: User, bo: User) -> None:
    make_items(make_traces(desk.environment))
    [lost] = claim(ann, desk.environment)
    release_slot(slot_id=lost.slot_id, token=lost.token, actor=ann)
    claim(bo, desk.environment)
    said = answer(lost, bad("tone"), comment="long thought")
    with pytest.raises(StaleLease):
        desk.submit([said], ann)
    [draft] = labels.keep([said], actor=ann)
    kept = Draft.objects.get(pk=draft.pk)
    assert (kept.user, kept.slot_id) == (ann, lost.slot_id)
    assert kept.content["verdict"] == "defective"
    assert kept.content["findings"][0]["mode"] == "tone"
    assert kept.content["comment"] == "long thought"


def test_a_submission_whose_answer_was_lost_leaves_no_draft(desk: Desk, ann: User) -> None:
    make_items(make_traces(desk.environment))
    [lease] = claim(ann, desk.environment)
    said = answer(lease)
    desk.submit([said], ann)
    with pytest.raises(StaleLease):
        desk.submit([said], ann)
    assert labels.keep([said], actor=ann) == []
    assert Label.objects.count() == 1
    assert not Draft.objects.exists()


def test_a_submitted_draft_is_gone(desk: Desk, ann: User) -> None:
    make_items(make_traces(desk.environment))
    [lease] = claim(ann, desk.environment)
    labels.save_draft(slot_id=lease.slot_id, content={"comment": "hm"}, actor=ann)
    desk.submit([answer(lease)], ann)
    assert not Draft.objects.exists()


def test_the_last_draft_wins_and_what_cannot_be_stored_is_dropped(desk: Desk, ann: User) -> None:
    make_items(make_traces(desk.environment))
    [lease] = claim(ann, desk.environment)
    labels.save_draft(slot_id=lease.slot_id, content={"comment": "one"}, actor=ann)
    labels.save_draft(slot_id=lease.slot_id, content={"comment": "t\x00w\ud800o"}, actor=ann)
    assert Draft.objects.get().content == {"comment": "tw?o"}


@pytest.mark.parametrize("content", [{"x": float("nan")}, {"x": object()}, {"x": "a" * 2_000_001}])
def test_a_draft_that_is_no_json_is_refused(
    desk: Desk, ann: User, content: dict[str, object]
) -> None:
    make_items(make_traces(desk.environment))
    [lease] = claim(ann, desk.environment)
    with pytest.raises(ValidationError) as caught:
        labels.save_draft(slot_id=lease.slot_id, content=content, actor=ann)
    assert list(caught.value.message_dict) == ["content"]


def test_a_foreign_slot_does_not_exist(desk: Desk, ann: User, cy: User) -> None:
    make_items(make_traces(desk.environment))
    [lease] = claim(ann, desk.environment)
    with pytest.raises(ObjectDoesNotExist):
        labels.save_draft(slot_id=lease.slot_id, content={}, actor=cy)
    assert labels.keep([answer(lease)], actor=cy) == []


def test_who_may_not_review_may_not_label(desk: Desk, ann: User, vi: User, cy: User) -> None:
    make_items(make_traces(desk.environment))
    [lease] = claim(ann, desk.environment)
    for stranger in (vi, cy):
        with pytest.raises(PermissionDenied):
            desk.submit([answer(lease)], stranger)
    with pytest.raises(PermissionDenied):
        labels.save_draft(slot_id=lease.slot_id, content={}, actor=vi)


def test_a_rubric_of_another_project_cannot_judge_a_slot(
    desk: Desk, elsewhere: Project, ann: User
) -> None:
    make_items(make_traces(desk.environment))
    [lease] = claim(ann, desk.environment)
    add_member(project=elsewhere, user=ann, role=Role.REVIEWER, actor=SYSTEM)
    foreign = factories.make_rubric(elsewhere)
    with pytest.raises(ValidationError) as caught:
        labels.submit([answer(lease)], rubric_version=foreign, source="page", actor=ann)
    assert list(caught.value.message_dict) == ["submissions[0].slot_id"]
    assert Slot.objects.get().state == SlotState.LEASED


def test_two_hundred_labels_cost_the_statements_of_one(
    desk: Desk, ann: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    make_items(make_traces(desk.environment, 201))
    single, *many = claim(ann, desk.environment, limit=201)
    desk.submit([answer(single, bad())], ann)
    with django_assert_max_num_queries(14):
        made = desk.submit([answer(lease, bad("tone", "incomplete")) for lease in many], ann)
    assert [label.slot_id for label in made] == [lease.slot_id for lease in many]
    assert LabelFinding.objects.count() == 401


def test_a_batch_leaves_one_audit_row(desk: Desk, ann: User) -> None:
    make_items(make_traces(desk.environment, 3))
    made = desk.judge(ann, limit=3)
    entry = AuditEntry.objects.get(verb="annotation.labels_submitted")
    assert entry.after == {"labels": [label.pk for label in made]}
    assert entry.actor == ann


def test_an_empty_batch_does_nothing(desk: Desk, ann: User) -> None:
    assert desk.submit([], ann) == []


def test_a_change_is_a_new_label_and_the_old_one_stays(desk: Desk, ann: User) -> None:
    make_items(make_traces(desk.environment))
    [old] = desk.judge(ann, FINE)
    new = labels.supersede(
        label=old, scorecard=bad("tone"), rubric_version=desk.rubric_version, saw_judge=True,
        source="page", actor=ann,
    )  # fmt: skip
    assert list(Label.objects.current()) == [new]
    assert Label.objects.get(pk=old.pk).verdict == "acceptable"
    assert (new.supersedes, new.slot_id, new.saw_judge) == (old, old.slot_id, True)
    with pytest.raises(IllegalTransition):
        labels.supersede(
            label=old, scorecard=FINE, rubric_version=desk.rubric_version, saw_judge=True,
            source="page", actor=ann,
        )  # fmt: skip


def test_nobody_changes_the_label_of_another(desk: Desk, ann: User, bo: User) -> None:
    make_items(make_traces(desk.environment))
    [old] = desk.judge(ann)
    with pytest.raises(PermissionDenied):
        labels.supersede(
            label=old, scorecard=bad(), rubric_version=desk.rubric_version, saw_judge=False,
            source="page", actor=bo,
        )  # fmt: skip
    assert Label.objects.count() == 1
    assert not Consensus.objects.exists()


def test_labels_can_be_neither_changed_nor_deleted(desk: Desk, ann: User) -> None:
    make_items(make_traces(desk.environment))
    [label] = desk.judge(ann)
    with pytest.raises(DatabaseError, match="append-only"):
        Label.objects.filter(pk=label.pk).update(verdict="defective")
