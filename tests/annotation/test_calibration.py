from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from annotation import agreement, calibration, consensus, labels
from annotation.models import CalibrationItem, CalibrationSession, Label
from core.access import Role
from core.db import IllegalTransition
from core.models import AuditEntry, Environment, Project, User
from core.stats.agreement import krippendorff_alpha
from core.stats.counts import from_rows
from registry.models import RubricVersion
from registry.rubrics import Scorecard
from routing.models import Trace
from tests import factories
from tests.annotation.world import FINE, LOST, bad, make_traces


@pytest.fixture
def traces(environment: Environment) -> list[Trace]:
    return make_traces(environment, 3)


@pytest.fixture
def session(
    project: Project, lee: User, ann: User, bo: User, traces: list[Trace]
) -> CalibrationSession:
    return open_session(project, lee, [ann, bo], traces)


def open_session(
    project: Project, lead: User, members: list[User], traces: list[Trace]
) -> CalibrationSession:
    return calibration.open_session(project=project, **agenda(lead, members, traces))


def agenda(lead: User, members: list[User], traces: list[Trace]) -> dict[str, Any]:
    return {
        "title": "Tone", "goal": "When is it rude?", "lead": lead, "members": members,
        "traces": [(trace, "two people differed") for trace in traces], "actor": lead,
    }  # fmt: skip


def item(session: CalibrationSession, position: int) -> CalibrationItem:
    return session.items.get(position=position)


def vote(
    where: CalibrationItem, who: User, version: RubricVersion, card: Scorecard = FINE
) -> Label:
    return labels.vote(item=where, scorecard=card, rubric_version=version, source="page", actor=who)


def rule(
    where: CalibrationItem, lead: User, version: RubricVersion, verdict: str = "acceptable",
    *modes: str, reason: str = "plain enough",
) -> CalibrationItem:  # fmt: skip
    return calibration.rule(
        item=where, verdict=verdict, modes=modes, reason=reason, rubric_version=version, actor=lead
    )


def test_a_session_has_its_members_and_its_agenda(
    session: CalibrationSession, traces: list[Trace], ann: User, bo: User
) -> None:
    assert [each.trace_id for each in session.items.all()] == [trace.pk for trace in traces]
    assert {each.user for each in session.members.all()} == {ann, bo}
    assert session.state == "open"


