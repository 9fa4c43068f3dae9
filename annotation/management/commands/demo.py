"""The demo world: fills it where it is not there, and says who can sign in."""

from __future__ import annotations

import shlex
import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.box import SIMPLE
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from annotation.demo.world import (
    FULL,
    QUICK,
    Logins,
    Scale,
    drop,
    fill,
    find_worker,
    is_whole,
    logins,
    simulated_model,
)


class Command(BaseCommand):
    """Idempotent: a world that is whole is left as it is, one that was interrupted is completed."""

    help = "Fill the demo world (a fictional bank) where it is not there, and print its logins."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--quick", action="store_true", help="about 200 traces instead of 3,000"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError(
                "The demo has passwords that everybody knows, so it is only made where DEBUG is on."
            )
        console = Console()
        if is_whole():
            console.print("The demo world is there.")
        else:
            self._fill(QUICK if options["quick"] else FULL, console)
        _show(logins(), console)

    def _fill(self, scale: Scale, console: Console) -> None:
        if worker := find_worker():
            raise CommandError(
                f"The worker {worker} is running and would date the demo's past today. Stop it "
                "first: python manage.py up --stop. Then: python manage.py up --demo"
            )
        began = time.monotonic()
        with simulated_model(), _progress(console) as progress:
            bar = progress.add_task("Four weeks at Meridale Bank", total=None, doing="")
            fill(
                scale,
                lambda done, total, doing: progress.update(
                    bar, completed=done, total=total, doing=doing
                ),
            )
        drop()
        console.print(f"The demo world is made ({time.monotonic() - began:.0f} s).")


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[doing]}"),
        console=console,
    )


def _show(found: Logins, console: Console) -> None:
    table = Table(title="Sign in (demo only)", title_justify="left", box=SIMPLE)
    for heading in ("Role", "Name", "E-mail"):
        table.add_column(heading, no_wrap=True)
    for person in found.people:
        table.add_row(person.says, person.name, person.email)
    console.print(table)
    console.print(f"Password of all: [bold]{found.password}[/]")
    console.print("Your first trace:")
    # Plain and not wrapped: it is there to be copied.
    console.print(f"  {_curl(found.key)}", markup=False, highlight=False, soft_wrap=True)


def _curl(key: str) -> str:
    headers = ("-H", f"Authorization: Bearer {key}", "-H", "Content-Type: application/json")
    url = f"{settings.PUBLIC_URL}/api/v1/traces"
    return shlex.join(["curl", url, *headers, "-d", EXAMPLE])


EXAMPLE = (
    '{"traces": [{"trace_id": "my-first", "output": "Yes, up to £80.", "messages": '
    '[{"role": "user", "content": "Is there a limit for contactless payments?"}]}]}'
)
