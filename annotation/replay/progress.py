"""How far a replay has come: bars on a terminal, a line for each stage elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol, TypeAlias

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

Advance: TypeAlias = Callable[[int], None]
"""Told how much of the stage is done by now, in all."""


class Show(Protocol):
    """Where a replay says what it does."""

    def stage(self, title: str, total: int) -> AbstractContextManager[Advance]:
        """A stage of `total` pieces begins; it ends with the block."""


class Silent:
    """Says nothing."""

    @contextmanager
    def stage(self, title: str, total: int) -> Iterator[Advance]:
        yield lambda _: None


class Lines:
    """A line when a stage is done, for logs."""

    def __init__(self, console: Console) -> None:
        self.console = console

    @contextmanager
    def stage(self, title: str, total: int) -> Iterator[Advance]:
        began, done = time.monotonic(), 0

        def advance(so_far: int) -> None:
            nonlocal done
            done = so_far

        yield advance
        seconds = time.monotonic() - began
        self.console.print(f"{title}: {done:,} of {total:,}, {seconds:.1f} s", highlight=False)


class Bars:
    """A bar for each stage."""

    def __init__(self, console: Console) -> None:
        self.console = console

    @contextmanager
    def stage(self, title: str, total: int) -> Iterator[Advance]:
        columns = (
            TextColumn("{task.description:<28}"), BarColumn(), MofNCompleteColumn(),
            TimeElapsedColumn(),
        )  # fmt: skip
        with Progress(*columns, console=self.console) as progress:
            task = progress.add_task(title, total=total)
            yield lambda so_far: progress.update(task, completed=so_far)


def show_on(console: Console) -> Show:
    """Bars where somebody watches, lines where not."""
    return Bars(console) if console.is_terminal else Lines(console)
