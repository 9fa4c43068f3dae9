"""Which steps a replay could not take, and exactly why: sentences for the report. Pure reads."""

from __future__ import annotations

from collections.abc import Iterator

from annotation.models.label import Verdict
from annotation.replay.counting import Scope
from annotation.replay.report import Judged, Learned, Routed
from core import llm
from core.levers import Lever
from registry.models.gate import GateState


def omitted(scope: Scope, routed: Routed, judged: Judged, learned: Learned) -> tuple[str, ...]:
    """In the order of the stages."""
    return tuple(
        sentence
        for part in (_routing(routed), _labelling(scope, routed, judged), _learning(scope, learned))
        for sentence in part
    )


def _routing(routed: Routed) -> Iterator[str]:
    if missing := llm.missing("judge"):
        yield f"No judge scored the outputs, only rules did. {missing}"
    if not routed.granted:
        yield (
            "Nothing was auto-approved: the project belongs to people, and none of them has"
            " granted auto-approval."
        )


def _labelling(scope: Scope, routed: Routed, judged: Judged) -> Iterator[str]:
    annotations = [each for line in scope.lines.values() for each in line.annotations]
    if not annotations:
        yield "Nothing was labelled: the file holds no annotations."
    if routed.unasked:
        yield f"{routed.unasked:,} outputs wait for people: the file has no annotators for them."
    if annotations and not any(each.judges for each in annotations):
        yield (
            "Nobody was asked for failure modes in this file: all labels are ratings and comments"
            f" ({Verdict.UNSTATED.label.lower()!r}), from which follows neither defect nor"
            " evidence."
        )
    unused = sum(
        not mark.comment and mark.corrected is None and mark.mode not in (each.modes or ())
        for each in annotations
        for mark in each.marks
    )
    if unused:
        yield (
            f"{unused:,} marked places name neither a failure mode nor a comment; they say nothing"
            " that a label can hold."
        )
    if judged.modes:
        yield "The file states no root causes: each finding has the default cause of its mode."


def _learning(scope: Scope, learned: Learned) -> Iterator[str]:
    if scope.world.prompt is None:
        yield (
            "No prompt was registered, no version proposed and no gate run: the file shows no"
            " prompt, so there is nothing to revise."
        )
        return
    if not learned.lessons:
        yield "No version was proposed: no failure came up often enough to be a finding."
    elif not any(lesson.lever == Lever.PROMPT for lesson in learned.lessons):
        yield "No version was proposed: no finding asks for the prompt."
    elif not learned.proposals:
        yield "No version was proposed, although a finding asks for the prompt."
    for gate in learned.gates:
        if gate.state == GateState.NOT_RUN:
            yield f"The gate could not run for version {gate.version}: its reason stands above."
