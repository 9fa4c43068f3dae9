"""Settling: every item whose opinions are in gets its one authoritative answer.

What waits is a query (`due`); bells only name the traces. Workers share the traces by SKIP LOCKED.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from celery import shared_task
from django.db.models import Exists, OuterRef, QuerySet

from annotation.consensus import facts
from annotation.consensus.majority import METHOD, VERSION, Outcome, Voice, majority
from annotation.models import Consensus, ConsensusFinding, Label, LabelFinding
from annotation.models.label import LabelQuerySet
from annotation.verbs import AnnotationVerb
from core import clock
from core.access import SYSTEM
from core.audit import record
from core.db import command, step
from core.models import Project
from core.sweeps import work_off
from routing import faults
from routing.models import Item, Trace
from routing.models.queue import ItemState, Purpose

BATCH: Final = 500
IDS: Final = 5000
# Gold, repeats and calibration votes measure people; only these judge the output.
COUNTED: Final = (Purpose.WORK.value, Purpose.AUDIT.value)


def due() -> QuerySet[Item]:
    """Items that are done, have a label that counts, and no current consensus that saw them;
    without the traces that are set aside."""
    settled = Consensus.objects.current().filter(
        trace_id=OuterRef("trace_id"), item_id__gte=OuterRef("pk")
    )
    labelled = Label.objects.filter(slot__item=OuterRef("pk"), purpose__in=COUNTED)
    done = Item.objects.filter(~Exists(settled), Exists(labelled), state=ItemState.DONE)
    return done.exclude(trace_id__in=Trace.objects.set_aside(clock.now()).values("pk"))


@command
def settle_due(*, limit: int = BATCH, among: Sequence[int] | None = None) -> int:
    """Settle up to `limit` traces (only those `among` these ids, where given); how many it was.

    Acts as the system. Called by any number of workers at once, each trace is settled once.
    """
    items = _claim(limit, among)
    if not items:
        return 0
    now = clock.now()
    labels, outcomes = _weigh(list(items))
    Consensus.objects.current().filter(trace_id__in=items).update(superseded_at=now)
    rows = _write(items, labels, outcomes, now)
    facts.push(
        [facts.Settled(rows[pk], items[pk], outcomes[pk], len(labels[pk])) for pk in items],
        actor=SYSTEM,
    )
    _record(items, outcomes)
    return len(items)


@shared_task(name="annotation.consensus.settle_due")
def settle_task(trace_ids: list[int] | None = None) -> None:
    """Settle what is due: of the named traces when a bell rang, of all when the sweep comes."""

    def waiting() -> list[int]:
        items = due() if trace_ids is None else due().filter(trace_id__in=trace_ids)
        return list(dict.fromkeys(items.order_by("pk").values_list("trace_id", flat=True)[:BATCH]))

    def take(ids: Sequence[int] | None) -> int:
        return settle_due(among=trace_ids if ids is None else ids)

    work_off(take, waiting=waiting, set_aside=faults.set_aside)


@step
def void(trace_id: int, *, at: datetime) -> None:
    """The labels have changed: the answer counts no longer, and the trace is due again.

    The caller holds the lock of the trace.
    """
    Consensus.objects.current().filter(trace_id=trace_id).update(superseded_at=at)


@step
def _claim(limit: int, among: Sequence[int] | None) -> dict[int, Item]:
    """The latest due item of each trace that this transaction has locked, by trace id."""
    waiting = due() if among is None else due().filter(trace_id__in=among)
    mine = waiting.select_for_update(skip_locked=True, of=("self",), no_key=True)
    named = list(mine.order_by("pk").values_list("trace_id", flat=True)[:limit])
    # The trace is what there may be one answer for. NO KEY: labels of other items may refer to it.
    locked = Trace.objects.filter(pk__in=named).select_for_update(skip_locked=True, no_key=True)
    ids = list(locked.order_by("pk").values_list("pk", flat=True)) if named else []
    # Asked again under the lock: the first answer may be older than another worker's commit.
    items = due().filter(trace_id__in=ids).select_related("decision__policy", "trace__project")
    return {item.trace_id: item for item in items.order_by("pk")} if ids else {}


def _labels(trace_ids: Sequence[int]) -> LabelQuerySet:
    return Label.objects.current().filter(
        trace_id__in=trace_ids, purpose__in=COUNTED, slot__item__state=ItemState.DONE
    )


def _weigh(trace_ids: Sequence[int]) -> tuple[dict[int, list[Label]], dict[int, Outcome]]:
    """The labels of each trace, the latest of each person, and what they add up to."""
    latest: dict[tuple[int, int], Label] = {}
    for label in _labels(trace_ids).defer("comment", "corrected_output").order_by("pk"):
        latest[label.trace_id, label.annotator_id] = label
    labels: dict[int, list[Label]] = defaultdict(list)
    for label in latest.values():
        labels[label.trace_id].append(label)
    found = _findings([label.pk for label in latest.values()])
    outcomes = {
        trace_id: majority([_voice(label, found.get(label.pk, {})) for label in given])
        for trace_id, given in labels.items()
    }
    return labels, outcomes


def _findings(label_ids: Sequence[int]) -> dict[int, dict[str, tuple[str, str]]]:
    """What each label names: mode to severity and cause. By id, not by a subquery: right after a
    flood of labels the statistics are old, and the plan of a subquery is a matter of luck."""
    found: dict[int, dict[str, tuple[str, str]]] = defaultdict(dict)
    for start in range(0, len(label_ids), IDS):
        named = LabelFinding.objects.filter(label__in=label_ids[start : start + IDS])
        for pk, mode, severity, cause in named.values_list("label", "mode", "severity", "cause"):
            found[pk][mode] = (severity, cause)
    return found


def _voice(label: Label, findings: dict[str, tuple[str, str]]) -> Voice:
    return Voice(label.pk, label.verdict, label.confidence, findings)


@step
def _write(
    items: dict[int, Item],
    labels: dict[int, list[Label]],
    outcomes: dict[int, Outcome],
    now: datetime,
) -> dict[int, Consensus]:
    rows = Consensus.objects.bulk_create(
        Consensus(
            trace_id=pk, item=item, method=METHOD, method_version=VERSION,
            rubric_version_id=max(label.rubric_version_id for label in labels[pk]),
            state=outcomes[pk].state, verdict=outcomes[pk].verdict, share=outcomes[pk].share,
            votes=outcomes[pk].votes, created_at=now,
            inputs={"labels": sorted(label.pk for label in labels[pk])},
        )
        for pk, item in items.items()
    )  # fmt: skip
    ConsensusFinding.objects.bulk_create(
        ConsensusFinding(
            consensus=row, mode=each.mode, cause=each.cause, severity=each.severity,
            votes=each.votes, share=each.share,
        )
        for row in rows for each in outcomes[row.trace_id].findings
    )  # fmt: skip
    return {row.trace_id: row for row in rows}


@step
def _record(items: dict[int, Item], outcomes: dict[int, Outcome]) -> None:
    by_project: dict[Project, Counter[str]] = defaultdict(Counter)
    for trace_id, item in items.items():
        outcome = outcomes[trace_id]
        by_project[item.trace.project][f"{outcome.verdict}, {outcome.state}"] += 1
    for project, counts in by_project.items():
        record(
            AnnotationVerb.CONSENSUS_SETTLED, project, actor=SYSTEM, project=project,
            after=dict(counts),
        )  # fmt: skip
