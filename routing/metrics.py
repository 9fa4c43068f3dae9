"""The gauges of this floor."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Count, Min

from core import clock
from core.metrics import Sample
from routing.models import Item, Slot, Trace
from routing.models.queue import SlotState
from routing.models.trace import Stage


def samples() -> Iterator[Sample]:
    """Each query is bounded by what is on its way or waiting, not by what was."""
    yield from _stages()
    yield from _set_aside()
    yield from _queue()
    leased = Slot.objects.filter(state=SlotState.LEASED, until__gt=clock.now()).count()
    yield Sample("whetstone_slots_leased", "Opinions that people are writing now.", {}, leased)


def _stages() -> Iterator[Sample]:
    counts = dict(Trace.objects.on_the_way().values_list("stage").annotate(n=Count("pk")))
    for stage in Stage:
        if stage != Stage.DECIDED:
            what = "Traces on the way to a decision."
            yield Sample("whetstone_traces_pending", what, {"stage": stage}, counts.get(stage, 0))


def _set_aside() -> Iterator[Sample]:
    rows = Trace.objects.set_aside(clock.now()).values_list("stage").annotate(n=Count("pk"))
    counts = dict(rows.order_by("stage"))
    for stage in Stage:
        if stage != Stage.SCORED:
            what = "Traces that broke their batch and are tried again later, by where they stand."
            labels = {"stage": str(stage)}
            yield Sample("whetstone_traces_set_aside", what, labels, counts.get(stage, 0))


def _queue() -> Iterator[Sample]:
    now = clock.now()
    rows = Item.objects.waiting().values("project__slug", "tier").order_by("project__slug", "tier")
    for row in rows.annotate(n=Count("pk"), first=Min("due_at")):
        labels = {"project": row["project__slug"], "tier": row["tier"]}
        yield Sample("whetstone_items_waiting", "Outputs that wait for people.", labels, row["n"])
        late = max(0.0, (now - row["first"]).total_seconds())
        yield Sample("whetstone_most_overdue_seconds", "Past the earliest due date.", labels, late)
