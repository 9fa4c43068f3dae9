"""The permission matrix and the keys."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction

from core import clock
from core.access import MATRIX, SYSTEM, Role, Verb, may, require
from core.audit import record
from core.db import opened
from core.keys import create_key, find_key, revoke_key
from core.models import AuditEntry, Environment, Project, User
from core.projects import add_member
from core.verbs import CoreVerb
from tests import factories


def test_every_verb_stands_in_the_matrix() -> None:
    assert set(MATRIX) == set(Verb)


@pytest.mark.parametrize("role", list(Role))
def test_a_role_may_what_the_matrix_says(project: Project, role: Role) -> None:
    person = factories.make_member(project, role)
    allowed = {verb for verb in Verb if may(person, verb, project=project)}
    assert allowed == {verb for verb, roles in MATRIX.items() if role in roles}


def test_a_stranger_may_nothing_and_the_system_all(project: Project, cy: User) -> None:
    assert not any(may(cy, verb, project=project) for verb in Verb)
    assert all(may(SYSTEM, verb, project=project) for verb in Verb)
    with pytest.raises(PermissionDenied, match="see traces"):
        require(cy, Verb.SEE_TRACES, project=project)


def test_a_key_is_found_by_its_whole_text_only(environment: Environment) -> None:
    made = factories.make_key(environment, ["ingest"])
    assert find_key(made.text) == made.key
    for wrong in ("", "wsk", made.text[:-1], made.text + "x", made.text.replace("wsk", "key")):
        assert find_key(wrong) is None
    assert made.text.encode() not in bytes(made.key.secret_hash)


def test_a_key_ends_when_it_expires_or_is_revoked(environment: Environment, ada: User) -> None:
    soon = clock.now() + timedelta(hours=1)
    made = create_key(
        environment=environment, name="ci", scopes=["ingest"], actor=ada, expires_at=soon
    )
    with clock.at(soon + timedelta(seconds=1)):
        assert find_key(made.text) is None
    revoke_key(key=made.key, actor=ada)
    assert find_key(made.text) is None


def test_a_key_of_another_project_may_nothing(environment: Environment, elsewhere: Project) -> None:
    key = factories.make_key(environment, ["admin"]).key
    assert may(key, Verb.INGEST, project=environment.project)
    assert not any(may(key, verb, project=elsewhere) for verb in Verb)


@pytest.mark.parametrize("scopes", [[], ["everything"], ["ingest", "root"]])
def test_scopes_are_known_words(environment: Environment, ada: User, scopes: list[str]) -> None:
    with pytest.raises(ValidationError):
        create_key(environment=environment, name="x", scopes=scopes, actor=ada)


def test_only_an_admin_makes_keys(environment: Environment, eve: User) -> None:
    with pytest.raises(PermissionDenied):
        create_key(environment=environment, name="x", scopes=["ingest"], actor=eve)


def test_a_change_of_role_is_on_the_record(project: Project, ann: User) -> None:
    add_member(project=project, user=ann, role=Role.LEAD, actor=SYSTEM)
    entry = AuditEntry.objects.filter(verb="core.member_role_changed").get()
    assert (entry.before["role"], entry.after["role"]) == (Role.REVIEWER, Role.LEAD)


def test_only_an_admin_changes_roles(project: Project, ann: User, eve: User) -> None:
    with pytest.raises(PermissionDenied):
        add_member(project=project, user=ann, role=Role.ADMIN, actor=eve)


def test_the_record_is_never_changed(project: Project) -> None:
    entries = AuditEntry.objects.filter(project=project)
    assert entries.exists()
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        entries.update(verb="nothing")
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        entries._raw_delete("default")


def test_a_verb_that_no_app_knows_is_refused(project: Project) -> None:
    with opened("test"), pytest.raises(TypeError):
        record("made up", project, actor=SYSTEM, project=project)  # type: ignore[arg-type]
    with pytest.raises(RuntimeError):
        record(CoreVerb.KEY_CREATED, project, actor=SYSTEM, project=project)
