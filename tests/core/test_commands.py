"""The first project, its admin and its first key, from the command line."""

from __future__ import annotations

from io import StringIO
from unittest.mock import patch

import pytest
from django.core.management import CommandError, call_command

from core.access import Role
from core.keys import find_key
from core.models import Membership, Project

pytestmark = pytest.mark.django_db


def call(*words: str) -> str:
    out = StringIO()
    call_command(*words, stdout=out)
    return out.getvalue()


def make() -> str:
    with patch("core.management.commands.create_project.getpass", return_value="a long password"):
        return call("create_project", "harbour", "--name", "Harbour Bank", "--admin", "Ada@x.test")


def test_a_project_comes_with_its_admin_and_environment() -> None:
    make()
    member = Membership.objects.select_related("user").get(project__slug="harbour")
    assert (member.role, member.user.email) == (Role.ADMIN, "ada@x.test")
    assert member.user.check_password("a long password")


def test_a_slug_is_taken_once() -> None:
    make()
    with pytest.raises(CommandError, match="already exists"):
        make()


def test_a_key_is_printed_once_and_works() -> None:
    make()
    text = call("create_key", "--project", "harbour", "--scope", "ingest").strip()
    key = find_key(text)
    assert key is not None
    assert (key.project, key.scopes) == (Project.objects.get(), ["ingest"])


def test_an_unknown_environment_is_named() -> None:
    with pytest.raises(CommandError, match="nowhere/production"):
        call("create_key", "--project", "nowhere", "--scope", "ingest")
