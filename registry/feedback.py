"""What people found, as an optimizer is told it: few records, best first, always as data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from django.db.models import Exists, OuterRef, QuerySet

from core.models.project import Severity
from registry import rubrics
from registry.models import (
    Evidence,
    FailureMode,
    GoldenCase,
    OptimizationRun,
    RubricVersion,
    SurfaceFinding,
)
from registry.optimizers import Assignment, Feedback
from registry.prompts import blocks_of

MOST_RECORDS: Final = 3
"""Failing records that a model is shown: one noisy cluster must not drown the rest."""
MOST_CONTRAST: Final = 2
MOST_CITED: Final = 100
LONGEST: Final = 2_000


def assignment_for(run: OptimizationRun) -> Assignment:
    """What `run` is to mend, read from the evidence and the rubric."""
    finding = run.finding
    rows = list(_evidence(finding).order_by("-pk")[:MOST_CITED])
    shown = _shown(finding)
    return Assignment(
        project_id=finding.project_id,
        blocks=blocks_of(run.base),
        feedback=_feedback(finding, rows, shown),
        material=list(_material(finding, [*rows, *shown])),
    )


def _feedback(
    finding: SurfaceFinding, rows: Sequence[Evidence], shown: Sequence[Evidence]
) -> Feedback:
    mode = _mode(finding, rows)
    # What is shown may be cited, however old it is.
    ids = dict.fromkeys(row.pk for row in (*rows, *shown))
    return Feedback(
        mode=finding.mode,
        label=mode.label if mode else finding.mode,
        definition=mode.definition if mode else "",
        remedy=mode.remedy if mode else "",
        history=f"{finding.evidence_count} outputs that people agree on; with those that they"
        f" stand for about {finding.weight:.0f}",
        evidence_ids=tuple(ids),
        records=tuple(_record(row) for row in shown),
        contrast=tuple(_contrast(finding)),
    )


def _evidence(finding: SurfaceFinding) -> QuerySet[Evidence]:
    return Evidence.objects.standing().filter(
        project_id=finding.project_id,
        prompt=finding.prompt,
        mode=finding.mode,
        cause=finding.lever,
    )


def _shown(finding: SurfaceFinding) -> list[Evidence]:
    """The gravest and clearest, each of another output, golden cases last: a gate should be put
    to outputs that the optimizer has not seen."""
    golden = GoldenCase.objects.filter(
        prompt=finding.prompt, retired_at=None, trace_ref=OuterRef("trace_ref")
    )
    rows = _evidence(finding).annotate(is_golden=Exists(golden)).order_by("-pk")
    found: dict[int, tuple[tuple[bool, int, float, int], int]] = {}
    ranks = {value: place for place, value in enumerate(Severity.values)}
    facts = rows.values_list("pk", "trace_ref", "is_golden", "severity", "share")
    for pk, trace, is_golden, severity, share in facts[:1000]:
        found.setdefault(trace, ((is_golden, -ranks[severity], -share, -pk), pk))
    best = [pk for _, pk in sorted(found.values())[:MOST_RECORDS]]
    by_pk = Evidence.objects.in_bulk(best)
    return [by_pk[pk] for pk in best]


def _record(row: Evidence) -> dict[str, Any]:
    return {
        "evidence_id": row.pk,
        "severity": row.severity,
        "agreement": f"{round(row.share * row.votes)} of {row.votes} experts",
        "weight": round(row.share / row.probability, 2),
        "quotes": [
            {"where": str(each.get("where", "")), "quote": str(each.get("text", ""))[:LONGEST]}
            for each in row.quotes
        ],
        "expert_notes": [str(note)[:LONGEST] for note in row.comments],
        "corrected_output": row.correction[:LONGEST],
    }


def _contrast(finding: SurfaceFinding) -> Iterator[dict[str, Any]]:
    """Outputs that people accept, of retired cases only: no gate will ask for them again."""
    cases = GoldenCase.objects.filter(prompt=finding.prompt, modes=[], retired_at__isnull=False)
    for case in cases.order_by("-pk")[:MOST_CONTRAST]:
        asked = [str(each.get("content") or "")[:LONGEST] for each in case.messages]
        yield {"asked": asked, "output": case.recorded_output[:LONGEST]}


def _material(finding: SurfaceFinding, rows: Sequence[Evidence]) -> Iterator[str]:
    """Texts of cases, none of which may end up in a prompt. What experts wrote may."""
    for row in {row.pk: row for row in rows}.values():
        yield row.correction
        yield from (str(each.get("text", "")) for each in row.quotes)
    for case in GoldenCase.objects.filter(prompt=finding.prompt).order_by("pk"):
        yield case.recorded_output
        yield from (str(each.get("content") or "") for each in case.messages)


def _mode(finding: SurfaceFinding, rows: Sequence[Evidence]) -> FailureMode | None:
    """As the current rubric words it, else as the edition that its evidence speaks of does."""
    current = rubrics.current(finding.project)
    found = rubrics.modes_of(current).get(finding.mode) if current else None
    if found is not None or not rows:
        return found
    spoken = RubricVersion.objects.get(pk=rows[0].rubric_version_id)
    return rubrics.modes_of(spoken).get(finding.mode)
