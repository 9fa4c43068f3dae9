"""A canary beside its control: defect rates, and how far the evidence has come."""

from __future__ import annotations

import math
from dataclasses import dataclass

from django.db.models import Count, Q

from core import charts
from core.figures import percent
from core.stats.eprocess import CanaryMonitor
from core.stats.intervals import Estimate, newcombe
from registry.models import Observation, Release
from registry.models.release import Arm
from registry.release.monitor import BROKEN_SPLIT, SOURCES
from registry.web.rates import MINIMUM, Rate

NAMES = {"judge": "Judge", "human": "People"}


@dataclass(frozen=True, slots=True)
class Gauge:
    """Evidence against the threshold at which something is done. `width` in percent, on a log
    scale, for evidence multiplies."""

    label: str
    value: float
    threshold: float
    fill: int

    @property
    def width(self) -> float:
        reach = math.log(max(self.value, 1.0)) / math.log(self.threshold)
        return round(min(1.0, reach) * 100, 2)

    @property
    def is_reached(self) -> bool:
        return self.value >= self.threshold


@dataclass(frozen=True, slots=True)
class Source:
    """What one source says of both arms."""

    name: str
    canary: Rate
    control: Rate
    waiting: int
    rollback: Gauge
    promote: Gauge

    @property
    def difference(self) -> Estimate:
        """Canary less control (Newcombe), where both have enough."""
        found = newcombe(self.canary.hits, self.canary.n, self.control.hits, self.control.n)
        return found.shown(MINIMUM)


@dataclass(frozen=True, slots=True)
class Comparison:
    sources: list[Source]
    note: str
    margin: float
    block: int
    units: dict[str, int]
    srm_p: float | None
    chart: charts.BarChart

    @property
    def is_split_broken(self) -> bool:
        return self.srm_p is not None and self.srm_p < BROKEN_SPLIT


def compare(release: Release) -> Comparison:
    """All that was observed of a canary; one query."""
    counts = _counts(release)
    sources = [_source(release, name, counts) for name in SOURCES]
    monitor = release.monitor
    return Comparison(
        sources=sources,
        note=monitor.get("note", ""),
        margin=monitor["settings"]["margin"],
        block=monitor["settings"]["block"],
        units=monitor.get("units", {}),
        srm_p=monitor.get("srm_p"),
        chart=_chart(sources),
    )


Counts = dict[tuple[str, str], tuple[int, int, int]]
"""By source and arm: defects, units, units not looked at yet."""


def _counts(release: Release) -> Counts:
    rows = (
        Observation.objects.filter(release=release)
        .values("source", "arm")
        .annotate(
            n=Count("pk"),
            bad=Count("pk", filter=Q(defect=True)),
            new=Count("pk", filter=Q(seen_at=None)),
        )
        .order_by("source", "arm")
    )
    return {(row["source"], row["arm"]): (row["bad"], row["n"], row["new"]) for row in rows}


def _source(release: Release, name: str, counts: Counts) -> Source:
    canary = counts.get((name, Arm.CANARY), (0, 0, 0))
    control = counts.get((name, Arm.CONTROL), (0, 0, 0))
    monitor = CanaryMonitor.from_json(release.monitor["sources"][name])
    return Source(
        name=NAMES[name],
        canary=Rate(canary[0], canary[1]),
        control=Rate(control[0], control[1]),
        waiting=canary[2] + control[2],
        rollback=Gauge("It is worse", monitor.rollback_evidence, 1 / monitor.alpha, 4),
        promote=Gauge("It is not worse", monitor.promote_evidence, 1 / monitor.beta, 1),
    )


def _chart(sources: list[Source]) -> charts.BarChart:
    items = [
        _bar(f"{arm_name}, {source.name.lower()}", rate, fill)
        for source in sources
        for arm_name, rate, fill in (
            ("Canary", source.canary, 1),
            ("Control", source.control, 2),
        )
        if rate.is_shown
    ]
    return charts.bars("arms", "Defect rate by arm", items, value_name="Defect rate", form=percent)


def _bar(label: str, rate: Rate, fill: int) -> charts.Bar:
    found = rate.estimate
    return charts.Bar(label, found.value or 0.0, found.low, found.high, f"n = {rate.n}", "", fill)
