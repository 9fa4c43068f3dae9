"""An API key, shown once."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.access import SCOPES, SYSTEM
from core.keys import create_key
from core.models import Environment


class Command(BaseCommand):
    help = "Create an API key of an environment and print it. It cannot be read again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--project", required=True, metavar="SLUG")
        parser.add_argument("--environment", default="production")
        parser.add_argument("--name", default="command line")
        parser.add_argument("--scope", action="append", required=True, choices=sorted(SCOPES))

    def handle(self, *args: Any, **options: Any) -> None:
        environment = Environment.objects.filter(
            project__slug=options["project"], name=options["environment"]
        ).first()
        if environment is None:
            where = f"{options['project']}/{options['environment']}"
            raise CommandError(f"There is no environment {where}.")
        try:
            made = create_key(
                environment=environment,
                name=options["name"],
                scopes=options["scope"],
                actor=SYSTEM,
            )
        except ValidationError as error:
            raise CommandError("; ".join(error.messages)) from error
        self.stdout.write(made.text)
