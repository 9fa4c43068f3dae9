"""Nobody who must still judge an output finds what machines or others thought of it."""

from __future__ import annotations

import pytest
from django.test import Client

from annotation import calibration, labels
from annotation.labels import Submission
from core.access import SYSTEM
from core.models import User
from registry.rubrics import Finding, Scorecard
from routing import queue
from routing.models import Item
from routing.scoring import score_due
from tests import traces
from tests.annotation.web.desk import SECRETS, STEPS, Desk


def judge(desk: Desk, person: User, comment: str = "BO-SAID-THIS") -> None:
    [lease] = queue.claim(project=desk.project, actor=person)
    said = Submission(
        lease.slot_id, lease.token, Scorecard("defective", (Finding("tone"),)), comment=comment
    )
    labels.submit([said], rubric_version=desk.rubric_version, source="page", actor=person)


def leaks(page: str) -> list[str]:
    return [secret for secret in (*SECRETS, "BO-SAID-THIS") if secret.lower() in page.lower()]


def test_the_secrets_are_there_for_who_may_know(desk: Desk, client: Client, eve: User) -> None:
    [item] = desk.fill(1)
    client.force_login(eve)
    page = client.get(desk.url("trace", item.trace_id)).content.decode()
    assert leaks(page) == list(SECRETS)


@pytest.mark.parametrize("name", ["workbench", "submit"])
def test_the_workbench_holds_no_secret(
    desk: Desk, client: Client, ann: User, bo: User, name: str
) -> None:
    desk.ask_both(bo, ann)
    judge(desk, bo)
    slot = desk.open(client, ann)
    faulty = desk.form(slot, "defective")
    pages = {
        "workbench": client.get(desk.url("workbench", slot.pk)),
        "submit": client.post(desk.url("submit", slot.pk), faulty),
    }
    assert leaks(pages[name].content.decode()) == []


@pytest.mark.parametrize("page", ["queue", "home", "trace_list"])
@pytest.mark.parametrize("query", ["", "?tier=high", "?action=review"])
def test_lists_hold_no_secret(
    desk: Desk, client: Client, ann: User, bo: User, page: str, query: str
) -> None:
    items: list[Item] = desk.fill(3)
    judge(desk, bo)
    desk.open(client, ann)
    answer = client.get(desk.url(page) + query)
    assert leaks(answer.content.decode()) == []
    assert "badge--tier" not in answer.content.decode()
    # A filter that a reviewer cannot use must not tell by what disappears, either.
    assert len(answer.context.get("rows", items)) == len(items)


def test_a_trace_is_locked_until_the_own_label(
    desk: Desk, client: Client, ann: User, bo: User
) -> None:
    item = desk.ask_both(bo, ann)
    judge(desk, bo)
    page = desk.url("trace", item.trace_id)
    client.force_login(ann)
    before = client.get(page).content.decode()
    assert leaks(before) == []
    assert "Blind." in before
    slot = desk.open(client, ann)
    assert leaks(client.get(page).content.decode()) == []
    client.post(desk.url("submit", slot.pk), desk.form(slot))
    after = client.get(page).content.decode()
    assert "BO-SAID-THIS" in after
    assert "Blind." not in after


def test_a_reviewer_never_sees_traces_that_he_did_not_judge(
    desk: Desk, client: Client, ann: User, bo: User
) -> None:
    """Also when nobody waits for it any more: it may come back as gold or in a calibration."""
    [item] = desk.fill(1)
    judge(desk, bo)
    traces.enrol(desk.project, ann)
    item.slots.filter(state="open").update(state="withdrawn", closed_at=item.created_at)
    client.force_login(ann)
    assert leaks(client.get(desk.url("trace", item.trace_id)).content.decode()) == []


def test_a_lead_who_reviews_is_blind_for_what_may_come(
    desk: Desk, client: Client, lee: User, bo: User
) -> None:
    [item, other] = desk.fill(2)
    page = desk.url("trace", item.trace_id)
    client.force_login(lee)
    assert "<dt>Risk</dt>" in client.get(page).content.decode()
    traces.enrol(desk.project, lee)
    assert leaks(client.get(page).content.decode()) == []
    listed = client.get(desk.url("trace_list"))
    assert [row["secret"] for row in listed.context["rows"]] == [True, True]
    assert client.get(desk.url("trace_list") + "?tier=high").context["rows"] == []
    assert client.get(desk.url("trace_list") + "?tier=medium").context["rows"] == []
    assert other.trace_id != item.trace_id


def test_who_owes_a_vote_is_blind_even_after_an_own_label(
    desk: Desk, client: Client, ann: User, bo: User, lee: User
) -> None:
    item = desk.ask_both(bo, ann)
    judge(desk, ann, "mine")
    judge(desk, bo)
    session = calibration.open_session(
        project=desk.project, title="Tone", goal="", lead=lee, members=[ann],
        traces=[(item.trace, "hard")], actor=SYSTEM,
    )  # fmt: skip
    client.force_login(ann)
    page = desk.url("trace", item.trace_id)
    assert leaks(client.get(page).content.decode()) == []
    labels.vote(
        item=session.items.get(), scorecard=Scorecard("acceptable"),
        rubric_version=desk.rubric_version, source="page", actor=ann,
    )  # fmt: skip
    assert "BO-SAID-THIS" in client.get(page).content.decode()


def test_a_lead_at_work_sees_no_score_before_there_is_a_decision(
    desk: Desk, client: Client, lee: User, eve: User
) -> None:
    facts = {**traces.RISKY, "steps": STEPS, "scores": {"judge": 0.97}}
    [trace] = traces.send(desk.environment, traces.trace_in(**facts))
    score_due()
    traces.enrol(desk.project, lee)
    client.force_login(lee)
    assert leaks(client.get(desk.url("trace", trace.pk)).content.decode()) == []
    [row] = client.get(desk.url("trace_list")).context["rows"]
    assert row["secret"] is True
    client.force_login(eve)
    assert "SECRET-SCORE" in client.get(desk.url("trace", trace.pk)).content.decode()
