"""Who sees which page: every page for every role, and what Cy of another project sees."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import Client, RequestFactory
from pytest_django import DjangoAssertNumQueries

from annotation import calibration
from config.style_guide import style_guide
from core.access import SYSTEM
from core.models import Project, User
from routing.models import Item
from tests import factories, traces
from tests.annotation.web.desk import Desk

PEOPLE = ("vi", "ann", "lee", "eve", "ada", "cy")
PAGES = {
    "home": (200, 200, 200, 200, 200, 404),
    "queue": (403, 200, 200, 403, 200, 404),
    "trace_list": (403, 200, 200, 200, 200, 404),
    "trace": (403, 200, 200, 200, 200, 404),
    "calibration_list": (403, 200, 200, 200, 200, 404),
    "calibration": (403, 200, 200, 200, 200, 404),
    "calibration_item": (403, 200, 200, 200, 200, 404),
}
# Who may not is refused before anything is looked at; who may gets a page to go to.
POSTS = {
    "claim": (403, 302, 403, 403, 403, 404),
    "enrol": (403, 403, 302, 403, 302, 404),
    "submit": (403, 409, 409, 403, 403, 404),
    "heartbeat": (403, 409, 409, 403, 403, 404),
    "hand_back": (403, 302, 302, 403, 403, 404),
    "draft": (403, 204, 204, 403, 403, 404),
    "calibration_vote": (403, 302, 403, 403, 403, 404),
    "calibration_rule": (403, 403, 400, 403, 400, 404),
    "calibration_close": (403, 403, 409, 403, 409, 404),
}


@pytest.fixture
def addresses(desk: Desk, ann: User, bo: User, lee: User) -> dict[str, str]:
    [item, _] = desk.fill(2)
    session = calibration.open_session(
        project=desk.project, title="Tone", goal="", lead=lee, members=[ann, bo],
        traces=[(item.trace, "a hard one")], actor=SYSTEM,
    )  # fmt: skip
    agenda = session.items.get()
    slot = item.slots.order_by("pk")[0]
    page = desk.url("calibration", session.pk)
    return {
        **{name: desk.url(name) for name in ("home", "queue", "trace_list", "claim", "enrol")},
        **{name: desk.url(name, slot.pk) for name in ("submit", "heartbeat", "hand_back", "draft")},
        "trace": desk.url("trace", item.trace_id),
        "calibration_list": desk.url("calibration_list"),
        "calibration": page,
        "calibration_item": f"{page}?item={agenda.pk}",
        "calibration_vote": desk.url("calibration_vote", session.pk, agenda.pk),
        "calibration_rule": desk.url("calibration_rule", session.pk, agenda.pk),
        "calibration_close": desk.url("calibration_close", session.pk),
    }


@pytest.mark.parametrize("who", PEOPLE)
@pytest.mark.parametrize("page", PAGES)
def test_a_page_answers_each_role(
    page: str, who: str, addresses: dict[str, str], client: Client, request: pytest.FixtureRequest
) -> None:
    client.force_login(request.getfixturevalue(who))
    assert client.get(addresses[page]).status_code == PAGES[page][PEOPLE.index(who)]


@pytest.mark.parametrize("who", PEOPLE)
@pytest.mark.parametrize("door", POSTS)
def test_an_action_answers_each_role(
    door: str, who: str, addresses: dict[str, str], client: Client, request: pytest.FixtureRequest
) -> None:
    client.force_login(request.getfixturevalue(who))
    data = {"verdict": "acceptable", "token": "99"}
    assert client.post(addresses[door], data).status_code == POSTS[door][PEOPLE.index(who)]


@pytest.mark.parametrize("page", PAGES)
def test_strangers_are_asked_to_sign_in(
    page: str, addresses: dict[str, str], client: Client
) -> None:
    answer = client.get(addresses[page])
    assert answer.status_code == 302
    assert answer["Location"].startswith("/sign-in/")


@pytest.mark.parametrize("door", POSTS)
def test_actions_are_not_links(
    door: str, addresses: dict[str, str], client: Client, lee: User
) -> None:
    client.force_login(lee)
    assert client.get(addresses[door]).status_code == 405


@pytest.mark.parametrize("page", ["home", "queue", "trace_list", "calibration_list"])
def test_an_empty_project_has_pages(page: str, desk: Desk, client: Client, lee: User) -> None:
    client.force_login(lee)
    assert client.get(desk.url(page)).status_code == 200


@pytest.mark.parametrize(
    ("page", "most"),
    [("home", 30), ("queue", 22), ("trace_list", 14), ("trace", 22), ("calibration", 16)],
)
def test_more_rows_cost_no_more_queries(
    page: str, most: int, addresses: dict[str, str], desk: Desk, client: Client, ann: User,
    lee: User, django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:  # fmt: skip
    first = desk.open(client, ann)
    answer = {"mode": ["tone"], "severity-tone": "major"}
    client.post(desk.url("submit", first.pk), desk.form(first, "defective", **answer))
    desk.fill(12)
    client.force_login(lee)
    with django_assert_max_num_queries(most):
        client.get(addresses[page])


def test_signing_in_leads_to_the_project(client: Client, project: Project, vi: User) -> None:
    vi.set_password("correct horse battery")
    vi.save()
    page = client.get("/sign-in/")
    assert page.status_code == 200
    assert b'name="password"' in page.content
    given = {"username": vi.email, "password": "correct horse battery"}
    answer = client.post("/sign-in/", given, follow=True)
    assert answer.request["PATH_INFO"] == f"/p/{project.slug}/"


def test_a_wrong_password_says_so(client: Client, vi: User) -> None:
    answer = client.post("/sign-in/", {"username": vi.email, "password": "no"})
    assert b"do not belong together" in answer.content


def test_who_is_in_no_project_is_told_whom_to_ask(client: Client, db: None) -> None:
    nobody = factories.make_user("Nobody")
    client.force_login(nobody)
    assert nobody.email.encode() in client.get("/").content


@pytest.mark.parametrize("debug", [False])
def test_what_is_not_there_has_a_page(
    debug: bool, client: Client, ann: User, settings: Any
) -> None:
    settings.DEBUG = debug
    client.force_login(ann)
    answer = client.get("/p/nowhere/")
    assert answer.status_code == 404
    assert b"Nothing here" in answer.content


def test_a_fault_has_a_page_that_asks_nothing(
    client: Client, ann: User, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr("annotation.web.glance.tiles", fail)
    client.raise_request_exception = False
    client.force_login(ann)
    answer = client.get(desk.url("home"))
    assert answer.status_code == 500
    assert b"Something broke on our side" in answer.content


def test_the_style_guide_draws_every_part(rf: RequestFactory, db: None) -> None:
    request = rf.get("/style/")
    request.user = AnonymousUser()
    page = style_guide(request).content.decode()
    for part in ("loop__stage", "diff__row", "step__bar", "chart__svg", "dialog__foot"):
        assert part in page


def test_the_home_page_counts_what_happened(desk: Desk, client: Client, eve: User) -> None:
    traces.let_pass(desk.project)
    desk.fill(3)
    traces.send(desk.environment, *(traces.trace_in() for _ in range(5)))
    traces.run()
    client.force_login(eve)
    loop = client.get(desk.url("home")).context["loop"]
    values = {node["label"]: node["value"] for stage in loop["stages"] for node in stage["nodes"]}
    assert values["Arriving"] == "8"
    assert values["Waiting"] == str(Item.objects.waiting().count())
    assert int(values["Auto-approved"]) + int(values["Waiting"]) == 8
    assert int(values["Waiting"]) >= 3
