from __future__ import annotations

import pytest
from django.test import Client

from core.models import User
from tests import traces
from tests.annotation.web.desk import Desk


@pytest.fixture
def page(desk: Desk) -> str:
    return desk.url("trace_list")


def test_pages_by_key_meet_every_trace_once(
    desk: Desk, page: str, client: Client, eve: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("annotation.web.traces.PAGE", 3)
    sent = traces.send(desk.environment, *(traces.trace_in() for _ in range(8)))
    client.force_login(eve)
    answer, seen = client.get(page), []
    while True:
        seen += [row["trace"].pk for row in answer.context["rows"]]
        if not answer.context["older_url"]:
            break
        answer = client.get(answer.context["older_url"])
    assert seen == sorted((trace.pk for trace in sent), reverse=True)
    back = client.get(answer.context["newer_url"])
    assert [row["trace"].pk for row in back.context["rows"]] == seen[3:6]
    first = client.get(back.context["newer_url"])
    assert [row["trace"].pk for row in first.context["rows"]] == seen[:3]
    assert first.context["newer_url"] == ""


@pytest.mark.parametrize(
    ("query", "found"),
    [("q=VANILLA", 1), ("model=tiny-9", 1), ("stage=decided", 2), ("stage=received", 0),
     ("tier=high", 0), ("action=review", 2), ("prompt=none", 0), ("q=%00", 2), ("before=x", 2),
     ("before=99999999999999999999", 2)],
)  # fmt: skip
def test_filters_stand_in_the_address(
    desk: Desk, page: str, client: Client, eve: User, query: str, found: int
) -> None:
    traces.send(
        desk.environment, traces.trace_in(output="A vanilla answer.", model="tiny-9"),
        traces.trace_in(),
    )  # fmt: skip
    traces.run()
    client.force_login(eve)
    assert len(client.get(f"{page}?{query}").context["rows"]) == found


def test_filters_stay_on_the_next_page(
    desk: Desk, page: str, client: Client, eve: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("annotation.web.traces.PAGE", 1)
    traces.send(desk.environment, traces.trace_in(), traces.trace_in())
    client.force_login(eve)
    assert "q=card" in client.get(f"{page}?q=card").context["older_url"]
