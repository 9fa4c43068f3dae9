"""The first project of an installation, and its admin."""

from __future__ import annotations

from getpass import getpass
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.access import SYSTEM, Role
from core.models import Project, User
from core.projects import add_member, create_project


class Command(BaseCommand):
    help = "Create a project with its environments, and make a person its admin."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--name", default="", help="what people read; the slug where absent")
        parser.add_argument("--environment", action="append", help="production where absent")
        parser.add_argument("--admin", required=True, metavar="EMAIL")

    def handle(self, *args: Any, **options: Any) -> None:
        admin = _person(options["admin"])
        try:
            project: Project = create_project(
                slug=options["slug"],
                name=options["name"] or options["slug"],
                environments=tuple(options["environment"] or ["production"]),
                actor=SYSTEM,
            )
        except ValidationError as error:
            raise CommandError("; ".join(error.messages)) from error
        add_member(project=project, user=admin, role=Role.ADMIN, actor=SYSTEM)
        self.stdout.write(f"Project {project.slug} is there; {admin.email} is its admin.")


def _person(email: str) -> User:
    found = User.objects.filter(email=email.lower()).first()
    return found or User.objects.create_user(email, getpass(f"A password for {email}: "))
