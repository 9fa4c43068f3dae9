from __future__ import annotations

import pytest
from django.test import Client

from annotation import calibration, labels
from annotation.labels import Submission
from annotation.models import CalibrationItem, CalibrationSession, Label
from core.access import SYSTEM
from core.models import User
from registry.rubrics import Finding, Scorecard
from routing import queue
from tests.annotation.web.desk import Desk


@pytest.fixture
def session(desk: Desk, ann: User, bo: User, lee: User) -> CalibrationSession:
    items = desk.fill(2)
    return calibration.open_session(
        project=desk.project, title="What is rude", goal="One line", lead=lee, members=[ann, bo],
        traces=[(item.trace, f"reason {place}") for place, item in enumerate(items)], actor=SYSTEM,
    )  # fmt: skip


def vote(desk: Desk, item: CalibrationItem, person: User, comment: str = "") -> None:
    card = Scorecard("defective", (Finding("tone"),))
    labels.vote(
        item=item, scorecard=card, rubric_version=desk.rubric_version, comment=comment,
        source="page", actor=person,
    )  # fmt: skip


def judge_all(desk: Desk, person: User) -> None:
    """The person's work on every output: none of them can come from the queue any more."""
    leases = queue.claim(project=desk.project, actor=person, limit=10)
    said = [Submission(each.slot_id, each.token, Scorecard("acceptable")) for each in leases]
    labels.submit(said, rubric_version=desk.rubric_version, source="page", actor=person)


def rule(item: CalibrationItem, desk: Desk, lead: User) -> None:
    calibration.rule(
        item=item, verdict="defective", modes=["tone"], reason="Rude is rude.",
        rubric_version=desk.rubric_version, actor=lead,
    )  # fmt: skip


def test_a_member_votes_blind_item_after_item(
    desk: Desk, session: CalibrationSession, client: Client, ann: User, bo: User
) -> None:
    first, second = session.items.all()
    vote(desk, first, bo, "BO-VOTED-SO")
    page = f"{desk.url('calibration', session.pk)}?item="
    client.force_login(ann)
    shown = client.get(f"{page}{first.pk}").content.decode()
    assert "Cast the vote" in shown
    assert "BO-VOTED-SO" not in shown
    answer = client.post(
        desk.url("calibration_vote", session.pk, first.pk), {"verdict": "acceptable"}
    )
    assert answer["Location"] == f"{page}{second.pk}"
    assert Label.objects.get(annotator=ann).calibration_item == first
    after = client.get(f"{page}{first.pk}").content.decode()
    assert "BO-VOTED-SO" not in after
    assert "when the session has ruled" in after


def test_a_vote_that_does_not_fit_the_rubric_comes_back(
    desk: Desk, session: CalibrationSession, client: Client, ann: User
) -> None:
    first = session.items.all()[0]
    client.force_login(ann)
    form = {"verdict": "defective", "comment": "my words"}
    answer = client.post(desk.url("calibration_vote", session.pk, first.pk), form)
    assert answer.status_code == 400
    assert b"Name at least one failure mode" in answer.content
    assert b"my words" in answer.content


def test_the_lead_sees_votes_when_all_have_voted(
    desk: Desk, session: CalibrationSession, client: Client, ann: User, bo: User, lee: User
) -> None:
    first = session.items.all()[0]
    page = f"{desk.url('calibration', session.pk)}?item={first.pk}"
    client.force_login(lee)
    vote(desk, first, bo, "BO-VOTED-SO")
    assert b"BO-VOTED-SO" not in client.get(page).content
    vote(desk, first, ann)
    assert b"BO-VOTED-SO" in client.get(page).content


def test_an_absentee_does_not_make_the_lead_rule_blind(
    desk: Desk, client: Client, ann: User, bo: User, lee: User
) -> None:
    [item] = desk.fill(1)
    session = calibration.open_session(
        project=desk.project, title="What is rude", goal="", lead=lee, members=[ann, bo, lee],
        traces=[(item.trace, "hard")], actor=SYSTEM,
    )  # fmt: skip
    first = session.items.get()
    page = f"{desk.url('calibration', session.pk)}?item={first.pk}"
    vote(desk, first, bo, "BO-VOTED-SO")
    client.force_login(lee)
    assert b"BO-VOTED-SO" not in client.get(page).content
    vote(desk, first, lee)
    assert b"BO-VOTED-SO" in client.get(page).content
    client.force_login(bo)
    assert b"Blind votes" not in client.get(page).content


