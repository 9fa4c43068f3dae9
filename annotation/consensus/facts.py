"""What an agreed answer teaches the floors below: evidence, golden cases, canary observations.

Facts only: what follows from them is decided there. Every fact carries a key of its own, so that
telling it twice changes nothing.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from annotation.consensus import cases
from annotation.consensus.majority import Agreed, Outcome
from annotation.models import Consensus, LabelFinding
from annotation.models.consensus import ConsensusState
from annotation.models.label import Verdict
from core.access import Actor
from core.db import step
from core.models.project import Severity
from registry import evidence, golden, release
from registry.models import Evidence
from routing.models import Decision, Item, Trace

HUMAN: Final = "human"
SOURCE_LENGTH: Final = 80
# What a prompt is mended by is a handful of examples; the labels keep the rest.
MOST_QUOTES: Final = 12
LONGEST_QUOTE: Final = 500
LONGEST_COMMENT: Final = 2000


Failure = tuple[int, str, str]
"""Trace, mode, cause."""


@dataclass(frozen=True, slots=True)
class Settled:
    """A new consensus with its item (decision and trace loaded) and what it rests on."""

    row: Consensus
    item: Item
    outcome: Outcome
    labels: int


@dataclass(frozen=True, slots=True)
class _Earlier:
    """What superseded answers on the same traces were: their ids, and the sources of the evidence
    of theirs that stands, by (trace, mode, cause). One output is one case of a failure, however
    often people change their minds about the rest."""

    consensus: list[int]
    standing: dict[Failure, list[str]]


@step
def push(settled: Sequence[Settled], *, actor: Actor) -> None:
    """Tell all of it, in a few statements for any number; take back what holds no longer."""
    earlier = _earlier([each.row.trace_id for each in settled])
    news = [
        (each, agreed)
        for each in settled
        for agreed in each.outcome.findings
        if (each.row.trace_id, agreed.mode, agreed.cause) not in earlier.standing
    ]
    told = _told([each.row.trace_id for each, _ in news], [each.row for each, _ in news])
    evidence.add(
        [_evidence(each, agreed, told[each.row.pk, agreed.mode]) for each, agreed in news],
        actor=actor,
    )
    _withdraw(earlier, settled, actor)
    cases.push([_clear(each) for each in settled if _is_clear(each)], actor=actor)
    release.observe([_observation(each) for each in settled if _is_observed(each)], actor=actor)


@step
def _withdraw(earlier: _Earlier, settled: Sequence[Settled], actor: Actor) -> None:
    projects = sorted({each.item.trace.project_id for each in settled})
    held = {
        (each.row.trace_id, agreed.mode, agreed.cause)
        for each in settled
        for agreed in each.outcome.findings
    }
    gone = [
        key for failure, keys in earlier.standing.items() if failure not in held for key in keys
    ]
    if gone:
        evidence.withdraw(gone, project_ids=projects, actor=actor)
    if earlier.consensus:
        sources = [cases.source_of(pk) for pk in earlier.consensus]
        golden.withdraw(sources, project_ids=projects, actor=actor)


def _earlier(trace_ids: Sequence[int]) -> _Earlier:
    gone = Consensus.objects.filter(trace_id__in=trace_ids, superseded_at__isnull=False)
    rows = list(
        gone.values_list("pk", "trace_id", "findings__mode", "findings__cause").order_by("pk")
    )
    told = {key_of(pk, mode): (trace, mode, cause) for pk, trace, mode, cause in rows if mode}
    return _Earlier(sorted({pk for pk, *_ in rows}), _standing(told, trace_ids))


def _standing(told: Mapping[str, Failure], trace_ids: Sequence[int]) -> dict[Failure, list[str]]:
    """Of what was told, the sources that nobody has taken back, by failure."""
    found: dict[Failure, list[str]] = defaultdict(list)
    if told:
        projects = Trace.objects.filter(pk__in=trace_ids).values("project")
        rows = Evidence.objects.standing().filter(project__in=projects, source__in=told)
        for source in rows.order_by("pk").values_list("source", flat=True):
            found[told[source]].append(source)
    return dict(found)


def key_of(consensus_id: int, mode: str) -> str:
    """The source of an evidence row: the consensus and the mode, at most 80 characters."""
    key = f"consensus:{consensus_id}:{mode}"
    if len(key) <= SOURCE_LENGTH:
        return key
    return f"consensus:{consensus_id}:#{hashlib.blake2b(mode.encode(), digest_size=16).hexdigest()}"


def _told(
    trace_ids: Sequence[int], rows: Iterable[Consensus]
) -> dict[tuple[int, str], list[LabelFinding]]:
    """What the annotators wrote of each mode, by consensus and mode; labels loaded."""
    owner = {label: row.pk for row in rows for label in row.inputs["labels"]}
    found: dict[tuple[int, str], list[LabelFinding]] = defaultdict(list)
    said = LabelFinding.objects.filter(label__trace_id__in=trace_ids).select_related("label")
    for finding in said.order_by("label_id"):
        if finding.label_id in owner:
            found[owner[finding.label_id], finding.mode].append(finding)
    return found


def _evidence(
    settled: Settled, agreed: Agreed, said: Sequence[LabelFinding]
) -> evidence.EvidenceIn:
    trace = settled.item.trace
    corrections = (each.label.corrected_output for each in said)
    return evidence.EvidenceIn(
        project_id=trace.project_id, prompt_id=trace.prompt_id,
        prompt_version_id=trace.prompt_version_id,
        rubric_version_id=settled.row.rubric_version_id,
        source=key_of(settled.row.pk, agreed.mode), trace_ref=trace.pk,
        mode=agreed.mode, cause=agreed.cause, severity=agreed.severity, share=agreed.share,
        votes=settled.outcome.judges, quotes=_quotes(said), comments=_comments(said),
        correction=next((text for text in corrections if text), ""),
        probability=settled.item.decision.probability,
    )  # fmt: skip


def _quotes(said: Sequence[LabelFinding]) -> list[dict[str, str]]:
    found: dict[tuple[str, str], None] = {}
    for finding in said:
        for span in finding.spans:
            found[_where(span), span["text"][:LONGEST_QUOTE]] = None
    return [{"where": where, "text": text} for where, text in found if text][:MOST_QUOTES]


def _where(span: dict[str, Any]) -> str:
    target = str(span["target"])
    return target if span.get("step") is None else f"{target}, step {span['step']}"


def _comments(said: Sequence[LabelFinding]) -> list[str]:
    texts = (text for each in said for text in (each.comment, each.label.comment))
    return [text[:LONGEST_COMMENT] for text in dict.fromkeys(texts) if text.strip()][:MOST_QUOTES]


def _clear(settled: Settled) -> cases.Clear:
    modes = tuple(each.mode for each in settled.outcome.findings)
    return cases.Clear(settled.row, settled.item, modes)


def _is_clear(settled: Settled) -> bool:
    """Agreed by all, nobody abstaining, and of an output whose prompt is known. One opinion is
    enough where only one was wanted; a failure that has no name is not clear."""
    outcome = settled.outcome
    return (
        settled.item.trace.prompt_id is not None
        and bool(outcome.findings) == (outcome.verdict == Verdict.DEFECTIVE)
        and outcome.state == ConsensusState.FINAL
        and outcome.is_unanimous
        and outcome.votes == settled.labels
    )


def _is_observed(settled: Settled) -> bool:
    """Of a canary or its control, drawn without regard to its risk, with an answer that stands."""
    trace = settled.item.trace
    return (
        trace.release_id is not None
        and bool(trace.arm)
        and is_random(settled.item.decision)
        and settled.outcome.state == ConsensusState.FINAL
        and settled.outcome.verdict != Verdict.UNSTATED
    )


def is_random(decision: Decision) -> bool:
    """Whether people would have seen the output whatever its risk: nothing passed unseen then, or
    its draw lies within the audit share. A canary that moves the risk scores moves what people
    are sent; only a sample that risk did not choose compares the arms."""
    if decision.auto_approval_id is None:
        return True
    return bool(decision.draw < decision.policy.rules["audit_share"])


def _observation(settled: Settled) -> release.ObservationIn:
    trace = settled.item.trace
    assert trace.release_id is not None
    return release.ObservationIn(
        release_id=trace.release_id, arm=trace.arm, unit=trace.unit, source=HUMAN,
        trace_ref=trace.pk, defect=_is_defect(settled), at=settled.row.created_at,
    )  # fmt: skip


def _is_defect(settled: Settled) -> bool:
    """A finding at or above the project's floor; what people cannot judge counts as one too.

    A defective output of a rubric without modes has no severity and is one as well.
    """
    outcome = settled.outcome
    if outcome.verdict != Verdict.DEFECTIVE or not outcome.findings:
        return outcome.verdict != Verdict.ACCEPTABLE
    order = Severity.values
    floor = order.index(settled.item.trace.project.defect_floor)
    return any(order.index(each.severity) >= floor for each in outcome.findings)
