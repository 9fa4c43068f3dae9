"""What Prometheus is told, computed by query at the scrape: no counters in processes, none lost."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import NamedTuple

ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})


class Sample(NamedTuple):
    """One gauge: its name, what it means, its labels, its value."""

    name: str
    help: str
    labels: dict[str, str]
    value: float


def exposition(samples: Iterable[Sample]) -> str:
    """The samples in Prometheus' text format, version 0.0.4."""
    lines = []
    ordered = sorted(samples, key=lambda sample: sample.name)
    for name, group in groupby(ordered, key=lambda sample: sample.name):
        found = list(group)
        lines += [f"# HELP {name} {found[0].help}", f"# TYPE {name} gauge"]
        lines += [f"{name}{_labels(sample.labels)} {sample.value:g}" for sample in found]
    return "\n".join(lines) + "\n"


def _labels(labels: dict[str, str]) -> str:
    pairs = ",".join(f'{name}="{value.translate(ESCAPES)}"' for name, value in labels.items())
    return f"{{{pairs}}}" if pairs else ""
