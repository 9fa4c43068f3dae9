"""The erasure of a person, by the operator."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.access import SYSTEM
from core.erasure import erase_person
from core.models import User


class Command(BaseCommand):
    help = "Take a person's name and address out of the accounts and the audit. Cannot be undone."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--reason", required=True, help="kept in the audit: name nobody in it")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(email__iexact=options["email"]).first()
        if user is None:
            raise CommandError("Nobody has that address.")
        try:
            cleared = erase_person(user=user, reason=options["reason"], actor=SYSTEM)
        except ValidationError as error:
            raise CommandError("; ".join(error.messages)) from error
        self.stdout.write(f"Erased; {cleared} rows of the audit no longer name the person.")
