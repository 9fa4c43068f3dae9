from __future__ import annotations

import pytest
from django.test import Client

from annotation.labels import save_draft
from core.access import Role
from core.models import User
from routing import queue, reviewers
from routing.models import Reviewer
from tests import factories
from tests.annotation.web.desk import Desk


def test_it_says_what_waits_for_me(desk: Desk, client: Client, ann: User) -> None:
    desk.fill(3)
    client.force_login(ann)
    assert client.get(desk.url("queue")).context["waiting"] == 3
    slot = desk.open(client, ann)
    client.post(desk.url("submit", slot.pk), desk.form(slot))
    page = client.get(desk.url("queue"))
    assert (page.context["waiting"], page.context["today"]) == (1, 1)
    assert [label.verdict for label in page.context["done"]] == ["acceptable"]
    assert b"Go on with your item" in page.content


def test_who_is_not_enrolled_is_told(desk: Desk, client: Client) -> None:
    new = factories.make_member(desk.project, Role.REVIEWER, "New")
    client.force_login(new)
    assert b"not enrolled as a reviewer yet" in client.get(desk.url("queue")).content
    assert client.post(desk.url("claim")).status_code == 403


def test_a_lead_enrols_pauses_and_resumes(desk: Desk, client: Client, lee: User) -> None:
    new = factories.make_member(desk.project, Role.REVIEWER, "New")
    viewer = factories.make_member(desk.project, Role.VIEWER, "Viewer")
    client.force_login(lee)
    client.post(desk.url("enrol"), {"user": [new.pk, viewer.pk, "x"]})
    made = Reviewer.objects.get(user=new)
    assert not Reviewer.objects.filter(user=viewer).exists()
    client.post(desk.url("pause_reviewer", made.pk))
    made.refresh_from_db()
    assert made.state == "paused"
    client.post(desk.url("resume_reviewer", made.pk))
    made.refresh_from_db()
    assert made.state == "active"


@pytest.mark.parametrize("door", ["pause_reviewer", "resume_reviewer"])
def test_reviewers_do_not_pause_each_other(
    desk: Desk, client: Client, ann: User, bo: User, cy: User, door: str
) -> None:
    other = Reviewer.objects.get(user=bo)
    client.force_login(ann)
    assert client.post(desk.url(door, other.pk)).status_code == 403
    client.force_login(cy)
    assert client.post(desk.url(door, other.pk)).status_code == 404


def test_a_paused_reviewer_cannot_start(desk: Desk, client: Client, ann: User, lee: User) -> None:
    desk.fill(1)
    reviewers.pause(reviewer=Reviewer.objects.get(user=ann), actor=lee)
    client.force_login(ann)
    assert b"Your reviewing is paused" in client.get(desk.url("queue")).content


def test_a_draft_of_a_lost_item_is_shown_until_it_is_judged(
    desk: Desk, client: Client, ann: User
) -> None:
    desk.fill(1)
    slot = desk.open(client, ann)
    content = {"verdict": "defective", "comment": "KEPT-WORDS"}
    save_draft(slot_id=slot.pk, content=content, actor=ann)
    assert b"KEPT-WORDS" not in client.get(desk.url("queue")).content
    queue.release_slot(slot_id=slot.pk, token=slot.token, actor=ann)
    assert b"KEPT-WORDS" in client.get(desk.url("queue")).content


def test_a_number_of_thousands_of_digits_enrols_nobody(
    desk: Desk, client: Client, lee: User
) -> None:
    client.force_login(lee)
    answer = client.post(desk.url("enrol"), {"user": ["9" * 5_000]})
    assert answer.status_code == 302
