"""Is this installation sound, and what is to be done where it is not?"""

from __future__ import annotations

import json
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.table import Table

from annotation import pending
from core.doctor import PROBES, Check, State, examine, worst

COLOURS: Final = {State.OK: "green", State.WARN: "yellow", State.FAIL: "bold red"}
WIDTH: Final = 120  # where the output goes into a file


class Command(BaseCommand):
    help = "Examine services, tables, clock, disk, settings and pending work; 1 where one fails."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="for programs; to standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        checks = examine([*PROBES, *pending.probes()])
        if options["json"]:
            self.stdout.write(as_json(checks))
        else:
            _print(checks, options.get("stdout"))
        if failed := [check.name for check in checks if check.state == State.FAIL]:
            raise CommandError(f"Not sound: {', '.join(failed)}.")


def as_json(checks: list[Check]) -> str:
    """`{"state": the worst, "checks": [{name, state, sentence, what_to_do}]}`."""
    found = {"state": worst(checks), "checks": [check._asdict() for check in checks]}
    return json.dumps(found, indent=2, ensure_ascii=False)


def _print(checks: list[Check], out: Any) -> None:
    console = Console(file=out)
    if not console.is_terminal:
        console = Console(file=out, width=WIDTH)
    table = Table(show_edge=False, pad_edge=False)
    for heading in ("check", "", "found, and what to do"):
        table.add_column(heading, overflow="fold")
    for check in checks:
        colour = COLOURS[check.state]
        table.add_row(check.name, f"[{colour}]{check.state}[/]", _cell(check))
    console.print(table)


def _cell(check: Check) -> str:
    """Brackets in what an error said are no markup."""
    text = "\n-> ".join(filter(None, [check.sentence, check.what_to_do]))
    return text.replace("[", r"\[")
