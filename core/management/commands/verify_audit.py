"""Whether the audit is as it was written."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.models import AuditEntry, AuditSeal
from core.seals import keep, verify


class Command(BaseCommand):
    help = (
        "Recompute the chain of seals over the audit. Ends with code 1 and names the first row "
        "that does not match. Who acted is not covered: erasure may change it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--head",
            default="",
            metavar="NUMBER:DIGEST",
            help="a seal that you have kept elsewhere",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            report = verify(head=options["head"])
        except ValueError as error:
            raise CommandError(str(error), returncode=2) from error
        keep(report)
        self.stdout.write(f"{report.rows} rows under {report.seals} seals match.")
        if report.broken:
            raise CommandError(str(report.broken), returncode=1)
        last = AuditSeal.objects.order_by("number").last()
        open_rows = AuditEntry.objects.filter(pk__gt=last.last_id if last else 0).count()
        self.stdout.write(f"{open_rows} newer rows wait for the next seal.")
        if report.head:
            self.stdout.write(f"Head, to be kept elsewhere: {report.head}")
