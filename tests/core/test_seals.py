"""The chain over the audit: what was changed behind the trigger's back is found and named."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from io import StringIO

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.test import Client

from core import clock
from core.access import SYSTEM
from core.erasure import erase_person
from core.models import AuditCheck, AuditEntry, AuditSeal, Project, User
from core.seals import canonical, check_task, seal_due, seal_task, verify
from tests import factories


@contextmanager
def unguarded(table: str = "core_auditentry") -> Iterator[None]:
    """As whoever owns the database can: without the trigger."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        yield
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


@pytest.fixture
def sealed(project: Project) -> list[int]:
    """Nine rows under three seals; their ids."""
    while AuditEntry.objects.count() < 9:
        factories.make_project()
    while seal_due(limit=3):
        pass
    return list(AuditEntry.objects.order_by("pk").values_list("pk", flat=True))


def test_seals_follow_one_another_without_a_gap(sealed: list[int]) -> None:
    seals = list(AuditSeal.objects.order_by("number"))
    assert [seal.number for seal in seals] == [1, 2, 3]
    assert [seal.ids for seal in seals] == [sealed[:3], sealed[3:6], sealed[6:]]
    assert [seal.previous_digest for seal in seals] == ["", seals[0].digest, seals[1].digest]
    report = verify()
    assert (report.seals, report.rows, report.broken) == (3, 9, None)
    assert report.head == f"3:{seals[2].digest}"


def test_nothing_new_makes_no_seal(sealed: list[int]) -> None:
    assert seal_due(limit=3) == 0
    assert AuditSeal.objects.count() == 3


def test_a_block_takes_at_least_one_row(db: None) -> None:
    with pytest.raises(ValueError, match="limit"):
        seal_due(limit=0)


@pytest.mark.parametrize(
    "change",
    [{"verb": "core.key_revoked"}, {"after": {"slug": "other"}}, {"before": {"a": 1}},
     {"target_id": "9"}, {"request_id": "r"}, {"project": None}, {"target_type": "core.user"}],
)  # fmt: skip
def test_a_changed_row_is_named(sealed: list[int], change: dict[str, object]) -> None:
    with unguarded():
        AuditEntry.objects.filter(pk=sealed[4]).update(**change)
    assert str(verify().broken) == f"Row {sealed[4]} of seal 2 was changed."


def test_a_moved_moment_is_named(sealed: list[int]) -> None:
    at = AuditEntry.objects.get(pk=sealed[8]).at
    with unguarded():
        AuditEntry.objects.filter(pk=sealed[8]).update(at=at - timedelta(microseconds=1))
    assert str(verify().broken) == f"Row {sealed[8]} of seal 3 was changed."


@pytest.mark.parametrize("place", [0, 3, 8])
def test_a_deleted_row_is_named(sealed: list[int], place: int) -> None:
    with unguarded():
        AuditEntry.objects.filter(pk=sealed[place]).delete()
    assert str(verify().broken) == f"Row {sealed[place]} of seal {place // 3 + 1} was deleted."


@pytest.mark.parametrize("place", [0, 3])
def test_a_row_slipped_in_is_named(sealed: list[int], place: int) -> None:
    """Into the gap that a rolled-back transaction left, and before the very first row."""
    forged = AuditEntry.objects.get(pk=sealed[place])
    with unguarded():
        AuditEntry.objects.filter(pk=sealed[place]).delete()
    with unguarded("core_auditseal"):
        AuditSeal.objects.all().delete()
    while seal_due(limit=3):
        pass
    assert verify().broken is None
    forged.save(force_insert=True)
    assert str(verify().broken) == f"Row {sealed[place]} of seal {place // 3 + 1} was added."


def test_a_changed_and_a_missing_seal_are_named(sealed: list[int]) -> None:
    seal = AuditSeal.objects.get(number=2)
    with unguarded("core_auditseal"):
        AuditSeal.objects.filter(number=2).update(leaves=b"\0" * 96)
        assert str(verify().broken) == "Seal 2 is changed."
        AuditSeal.objects.filter(number=2).update(leaves=seal.leaves, digest="0" * 64)
        assert str(verify().broken) == "Seal 2 is changed."
        AuditSeal.objects.filter(number=2).delete()
    assert str(verify().broken) == "Seal 2 is missing."


def test_a_chain_cut_short_or_written_anew_does_not_hold_the_kept_head(sealed: list[int]) -> None:
    head = verify().head
    assert verify(head=head).broken is None
    with unguarded("core_auditseal"):
        AuditSeal.objects.filter(number=3).delete()
    assert verify().broken is None
    assert str(verify(head=head).broken) == "Seal 3 is missing."
    with unguarded():
        AuditEntry.objects.filter(pk=sealed[8]).update(target_id="9")
    seal_due(limit=3)
    assert verify().broken is None
    assert str(verify(head=head).broken) == "Seal 3 is not the one that was kept."


@pytest.mark.parametrize("head", ["3", "x:y", "0:" + "a" * 64, "1:abc"])
def test_a_malformed_head_is_refused(db: None, head: str) -> None:
    with pytest.raises(ValueError, match="number:digest"):
        verify(head=head)