@pytest.mark.parametrize(
    ("fault", "field"),
    [
        ({"title": " "}, "title"),
        ({"traces": []}, "traces"),
        ({"members": []}, "members"),
    ],
)
def test_an_incomplete_session_is_refused(
    project: Project, lee: User, ann: User, traces: list[Trace], fault: dict[str, Any], field: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        calibration.open_session(project=project, **agenda(lee, [ann], traces) | fault)
    assert list(caught.value.message_dict) == [field]
    assert not CalibrationSession.objects.exists()


def test_only_people_who_review_here_and_outputs_of_the_project(
    project: Project, elsewhere: Project, lee: User, ann: User, vi: User, cy: User,
    traces: list[Trace],
) -> None:  # fmt: skip
    foreign = make_traces(factories.make_environment(elsewhere))
    for members, outputs, field in (
        ([ann, vi], traces, "members"),
        ([ann, cy], traces, "members"),
        ([ann, ann], traces, "members"),
        ([ann], foreign, "traces"),
        ([ann], [traces[0], traces[0]], "traces"),
    ):
        with pytest.raises(ValidationError) as caught:
            open_session(project, lee, members, outputs)
        assert list(caught.value.message_dict) == [field]


def test_a_reviewer_opens_rules_and_closes_nothing(
    project: Project, session: CalibrationSession, ann: User, traces: list[Trace],
    rubric_version: RubricVersion,
) -> None:  # fmt: skip
    with pytest.raises(PermissionDenied):
        open_session(project, ann, [ann], traces)
    with pytest.raises(PermissionDenied):
        rule(item(session, 1), ann, rubric_version)
    with pytest.raises(PermissionDenied):
        calibration.close(session=session, actor=ann)


def test_who_is_of_another_project_sees_no_session(session: CalibrationSession, cy: User) -> None:
    assert not CalibrationSession.objects.visible_to(cy).exists()
    with pytest.raises(PermissionDenied):
        calibration.close(session=session, actor=cy)


def test_each_member_votes_once_on_an_item(
    session: CalibrationSession, ann: User, bo: User, rubric_version: RubricVersion
) -> None:
    label = vote(item(session, 1), ann, rubric_version, bad("tone"))
    vote(item(session, 1), bo, rubric_version)
    assert (label.purpose, label.slot, label.trace) == ("calibration", None, item(session, 1).trace)
    assert label.findings.get().mode == "tone"
    with pytest.raises(IllegalTransition):
        vote(item(session, 1), ann, rubric_version)
    assert Label.objects.count() == 2


def test_who_has_no_seat_has_no_vote(
    project: Project, session: CalibrationSession, rubric_version: RubricVersion
) -> None:
    guest = factories.make_member(project, Role.REVIEWER, "Gus")
    with pytest.raises(PermissionDenied):
        vote(item(session, 1), guest, rubric_version)


def test_a_vote_must_speak_the_rubric(
    session: CalibrationSession, elsewhere: Project, ann: User, rubric_version: RubricVersion
) -> None:
    with pytest.raises(ValidationError):
        vote(item(session, 1), ann, rubric_version, bad("no_such_mode"))
    with pytest.raises(ValidationError):
        vote(item(session, 1), ann, factories.make_rubric(elsewhere))


def test_votes_settle_nothing(
    session: CalibrationSession, ann: User, rubric_version: RubricVersion
) -> None:
    vote(item(session, 1), ann, rubric_version, bad("tone"))
    assert consensus.settle_due() == 0


def test_after_the_ruling_nobody_votes_or_changes_a_vote(
    session: CalibrationSession, lee: User, ann: User, bo: User, rubric_version: RubricVersion
) -> None:
    first = vote(item(session, 1), ann, rubric_version)
    second = labels.supersede(
        label=first, scorecard=bad("tone"), rubric_version=rubric_version, saw_judge=False,
        source="page", actor=ann,
    )  # fmt: skip
    ruled = rule(item(session, 1), lee, rubric_version, "defective", "tone")
    assert (ruled.ruling, ruled.ruling_modes, ruled.ruling_reason) == (
        "defective", ["tone"], "plain enough",
    )  # fmt: skip
    with pytest.raises(IllegalTransition):
        vote(item(session, 1), bo, rubric_version)
    with pytest.raises(IllegalTransition):
        labels.supersede(
            label=second, scorecard=FINE, rubric_version=rubric_version, saw_judge=False,
            source="page", actor=ann,
        )  # fmt: skip
    with pytest.raises(IllegalTransition):
        rule(item(session, 1), lee, rubric_version)


@pytest.mark.parametrize(
    ("verdict", "modes", "reason", "field"),
    [
        ("unstated", (), "why", "verdict"),
        ("defective", (), "why", "findings"),
        ("defective", ("no_such_mode",), "why", "findings"),
        ("acceptable", ("tone",), "why", "verdict"),
        ("acceptable", (), " ", "reason"),
    ],
)
def test_a_ruling_fits_the_rubric_and_says_why(
    session: CalibrationSession, lee: User, rubric_version: RubricVersion,
    verdict: str, modes: tuple[str, ...], reason: str, field: str,
) -> None:  # fmt: skip
    with pytest.raises(ValidationError) as caught:
        rule(item(session, 1), lee, rubric_version, verdict, *modes, reason=reason)
    assert list(caught.value.message_dict) == [field]


def test_a_session_closes_when_every_item_is_ruled(
    session: CalibrationSession, lee: User, rubric_version: RubricVersion
) -> None:
    rule(item(session, 1), lee, rubric_version)
    with pytest.raises(IllegalTransition, match="2, 3"):
        calibration.close(session=session, actor=lee)
    rule(item(session, 2), lee, rubric_version)
    rule(item(session, 3), lee, rubric_version)
    calibration.close(session=session, actor=lee)
    session.refresh_from_db()
    assert session.state == "finished"
    assert session.closed_at is not None
    with pytest.raises(IllegalTransition):
        calibration.close(session=session, actor=lee)
    assert AuditEntry.objects.filter(verb="annotation.calibration_closed").count() == 1


def test_the_report_counts_votes_and_rulings(
    session: CalibrationSession, lee: User, ann: User, bo: User, rubric_version: RubricVersion
) -> None:
    vote(item(session, 1), ann, rubric_version, bad("tone"))
    vote(item(session, 1), bo, rubric_version, FINE)
    vote(item(session, 2), ann, rubric_version, LOST)
    rule(item(session, 1), lee, rubric_version, "defective", "tone")
    rule(item(session, 2), lee, rubric_version, "cannot_judge")
    rule(item(session, 3), lee, rubric_version)
    report = calibration.close(session=session, actor=lee)
    session.refresh_from_db()
    assert session.report == json.loads(json.dumps(report))
    first, second, third = session.report["items"]
    assert first["votes"] == {"defective": 1, "acceptable": 1}
    assert (first["modes"], first["voters"], first["as_ruled"]) == ({"tone": 1}, 2, 1)
    assert (first["ruling"], first["ruling_modes"]) == ("defective", ["tone"])
    assert (second["voters"], second["as_ruled"]) == (1, 1)
    assert (third["voters"], third["as_ruled"]) == (0, 0)
    assert session.report["members"] == [
        {"user": ann.pk, "votes": 2, "as_ruled": 2},
        {"user": bo.pk, "votes": 1, "as_ruled": 0},
    ]


def test_below_the_minimum_the_report_shows_n_and_no_number(
    session: CalibrationSession, lee: User, ann: User, bo: User, rubric_version: RubricVersion
) -> None:
    for position in (1, 2, 3):
        vote(item(session, position), ann, rubric_version, bad("tone"))
        vote(item(session, position), bo, rubric_version)
        rule(item(session, position), lee, rubric_version)
    alpha = calibration.close(session=session, actor=lee)["verdict"]["alpha"]
    assert (alpha["n"], alpha["value"], alpha["low"]) == (3, None, None)


def test_alpha_comes_from_the_blind_votes_with_an_interval(
    project: Project, environment: Environment, lee: User, ann: User, bo: User,
    rubric_version: RubricVersion,
) -> None:  # fmt: skip
    session = open_session(project, lee, [ann, bo], make_traces(environment, 12))
    cards = {0: FINE, 1: bad("tone")}
    said = [[0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 0, 1], [0, 0, 0, 0, 1, 1, 1, 1, 1, 0, 0, 1]]
    for position, (one, other) in enumerate(zip(*said, strict=True), start=1):
        vote(item(session, position), ann, rubric_version, cards[one])
        vote(item(session, position), bo, rubric_version, cards[other])
        rule(item(session, position), lee, rubric_version)
    report = calibration.close(session=session, actor=lee)
    table, _ = from_rows(said)
    alpha = report["verdict"]["alpha"]
    assert alpha["value"] == pytest.approx(krippendorff_alpha(table))
    assert alpha["low"] < alpha["value"] < alpha["high"]
    assert (alpha["n"], report["agreement"]["verdict"]["positives"]) == (12, 12)


def test_a_session_without_a_vote_closes_with_an_empty_report(
    session: CalibrationSession, lee: User, rubric_version: RubricVersion
) -> None:
    for position in (1, 2, 3):
        rule(item(session, position), lee, rubric_version)
    report = calibration.close(
        session=session, actor=lee, settings=agreement.Settings(items=1, positives=1)
    )
    assert report["members"] == []
    assert report["verdict"]["alpha"]["value"] is None
