from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from core import clock
from core.models import Environment, Project, User
from routing.models import Item
from tests import traces


@pytest.fixture
def late(project: Project, environment: Environment) -> Item:
    """One output that has waited too long."""
    with clock.at(clock.now() - timedelta(days=9)):
        [item] = traces.queued(environment, output="This one presses on the board.")
    return item


def shown(client: Client, person: User, project: Project, query: str = "", **headers: str) -> str:
    client.force_login(person)
    address = reverse("sla_board", args=[project.slug]) + query
    return client.get(address, headers=headers).content.decode()


@pytest.mark.parametrize("who", ["ann", "lee", "eve", "ada", "vi"])
def test_everybody_of_the_project_may_look(
    client: Client, request: pytest.FixtureRequest, project: Project, who: str
) -> None:
    client.force_login(request.getfixturevalue(who))
    assert client.get(reverse("sla_board", args=[project.slug])).status_code == 200


def test_a_stranger_finds_nothing(client: Client, project: Project, cy: User) -> None:
    client.force_login(cy)
    assert client.get(reverse("sla_board", args=[project.slug])).status_code == 404


def test_who_reviews_sees_neither_tiers_nor_items_nor_the_load_of_others(
    client: Client, project: Project, late: Item, ann: User, bo: User
) -> None:
    traces.enrol(project, ann, bo)
    page = shown(client, ann, project)
    assert "Your load" in page
    assert "badge--tier" not in page
    assert "presses on the board" not in page
    assert "</span> Ann" in page
    assert "</span> Bo" not in page
    assert "All work" in page


def test_a_viewer_sees_tiers_but_no_items_and_no_names(
    client: Client, project: Project, late: Item, ann: User, vi: User
) -> None:
    traces.enrol(project, ann)
    page = shown(client, vi, project)
    assert "badge--tier-low" in page
    assert "presses on the board" not in page
    assert "</span> Ann" not in page


def test_a_lead_sees_what_presses_and_who_carries_it(
    client: Client, project: Project, late: Item, ann: User, lee: User
) -> None:
    traces.enrol(project, ann)
    page = shown(client, lee, project)
    assert "presses on the board" in page
    assert reverse("trace", args=[project.slug, late.trace_id]) in page
    assert "</span> Ann" in page
    assert "chip--overdue" in page


def test_few_items_make_no_rate(client: Client, project: Project, late: Item, lee: User) -> None:
    page = shown(client, lee, project)
    assert "not enough yet (n=1)" in page
    assert "goal met" not in page


def test_enough_items_make_a_rate_with_its_interval_against_the_goal(
    client: Client, project: Project, environment: Environment, lee: User
) -> None:
    with clock.at(clock.now() - timedelta(days=9)):
        traces.queued(environment, 12)
    page = shown(client, lee, project)
    assert "0.0\u202f%" in page
    assert "0.0–24.2\u202f%" in page
    assert "n = 12" in page
    assert "below goal" in page


def test_the_part_that_moves_comes_alone_and_asks_again(
    client: Client, project: Project, late: Item, lee: User
) -> None:
    part = shown(client, lee, project, **{"HX-Request": "true"})
    assert part.strip().startswith('<div class="stack" id="board"')
    assert 'hx-trigger="every 15s"' in part
    assert "<html" not in part
    assert "presses on the board" in part


def test_updates_can_be_paused_by_a_link(client: Client, project: Project, lee: User) -> None:
    page = shown(client, lee, project)
    assert "?days=7&amp;live=0" in page
    paused = shown(client, lee, project, "?days=1&live=0")
    assert "hx-trigger" not in paused
    assert "Update by itself" in paused


@pytest.mark.parametrize("query", ["?days=30", "?days=x", "?days=-1&live=maybe"])
def test_any_window_in_the_address_is_answered(
    client: Client, project: Project, lee: User, query: str
) -> None:
    client.force_login(lee)
    assert client.get(reverse("sla_board", args=[project.slug]) + query).status_code == 200


def test_more_work_costs_no_more_statements(
    client: Client, project: Project, environment: Environment, ann: User, bo: User, lee: User
) -> None:
    client.force_login(lee)
    address = reverse("sla_board", args=[project.slug])
    counts = []
    for people, number in (([ann], 1), ([ann, bo], 8)):
        traces.enrol(project, *people)
        with clock.at(clock.now() - timedelta(days=9)):
            traces.queued(environment, number)
        traces.take(project, ann)
        with CaptureQueriesContext(connection) as caught:
            client.get(address)
        counts.append(len(caught))
    assert counts[0] == counts[1]
    assert counts[0] <= 16


def test_a_lead_sees_of_no_single_item_how_risky_it_is(
    client: Client, project: Project, late: Item, lee: User, eve: User
) -> None:
    """A lead may review: the item could be the next that he or she has to judge."""
    link = f'id="item-{late.pk}"'
    row = shown(client, lee, project).partition(link)[2].partition("</tr>")[0]
    assert "presses on the board" in row
    assert "badge--tier" not in row
    assert "badge--tier" in shown(client, eve, project).partition(link)[2].partition("</tr>")[0]