@pytest.mark.parametrize("table", ["core_auditseal", "core_auditcheck"])
def test_seals_and_checks_are_append_only(sealed: list[int], table: str) -> None:
    check_task()
    for change in (f"UPDATE {table} SET at = now()", f"DELETE FROM {table}"):
        with (
            pytest.raises(DatabaseError, match="append-only"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(change)


def test_the_canonical_form_is_what_is_written_down(project: Project) -> None:
    """Whoever checks the chain with other tools relies on these bytes."""
    entry = AuditEntry(
        pk=7, project_id=3, verb="core.key_created", target_type="core.apikey", target_id="5",
        actor_label="x@example.com", before={}, after={"b": 1, "a": "ü"}, request_id="r",
        at=project.created_at.replace(2026, 1, 2, 3, 4, 5, 6),
    )  # fmt: skip
    assert canonical(entry) == (
        b'{"after":{"a":"\\u00fc","b":1},"at":"2026-01-02T03:04:05.000006+00:00","before":{},'
        b'"id":7,"project":3,"request_id":"r","target_id":"5","target_type":"core.apikey",'
        b'"verb":"core.key_created"}'
    )


def test_the_command_prints_the_head_and_keeps_the_outcome(sealed: list[int]) -> None:
    out = StringIO()
    call_command("verify_audit", stdout=out)
    assert "9 rows under 3 seals match." in out.getvalue()
    assert verify().head in out.getvalue()
    check = AuditCheck.objects.get()
    assert (check.seals, check.rows, check.finding, check.broken_seal) == (3, 9, "", None)


def test_the_command_ends_with_one_where_the_chain_is_broken(sealed: list[int]) -> None:
    with unguarded():
        AuditEntry.objects.filter(pk=sealed[1]).update(after={"slug": "x"})
    with pytest.raises(CommandError, match=f"Row {sealed[1]} of seal 1") as caught:
        call_command("verify_audit", stdout=StringIO())
    assert caught.value.returncode == 1
    assert AuditCheck.objects.get().broken_seal == 1


def test_the_sweep_checks_once_a_day(sealed: list[int], caplog: pytest.LogCaptureFixture) -> None:
    check_task()
    check_task()
    assert AuditCheck.objects.count() == 1
    with unguarded():
        AuditEntry.objects.filter(pk=sealed[0]).delete()
    with clock.at(clock.now() + timedelta(hours=25)):
        check_task()
    assert AuditCheck.objects.order_by("-pk")[0].finding in caplog.text


def test_the_sweep_seals_all_that_waits(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.seals.BLOCK", 2)
    for _ in range(4):
        factories.make_project()
    seal_task()
    assert verify().rows == AuditEntry.objects.count() == 5


def test_erasure_takes_the_name_and_leaves_the_chain_whole(project: Project, ada: User) -> None:
    address = ada.email
    made = factories.make_key(factories.make_environment(project), actor=ada)
    seal_task()
    assert erase_person(user=ada, reason="asked to", actor=SYSTEM) == 1
    seal_task()
    entry = AuditEntry.objects.get(target_type="core.apikey", target_id=str(made.key.pk))
    assert (entry.actor, entry.actor_label) == (None, "erased")
    assert verify().broken is None
    ada.refresh_from_db()
    assert (ada.is_active, ada.has_usable_password()) == (False, False)
    assert (ada.email, ada.name) == (f"person-{ada.pk}@erased.invalid", f"Erased person {ada.pk}")
    log = AuditEntry.objects.get(verb="core.person_erased")
    assert (log.after, log.target_id) == ({"reason": "asked to", "audit_rows": 1}, str(ada.pk))
    assert address not in "".join(AuditEntry.objects.values_list("actor_label", flat=True))


def test_an_erased_person_is_signed_out(project: Project, ada: User, client: Client) -> None:
    client.force_login(ada)
    erase_person(user=ada, reason="asked to", actor=SYSTEM)
    assert client.get(f"/p/{project.slug}/").status_code == 302


def test_who_may_not_erase(ada: User, bo: User) -> None:
    with pytest.raises(PermissionDenied):
        erase_person(user=bo, reason="x", actor=ada)
    root = User.objects.create_superuser("root@example.com")
    with pytest.raises(ValidationError, match="Somebody else"):
        erase_person(user=root, reason="x", actor=root)
    with pytest.raises(ValidationError, match="Say why"):
        erase_person(user=bo, reason=" ", actor=root)
    erase_person(user=bo, reason="x", actor=root)
    bo.refresh_from_db()
    with pytest.raises(ValidationError, match="erased already"):
        erase_person(user=bo, reason="x", actor=root)


def test_erasure_from_the_command_line(bo: User) -> None:
    out = StringIO()
    call_command("erase_person", bo.email.upper(), reason="asked to", stdout=out)
    assert "Erased; 0 rows" in out.getvalue()
    with pytest.raises(CommandError, match="Nobody"):
        call_command("erase_person", bo.email, reason="asked to")
