"""What an annotation of a file is in our words: a scorecard and a comment. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from annotation.labels import Opinion
from annotation.replay.line import Annotation, Line, Mark
from core.models.project import Severity
from registry.rubrics import Finding, Scorecard, Span
from registry.rubrics.scorecard import Verdict

# Published severities that mean one of ours; others leave it to the mode's default.
SEVERITIES: Final[Mapping[str, Severity]] = {
    "neutral": Severity.MINOR,
    "minor": Severity.MINOR,
    "major": Severity.MAJOR,
    "critical": Severity.CRITICAL,
}
_ORDER: Final = list(Severity.values)
LONGEST_MS: Final = 2**31 - 1


def opinion_of(annotation: Annotation, line: Line) -> Opinion:
    """The annotation as the workbench would have sent it; nothing that was said is lost."""
    revised = annotation.revised
    return Opinion(
        scorecard=scorecard_of(annotation, line),
        comment=comment_of(annotation),
        corrected_output=revised if revised and revised != line.output else None,
        active_ms=_milliseconds(annotation.duration_ms),
    )


def scorecard_of(annotation: Annotation, line: Line) -> Scorecard:
    """No statement on failures is `unstated`, none found acceptable, any found defective."""
    if annotation.modes is None:
        return Scorecard(Verdict.UNSTATED)
    if not annotation.modes:
        return Scorecard(Verdict.ACCEPTABLE)
    found = tuple(_finding(mode, annotation, line) for mode in annotation.modes)
    return Scorecard(Verdict.DEFECTIVE, found)


def severity_of(marks: list[Mark]) -> str:
    """The gravest that the marks state; empty where they state none that we know."""
    known = [SEVERITIES[m.severity.lower()] for m in marks if m.severity.lower() in SEVERITIES]
    return max(known, key=_ORDER.index) if known else ""


def comment_of(annotation: Annotation) -> str:
    """The free text: the comment, remarks on no failure mode, and ratings on foreign scales."""
    return "\n".join(_remarks(annotation))


def _finding(mode: str, annotation: Annotation, line: Line) -> Finding:
    marks = [mark for mark in annotation.marks if mark.mode == mode]
    located = [(mark, _locate(mark, line)) for mark in marks]
    said = [text for mark, span in located if (text := _say(mark, quoted=span is None))]
    said += [text for key, text in annotation.rating_comments.items() if key == mode and text]
    return Finding(
        mode=mode,
        severity=severity_of(marks),
        spans=tuple(span for _, span in located if span is not None),
        comment="\n".join(dict.fromkeys(said)),
    )


def _locate(mark: Mark, line: Line) -> Span | None:
    """Where the mark stands; a quotation of an agent's step is looked for in that step."""
    if mark.start is not None and mark.end is not None and mark.start < mark.end:
        return Span(mark.target, mark.start, mark.end, mark.text, mark.step)
    if mark.step is None or mark.step >= len(line.steps) or not mark.text:
        return None
    start = str(line.steps[mark.step]["content"]).find(mark.text)
    if start < 0:
        return None
    return Span(mark.target, start, start + len(mark.text), mark.text, mark.step)


def _say(mark: Mark, *, quoted: bool) -> str:
    """Comment and correction; with the quotation where no span can carry it."""
    change = None
    if mark.corrected is not None:
        change = (
            f"“{mark.text}” → “{mark.corrected}”" if mark.corrected else f"delete “{mark.text}”"
        )
    elif quoted and mark.text:
        change = f"“{mark.text}”"
    return ": ".join(part for part in (change, mark.comment.strip()) if part)


def _remarks(annotation: Annotation) -> Iterator[str]:
    named = set(annotation.modes or ())
    if annotation.comment.strip():
        yield annotation.comment.strip()
    for mark in annotation.marks:
        if mark.mode not in named and (mark.comment.strip() or mark.corrected is not None):
            yield _say(mark, quoted=True)
    for key, text in annotation.rating_comments.items():
        if key not in named and text.strip():
            yield f"{key}: {text.strip()}"
    for key, value in annotation.ratings.items():
        yield f"{key} = {_shown(value)}"


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else str(value)


def _milliseconds(duration: float | None) -> int | None:
    return None if duration is None else min(max(round(duration), 0), LONGEST_MS)