def test_a_lead_who_has_voted_alone_sees_no_tally(
    desk: Desk, client: Client, ann: User, lee: User
) -> None:
    [item] = desk.fill(1)
    session = calibration.open_session(
        project=desk.project, title="What is rude", goal="", lead=lee, members=[ann, lee],
        traces=[(item.trace, "hard")], actor=SYSTEM,
    )  # fmt: skip
    first = session.items.get()
    vote(desk, first, lee)
    client.force_login(lee)
    page = client.get(f"{desk.url('calibration', session.pk)}?item={first.pk}").content.decode()
    assert "Blind votes" not in page
    assert "or you and one more" in page


def test_a_ruling_needs_a_reason_and_is_shown_to_members(
    desk: Desk, session: CalibrationSession, client: Client, ann: User, lee: User
) -> None:
    first = session.items.all()[0]
    door = desk.url("calibration_rule", session.pk, first.pk)
    client.force_login(lee)
    refused = client.post(door, {"verdict": "defective", "modes": ["tone"], "reason": " "})
    assert refused.status_code == 400
    unfit = client.post(door, {"verdict": "acceptable", "modes": ["tone"], "reason": "so"})
    assert b"is defective, not acceptable" in unfit.content
    client.post(door, {"verdict": "defective", "modes": ["tone"], "reason": "Rude is rude."})
    judge_all(desk, ann)
    client.force_login(ann)
    page = client.get(f"{desk.url('calibration', session.pk)}?item={first.pk}")
    assert b"Rude is rude." in page.content


def test_a_ruling_is_hidden_from_who_may_still_get_the_output(
    desk: Desk, session: CalibrationSession, client: Client, ann: User, bo: User, lee: User
) -> None:
    first = session.items.all()[0]
    vote(desk, first, bo, "BO-VOTED-SO")
    rule(first, desk, lee)
    client.force_login(ann)
    agenda = desk.url("calibration", session.pk)
    pages = [client.get(f"{agenda}{query}").content.decode() for query in ("", f"?item={first.pk}")]
    for page in pages:
        assert "badge--verdict-" not in page
        assert "Rude is rude." not in page
        assert "BO-VOTED-SO" not in page
    assert ">hidden<" in pages[0]
    assert "hidden from you until then" in pages[1]
    judge_all(desk, ann)
    after = client.get(f"{agenda}?item={first.pk}").content.decode()
    assert "Rude is rude." in after
    assert "BO-VOTED-SO" in after


def test_the_report_leaves_out_what_is_hidden(
    desk: Desk, session: CalibrationSession, client: Client, ann: User, lee: User
) -> None:
    for item in session.items.all():
        vote(desk, item, ann)
        rule(item, desk, lee)
    calibration.close(session=session, actor=lee)
    client.force_login(ann)
    page = client.get(desk.url("calibration", session.pk)).content.decode()
    assert "Rude is rude." not in page
    assert "Voted as ruled" not in page
    assert "numbers of the session, are hidden from you until then" in page
    judge_all(desk, ann)
    after = client.get(desk.url("calibration", session.pk)).content.decode()
    assert "Rude is rude." in after
    assert "Voted as ruled" in after
    assert "hidden from you" not in after


def test_a_session_is_finished_when_all_is_ruled(
    desk: Desk, session: CalibrationSession, client: Client, ann: User, bo: User, lee: User
) -> None:
    client.force_login(lee)
    door = desk.url("calibration_close", session.pk)
    back = client.post(door, headers={"referer": f"http://testserver{desk.url('home')}"})
    assert back.status_code == 302
    for item in session.items.all():
        vote(desk, item, ann)
        vote(desk, item, bo)
        form = {"verdict": "defective", "modes": ["tone"], "reason": "Rude."}
        client.post(desk.url("calibration_rule", session.pk, item.pk), form)
    page = client.post(door, follow=True).content.decode()
    assert "Voted as ruled" in page
    assert "100" in page
    assert "too few to say" in page
    session.refresh_from_db()
    assert session.state == "finished"


def test_an_item_of_another_session_is_not_there(
    desk: Desk, session: CalibrationSession, client: Client, lee: User, ann: User
) -> None:
    other = calibration.open_session(
        project=desk.project, title="Other", goal="", lead=lee, members=[ann],
        traces=[(desk.items[0].trace, "why")], actor=SYSTEM,
    )  # fmt: skip
    client.force_login(lee)
    door = desk.url("calibration_rule", session.pk, other.items.get().pk)
    assert client.post(door, {}).status_code == 404
