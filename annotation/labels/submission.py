"""Taking labels in: all or nothing, each slot once, nothing ever overwritten."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from itertools import chain
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError

from annotation import consensus
from annotation.labels.opinion import Opinion, Submission, checked, checked_all
from annotation.models import CalibrationItem, CalibrationSession, Draft, Label, LabelFinding
from annotation.models.calibration import SessionState
from annotation.verbs import AnnotationVerb
from core import clock
from core.access import Verb, require
from core.audit import record
from core.db import IllegalTransition, command, ring, step
from core.models import Project, User
from registry.models import RubricVersion
from registry.rubrics import Scorecard, Span
from routing import queue
from routing.models import Slot, Trace
from routing.models.queue import Purpose


@command
def submit(
    submissions: Sequence[Submission], *, rubric_version: RubricVersion, source: str, actor: User
) -> list[Label]:
    """One label for each submission, in the same order; the slots are done.

    Any number of them costs the same few statements. `source` says through which door they came.
    Raises ValidationError naming `submissions[i].field` before anything else is looked at, and
    routing.queue.StaleLease where a lease is lost: then nothing is saved, and the door calls
    `keep` so that nothing is lost.
    """
    project = rubric_version.rubric.project
    require(actor, Verb.REVIEW, project=project)
    pairs = checked_all(submissions, rubric_version)
    if not pairs:
        return []
    now = clock.now()
    closings = [queue.Closing(each.slot_id, each.token) for each, _ in pairs]
    slots = queue.finish(closings, actor=actor, at=now)
    _check_project(submissions, slots, project)
    labels = [
        _label(opinion, rubric_version, source, actor, slot=slots[each.slot_id])
        for each, opinion in pairs
    ]
    _write(labels, [opinion for _, opinion in pairs])
    Draft.objects.filter(slot__in=slots, user=actor).delete()
    record(
        AnnotationVerb.LABELS_SUBMITTED, labels[0] if len(labels) == 1 else project,
        actor=actor, project=project, after={"labels": [label.pk for label in labels]},
    )  # fmt: skip
    ring(consensus.settle_task, sorted({label.trace_id for label in labels}))
    return labels


@command
def supersede(
    *,
    label: Label,
    scorecard: Scorecard,
    rubric_version: RubricVersion,
    comment: str = "",
    corrected_output: str | None = None,
    confidence: int | None = None,
    active_ms: int | None = None,
    saw_judge: bool,
    source: str,
    actor: User,
) -> Label:
    """A new label in place of an own one, which stays. The output's consensus is taken anew.

    Raises PermissionDenied for a label of somebody else, IllegalTransition where it has been
    superseded already, or where it is a vote on which the session has ruled.
    """
    project = rubric_version.rubric.project
    require(actor, Verb.REVIEW, project=project)
    opinion = checked(
        Opinion(
            scorecard=scorecard, comment=comment, corrected_output=corrected_output,
            confidence=confidence, active_ms=active_ms, saw_judge=saw_judge,
        ),
        rubric_version,
    )  # fmt: skip
    _check_changeable(label, project, actor)
    new = _label(
        opinion, rubric_version, source, actor,
        slot=label.slot, item=label.calibration_item, before=label,
    )  # fmt: skip
    _write([new], [opinion])
    if new.purpose in consensus.COUNTED:
        consensus.void(new.trace_id, at=new.created_at)
        ring(consensus.settle_task, [new.trace_id])
    record(
        AnnotationVerb.LABEL_CHANGED, new, actor=actor, project=project,
        before={"label": label.pk, "verdict": label.verdict}, after={"verdict": new.verdict},
    )  # fmt: skip
    return new


@command
def vote(
    *,
    item: CalibrationItem,
    scorecard: Scorecard,
    rubric_version: RubricVersion,
    comment: str = "",
    confidence: int | None = None,
    active_ms: int | None = None,
    source: str,
    actor: User,
) -> Label:
    """A member's blind vote on an item of a calibration session; one each, before the ruling.

    Raises PermissionDenied for who is no member, IllegalTransition where the session is finished,
    the item ruled, or the vote cast. Votes are no work: they enter neither consensus nor rates.
    """
    session = _lock_session(item)
    project = session.project
    require(actor, Verb.REVIEW, project=project)
    opinion = checked(
        Opinion(
            scorecard=scorecard, comment=comment, confidence=confidence, active_ms=active_ms
        ),
        rubric_version,
    )  # fmt: skip
    _check_edition(rubric_version, project)
    if not session.members.filter(user=actor).exists():
        raise PermissionDenied("You are not a member of this session.")
    if Label.objects.filter(calibration_item=item, annotator=actor).exists():
        raise IllegalTransition("You have voted on this item.")
    label = _label(opinion, rubric_version, source, actor, item=item)
    _write([label], [opinion])
    record(AnnotationVerb.CALIBRATION_VOTED, label, actor=actor, project=project)
    return label


@step
def _write(labels: list[Label], opinions: list[Opinion]) -> None:
    Label.objects.bulk_create(labels)
    pairs = zip(labels, opinions, strict=True)
    LabelFinding.objects.bulk_create(
        chain.from_iterable(_findings(label, opinion) for label, opinion in pairs)
    )


def _label(
    opinion: Opinion,
    version: RubricVersion,
    source: str,
    actor: User,
    *,
    slot: Slot | None = None,
    item: CalibrationItem | None = None,
    before: Label | None = None,
) -> Label:
    """The row. What is judged is known by the slot of the queue or the item of the session."""
    if slot is not None:
        trace_id, purpose = slot.item.trace_id, slot.purpose
    else:
        assert item is not None
        trace_id, purpose = item.trace_id, Purpose.CALIBRATION.value
    return Label(
        trace_id=trace_id, slot=slot, calibration_item=item, annotator=actor,
        rubric_version=version, purpose=purpose, verdict=opinion.scorecard.verdict,
        ratings=dict(opinion.scorecard.ratings), comment=opinion.comment,
        corrected_output=opinion.corrected_output, confidence=opinion.confidence,
        saw_judge=opinion.saw_judge, active_ms=opinion.active_ms, source=source,
        supersedes=before, created_at=clock.now(),
    )  # fmt: skip


def _findings(label: Label, opinion: Opinion) -> list[LabelFinding]:
    return [
        LabelFinding(
            label=label, mode=finding.mode, cause=finding.cause, severity=finding.severity,
            comment=finding.comment, spans=[_span(span) for span in finding.spans],
        )
        for finding in opinion.scorecard.findings
    ]  # fmt: skip


def _span(span: Span) -> dict[str, Any]:
    row = asdict(span)
    return row if span.step is not None else {key: row[key] for key in row if key != "step"}


def _check_project(
    submissions: Sequence[Submission], slots: dict[int, Slot], project: Project
) -> None:
    foreign = {
        f"submissions[{index}].slot_id": f"Slot {each.slot_id} is not of {project}."
        for index, each in enumerate(submissions)
        if slots[each.slot_id].project_id != project.pk
    }
    if foreign:
        raise ValidationError(foreign)


def _check_changeable(label: Label, project: Project, actor: User) -> None:
    """Under the lock that the consensus takes too: a change is either counted or still to come."""
    trace = Trace.objects.select_for_update(no_key=True).get(pk=label.trace_id)
    if label.annotator_id != actor.pk:
        raise PermissionDenied("Only who gave a label may change it.")
    if trace.project_id != project.pk:
        raise ValidationError({"rubric_version": f"This rubric is not of {trace.project}."})
    if Label.objects.filter(supersedes=label).exists():
        raise IllegalTransition("A later label has taken the place of this one.")
    if label.calibration_item is not None:
        _lock_session(label.calibration_item)


def _check_edition(version: RubricVersion, project: Project) -> None:
    if version.rubric.project_id != project.pk:
        raise ValidationError({"rubric_version": f"This rubric is not of {project}."})


def _lock_session(item: CalibrationItem) -> CalibrationSession:
    """The open session of an item without a ruling; votes and rulings take turns."""
    session = (
        CalibrationSession.objects.select_for_update(no_key=True, of=("self",))
        .select_related("project")
        .get(pk=item.session_id)
    )
    if session.state != SessionState.OPEN:
        raise IllegalTransition("This session is finished.")
    if CalibrationItem.objects.filter(pk=item.pk).exclude(ruling="").exists():
        raise IllegalTransition("The session has ruled on this item.")
    return session
