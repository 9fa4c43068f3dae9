"""Replay a file of human-labelled outputs through the whole loop, and report."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any, Final, TextIO

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import InterfaceError, OperationalError
from rich.console import Console

from annotation import replay

# Of a report that goes into a file.
WIDTH: Final = 120
AGAIN: Final = "Run the same command again: it goes on from here."


class Command(BaseCommand):
    help = (
        "Take the outputs of a JSONL file through ingest, scores, tiers, review, labels, consensus,"
        " evidence and a proposed version, and report. Stopped and run again, it goes on."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE.jsonl")
        parser.add_argument("--project", default="", help="slug; default: replay-<dataset>")
        parser.add_argument("--limit", type=_positive, help="read no more than this many lines")
        parser.add_argument("--json", type=Path, metavar="FILE", help="write the report there too")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            faults = self._replay(options)
        except ValidationError as error:
            raise CommandError("; ".join(error.messages)) from error
        except replay.Stuck as error:
            raise CommandError(f"{error} {AGAIN}") from error
        except (OperationalError, InterfaceError) as error:
            raise CommandError(f"The database does not answer: {error} {AGAIN}") from error
        except ValueError as error:
            raise CommandError(str(error)) from error
        if faults:
            raise CommandError(f"{faults} lines are broken; all others have been replayed.")

    def _replay(self, options: dict[str, Any]) -> str:
        """All of it; what share of the lines is broken, in words, or nothing."""
        began = time.monotonic()
        # The report can be piped away; how far it has come is still seen.
        show = replay.show_on(_console(options.get("stderr"), stderr=True))
        reading = self._read(options["file"], options["limit"], show)
        world = replay.prepare(reading, slug=options["project"])
        done = replay.run(reading.lines, reading.dataset, world, show)
        report = replay.compile_report(reading, world, done.traces)
        seconds = round(time.monotonic() - began, 1)
        run = {"created": done.created, "known": done.known, "seconds": seconds}
        _print(_console(options.get("stdout")), report, run)
        if options["json"]:
            _write(options["json"], report.to_json() | {"run": run})
        return f"{len(reading.faults):,} of {reading.read:,}" if reading.faults else ""

    def _read(self, path: Path, limit: int | None, show: replay.Show) -> replay.Reading:
        try:
            with show.stage("Read (bytes)", path.stat().st_size) as advance:
                reading = replay.read(path, limit=limit, tick=advance)
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}") from error
        for fault in reading.faults:
            self.stderr.write(str(fault))
        if not reading.lines:
            raise CommandError(f"{path}: no line of it can be used.")
        return reading


def _console(file: TextIO | None, *, stderr: bool = False) -> Console:
    console = Console(file=file, stderr=stderr)
    return console if console.is_terminal else Console(file=file, stderr=stderr, width=WIDTH)


def _print(console: Console, report: replay.Report, run: dict[str, Any]) -> None:
    console.print(replay.render(report))
    console.print(
        f"Stored {run['created']:,} new outputs, {run['known']:,} were there already;"
        f" {run['seconds']} s.",
        highlight=False,
    )


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def _write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
