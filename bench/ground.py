"""The ground of every benchmark: real services, a database of its own, one last line."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter

ROOT = Path(__file__).resolve().parents[1]
NAME = "whetstone_bench"


def options(what: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=what)
    parser.add_argument("--quick", action="store_true", help="under 45 seconds on 2 cores")
    return parser.parse_args()


def prepare() -> None:
    """Embedded services where none are named, Django, and an empty, migrated database."""
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    os.environ.setdefault("WHETSTONE_HOME", str(ROOT / ".whetstone" / "bench"))
    from core import embedded

    embedded.supply(os.environ)
    _fresh_database()
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def _fresh_database() -> None:
    import psycopg

    url = os.environ["DATABASE_URL"]
    with psycopg.connect(url, autocommit=True) as door:
        door.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")
        door.execute(f"CREATE DATABASE {NAME}")
    head, _, query = url.partition("?")
    os.environ["DATABASE_URL"] = f"{head.rpartition('/')[0]}/{NAME}" + (
        f"?{query}" if query else ""
    )


def seconds(work: Callable[[], object]) -> float:
    start = perf_counter()
    work()
    return perf_counter() - start


def interleaved(first: Callable[[], object], second: Callable[[], object], rounds: int) -> float:
    """Median of the ratios second / first, taken in turn, so that a noisy moment hits both."""
    return median(seconds(second) / seconds(first) for _ in range(rounds))


def conclude(name: str, figure: float, least: float, unit: str = "x the floor") -> None:
    """The last line, and the exit code: 1 where the figure falls short of the target."""
    print(f"{name}: {figure:.2f} {unit} (target at least {least:.2f})")
    sys.exit(0 if figure >= least else 1)
