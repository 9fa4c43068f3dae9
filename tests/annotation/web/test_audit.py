from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from io import StringIO

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from annotation.web.audit import _cell
from core import clock
from core.access import Role
from core.models import AuditEntry, Membership, Project, User
from core.projects import add_member
from core.seals import check_task, seal_task
from tests import factories
from tests.core.test_seals import unguarded


@pytest.fixture
def page(project: Project) -> str:
    return reverse("audit", args=[project.slug])


@pytest.fixture
def seen(client: Client, ada: User) -> Client:
    client.force_login(ada)
    return client


def take(client: Client, page: str, **asked: str) -> str:
    answer = client.post(f"{page}export/", asked)
    assert answer.status_code == 200
    return b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]


@pytest.mark.parametrize("role", Role)
def test_only_admins_read_and_export(project: Project, page: str, role: Role) -> None:
    client = Client()
    client.force_login(factories.make_member(project, role))
    expected = 200 if role == Role.ADMIN else 403
    assert client.get(page).status_code == expected
    assert client.post(f"{page}export/", {"form": "csv"}).status_code == expected
    assert AuditEntry.objects.filter(verb="core.audit_exported").exists() == (expected == 200)
    home = client.get(reverse("home", args=[project.slug])).content.decode()
    assert (f'href="{page}"' in home) == (expected == 200)


def test_a_stranger_finds_nothing_and_sees_only_the_own_rows(
    seen: Client, page: str, cy: User, elsewhere: Project
) -> None:
    own = AuditEntry.objects.filter(project=elsewhere).order_by("-pk")
    assert not {row["entry"].pk for row in seen.get(page).context["rows"]} & {e.pk for e in own}
    client = Client()
    client.force_login(cy)
    assert client.get(page).status_code == 404
    assert client.post(f"{page}export/", {"form": "csv"}).status_code == 404
    there = client.get(reverse("audit", args=[elsewhere.slug]))
    assert [row["entry"] for row in there.context["rows"]] == list(own)


@pytest.mark.parametrize(
    ("query", "found"),
    [("", 3), ("verb=core.member_added", 2), ("verb=none", 0), ("actor=ADA", 1),
     ("actor=system", 2), ("target=core.project", 1), ("target=core.membership", 2),
     ("request=req-7", 1), ("from=2030-01-02", 1), ("to=2030-01-01", 2),
     ("from=2030-01-02&to=2030-01-02", 1),
     ("from=x&to=9999-12-31", 3), ("to=2030-02-30", 3), ("verb=%00", 3), ("before=x", 3),
     ("target=core.membership&target_id=0", 0)],
)  # fmt: skip
def test_filters_stand_in_the_address(
    project: Project, seen: Client, ada: User, page: str, query: str, found: int
) -> None:
    bo = factories.make_user("Bo")
    with clock.at(datetime(2030, 1, 2, 23, 59, 59, tzinfo=UTC)):
        member = add_member(project=project, user=bo, role=Role.VIEWER, actor=ada)
    entry = AuditEntry.objects.get(target_id=str(member.pk), target_type="core.membership")
    with unguarded():
        AuditEntry.objects.filter(pk=entry.pk).update(request_id="req-7")
    assert len(seen.get(f"{page}?{query}").context["rows"]) == found


