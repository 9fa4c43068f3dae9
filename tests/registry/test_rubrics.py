from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction

from core.levers import Lever
from core.models import AuditEntry, Project, User
from core.models.project import Severity
from registry import rubrics
from registry.models import FailureMode, RubricVersion
from registry.rubrics import Criterion, Finding, Mode, Scorecard, Span
from tests import factories

HELPFUL = Criterion("helpful", "Helpful", ("no", "little", "partly", "mostly", "fully"))


def refused(scorecard: Scorecard, version: RubricVersion) -> dict[str, list[str]]:
    with pytest.raises(ValidationError) as caught:
        rubrics.check(scorecard, version)
    return caught.value.message_dict


def test_the_starter_explains_every_mode_with_a_definition_and_a_remedy() -> None:
    assert len(rubrics.STARTER) == 15
    for mode in rubrics.STARTER:
        assert mode.definition.endswith(".")
        assert mode.remedy.endswith(".")
        assert mode.default_cause is not Lever.UNKNOWN


def test_a_lead_creates_edition_one_and_it_is_recorded(project: Project, lee: User) -> None:
    version = factories.make_rubric(project, actor=lee)
    assert version.number == 1
    assert version.created_by == lee
    assert list(rubrics.modes_of(version)) == [mode.code for mode in rubrics.STARTER]
    assert AuditEntry.objects.filter(verb="registry.rubric_created", actor=lee).count() == 1


def test_a_reviewer_may_not_create_a_rubric(project: Project, ann: User) -> None:
    with pytest.raises(PermissionDenied):
        factories.make_rubric(project, actor=ann)


def test_a_new_edition_leaves_the_old_one_and_becomes_current(
    project: Project, rubric_version: RubricVersion, lee: User
) -> None:
    modes = [Mode("late", "Late")]
    new = rubrics.publish_version(rubric=rubric_version.rubric, modes=modes, actor=lee)
    assert new.number == 2
    assert rubrics.current(project) == new
    assert len(rubrics.modes_of(rubric_version)) == 15


def test_a_project_without_a_rubric_has_no_current_one(project: Project) -> None:
    assert rubrics.current(project) is None


def test_editions_and_modes_refuse_every_change(rubric_version: RubricVersion) -> None:
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        RubricVersion.objects.filter(pk=rubric_version.pk).update(note="later")
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        FailureMode.objects.filter(version=rubric_version).delete()


@pytest.mark.parametrize(
    ("modes", "sentence"),
    [
        ([Mode("two words", "Two words")], "is not a code"),
        ([Mode("", "Empty")], "is not a code"),
        ([Mode("tone\n", "Ends in a line break")], "is not a code"),
        ([Mode("blank", " ")], "give a label"),
        ([Mode("late", "Late"), Mode("late", "Late again")], "Named twice: late"),
        ([Mode("late", "Late", default_severity="huge")], "no severity 'huge'"),  # type: ignore[arg-type]
        ([Mode("late", "Late", default_cause="moon")], "no cause 'moon'"),  # type: ignore[arg-type]
    ],
)
def test_wrong_modes_are_refused_by_name(
    project: Project, modes: list[Mode], sentence: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        factories.make_rubric(project, modes)
    assert sentence in caught.value.message_dict["modes"][0]


def test_a_criterion_has_five_anchors_or_none(project: Project) -> None:
    with pytest.raises(ValidationError) as caught:
        factories.make_rubric(project, criteria=[Criterion("help", "Help", ("bad", "good"))])
    assert "criteria" in caught.value.message_dict


def test_a_sound_scorecard_passes_and_is_completed_with_defaults(project: Project) -> None:
    version = factories.make_rubric(project, criteria=[HELPFUL])
    span = Span("output", 3, 9, "answer")
    card = Scorecard("defective", (Finding("tone", spans=(span,)),), {"helpful": 2})
    rubrics.check(card, version)
    (finding,) = rubrics.complete(card, version).findings
    assert (finding.severity, finding.cause) == (Severity.MINOR, Lever.PROMPT)
    assert finding.spans == (span,)


def test_what_the_judge_of_the_output_said_is_not_overwritten(
    rubric_version: RubricVersion,
) -> None:
    card = Scorecard("defective", (Finding("tone", "critical", "data"),))
    (finding,) = rubrics.complete(card, rubric_version).findings
    assert (finding.severity, finding.cause) == ("critical", "data")


@pytest.mark.parametrize(
    ("card", "field"),
    [
        (Scorecard("good"), "verdict"),
        (Scorecard("acceptable", (Finding("tone"),)), "verdict"),
        (Scorecard("cannot_judge", (Finding("tone"),)), "verdict"),
        (Scorecard("unstated", (Finding("tone"),)), "verdict"),
        (Scorecard("defective"), "findings"),
        (Scorecard("defective", (Finding("unheard_of"),)), "findings"),
        (Scorecard("defective", (Finding("tone"), Finding("tone"))), "findings"),
        (Scorecard("defective", (Finding("tone", "huge"),)), "findings"),
        (Scorecard("defective", (Finding("tone", "", "moon"),)), "findings"),
        (Scorecard("defective", (Finding("tone", spans=(Span("output", 5, 5, ""),)),)), "findings"),
        (Scorecard("acceptable", ratings={"helpful": 6}), "ratings"),
        (Scorecard("acceptable", ratings={"helpful": True}), "ratings"),
        (Scorecard("acceptable", ratings={"kind": 3}), "ratings"),
    ],
)
def test_a_wrong_scorecard_is_refused_and_the_field_named(
    project: Project, card: Scorecard, field: str
) -> None:
    version = factories.make_rubric(project, criteria=[HELPFUL])
    assert list(refused(card, version)) == [field]


def test_without_modes_a_rubric_still_tells_good_from_bad(project: Project) -> None:
    rubrics.check(Scorecard("defective"), factories.make_rubric(project, modes=[]))


def test_a_hundred_checks_cost_one_query(
    rubric_version: RubricVersion, django_assert_num_queries
) -> None:
    version = RubricVersion.objects.get(pk=rubric_version.pk)
    with django_assert_num_queries(1):
        for _ in range(100):
            rubrics.check(Scorecard("defective", (Finding("tone"),)), version)


def test_cy_sees_no_rubric_of_another_project(rubric_version: RubricVersion, cy: User) -> None:
    assert not RubricVersion.objects.visible_to(cy).exists()
