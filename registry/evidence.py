"""Evidence: facts about failures, pushed down by the floor where people judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError

from core import clock
from core.access import Actor
from core.db import ring, step
from core.levers import Lever
from core.models.project import Severity
from registry.models import Evidence
from registry.surfaces import weigh_due


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceIn:
    """One agreed finding; the fields of `registry.models.Evidence`.

    share        part of the `votes` that named the mode, above 0 and at most 1
    probability  with which the output was drawn for review, above 0 and at most 1
    quotes       [{where, text}]
    """

    project_id: int
    rubric_version_id: int
    source: str
    trace_ref: int
    mode: str
    cause: str
    severity: str
    share: float
    votes: int
    prompt_id: int | None = None
    prompt_version_id: int | None = None
    quotes: Sequence[Mapping[str, Any]] = ()
    comments: Sequence[str] = ()
    correction: str = ""
    probability: float = 1.0


@step
def add(items: Sequence[EvidenceIn], *, actor: Actor) -> None:
    """All in one insert; a (project, source) that is there already is left as it is."""
    del actor  # whoever settled the labels is in their record
    for item in items:
        _check(item)
    now = clock.now()
    Evidence.objects.bulk_create(
        (_row(item, now) for item in items), ignore_conflicts=True, batch_size=500
    )
    for project_id in sorted({item.project_id for item in items}):
        ring(weigh_due, project_id)


@step
def withdraw(sources: Sequence[str], *, project_ids: Sequence[int], actor: Actor) -> None:
    """Those of these sources that stand count no longer: who told them takes them back. The rows
    stay for the versions that cite them. The same failure may come again from another source."""
    del actor  # whoever settled the labels is in their record
    told = Evidence.objects.standing().filter(project_id__in=project_ids, source__in=sources)
    told.update(withdrawn_at=clock.now())
    for project_id in sorted(set(project_ids)):
        ring(weigh_due, project_id)


def _check(item: EvidenceIn) -> None:
    if not item.source or len(item.source) > 80:
        raise ValidationError({"source": f"{item.source!r}: give 1 to 80 characters."})
    if item.cause not in Lever.values:
        raise ValidationError({"cause": f"{item.source}: no cause {item.cause!r}."})
    if item.severity not in Severity.values:
        raise ValidationError({"severity": f"{item.source}: no severity {item.severity!r}."})
    for name in ("share", "probability"):
        if not 0 < getattr(item, name) <= 1:
            raise ValidationError({name: f"{item.source}: above 0 and at most 1."})


def _row(item: EvidenceIn, now: datetime) -> Evidence:
    return Evidence(
        project_id=item.project_id,
        prompt_id=item.prompt_id,
        prompt_version_id=item.prompt_version_id,
        rubric_version_id=item.rubric_version_id,
        source=item.source,
        trace_ref=item.trace_ref,
        mode=item.mode,
        cause=item.cause,
        severity=item.severity,
        share=item.share,
        votes=item.votes,
        quotes=[dict(quote) for quote in item.quotes],
        comments=list(item.comments),
        correction=item.correction,
        probability=item.probability,
        created_at=now,
    )