def test_pages_by_key_meet_every_row_once(
    project: Project, seen: Client, page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("annotation.web.audit.PAGE", 2)
    for _ in range(4):
        factories.make_member(project, Role.VIEWER)
    answer, ids = seen.get(f"{page}?target=core.membership"), []
    while True:
        ids += [row["entry"].pk for row in answer.context["rows"]]
        if not answer.context["older_url"]:
            break
        assert "target=core.membership" in answer.context["older_url"]
        answer = seen.get(answer.context["older_url"])
    rows = AuditEntry.objects.filter(project=project, target_type="core.membership")
    assert ids == list(rows.order_by("-pk").values_list("pk", flat=True))
    back = seen.get(answer.context["newer_url"])
    assert [row["entry"].pk for row in back.context["rows"]] == ids[2:4]


def test_before_and_after_are_shown(project: Project, seen: Client, page: str, bo: User) -> None:
    member = Membership.objects.get(user=bo)
    add_member(project=project, user=bo, role=Role.LEAD, actor=User.objects.get(name="Ada"))
    text = seen.get(f"{page}?verb=core.member_role_changed").content.decode()
    assert f"Membership {member.pk}" in text
    assert "&quot;role&quot;: &quot;reviewer&quot;" in text
    assert "&quot;role&quot;: &quot;lead&quot;" in text


def test_exports_hold_the_filtered_rows_and_are_audited(
    project: Project, seen: Client, ada: User, page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("annotation.web.audit.CHUNK", 1)
    for _ in range(3):
        factories.make_member(project, Role.VIEWER)
    rows = AuditEntry.objects.filter(project=project, verb="core.member_added").order_by("pk")
    lines = [
        json.loads(line)
        for line in take(seen, page, form="jsonl", verb="core.member_added").splitlines()
    ]
    assert [line["id"] for line in lines] == [entry.pk for entry in rows]
    assert lines[0]["after"] == rows[0].after
    log = AuditEntry.objects.get(verb="core.audit_exported")
    assert (log.actor, log.after["form"]) == (ada, "jsonl")
    assert log.after["filters"] == {"verb": "core.member_added"}
    table = list(csv.DictReader(StringIO(take(seen, page, form="csv"))))
    assert [int(row["id"]) for row in table] == [
        *AuditEntry.objects.filter(project=project, pk__lte=log.pk)
        .order_by("pk")
        .values_list("pk", flat=True)
    ]
    assert json.loads(table[1]["after"]) == rows[0].after


@pytest.mark.parametrize("form", ["", "xlsx"])
def test_an_unknown_form_is_refused_and_not_audited(seen: Client, page: str, form: str) -> None:
    assert seen.post(f"{page}export/", {"form": form}).status_code == 400
    assert not AuditEntry.objects.filter(verb="core.audit_exported").exists()


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
def test_a_spreadsheet_computes_nothing(text: str) -> None:
    assert _cell(text) == f"'{text}"


def test_an_address_that_is_a_formula_is_guarded_in_the_file(
    project: Project, seen: Client, page: str
) -> None:
    evil = User.objects.create_user("=cmd@example.com")
    add_member(project=project, user=evil, role=Role.ADMIN, actor=User.objects.get(name="Ada"))
    add_member(project=project, user=evil, role=Role.ADMIN, actor=evil)
    rows = list(csv.DictReader(StringIO(take(seen, page, form="csv"))))
    assert rows[-1]["actor"] == "'=cmd@example.com"


def test_the_seal_status_is_of_this_project(
    seen: Client, page: str, elsewhere: Project, project: Project
) -> None:
    assert "None yet" in seen.get(page).content.decode()
    seal_task()
    check_task()
    factories.make_member(project, Role.VIEWER)
    answer = seen.get(page)
    seal = answer.context["seal"]
    assert (seal["sealed"], seal["waiting"]) == ("2", "1")
    assert "Whole" in answer.content.decode()


def test_a_broken_chain_is_told(seen: Client, page: str, project: Project) -> None:
    seal_task()
    with unguarded():
        AuditEntry.objects.filter(project=project).update(target_id="9")
    check_task()
    assert "does not match its seals" in seen.get(page).content.decode()


def test_the_page_asks_the_same_for_many_rows_as_for_one(
    project: Project, seen: Client, ada: User, page: str,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:  # fmt: skip
    for n in range(30):
        add_member(project=project, user=factories.make_user(f"P{n}"), role=Role.VIEWER, actor=ada)
    with django_assert_max_num_queries(10):
        assert len(seen.get(page).context["rows"]) == 32
