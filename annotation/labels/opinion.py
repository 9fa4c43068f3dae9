"""What a person says of one output, before it is a row: checked as a whole, field by field."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from django.core.exceptions import ValidationError

from registry.models import RubricVersion
from registry.rubrics import Scorecard, check, complete

LONGEST_MS: Final = 2**31 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """A judgement and what goes with it.

    comment           free text
    corrected_output  what the output should have been; None where nothing was corrected
    confidence        1 (guessing) to 5 (certain), or None
    active_ms         milliseconds at work on it, the hidden tab not counted, or None
    saw_judge         whether the machine's judgement had been shown before
    """

    scorecard: Scorecard
    comment: str = ""
    corrected_output: str | None = None
    confidence: int | None = None
    active_ms: int | None = None
    saw_judge: bool = False


@dataclass(frozen=True, slots=True)
class Submission:
    """An opinion for a slot. `token` is that of the lease under which it was formed."""

    slot_id: int
    token: int
    scorecard: Scorecard
    comment: str = ""
    corrected_output: str | None = None
    confidence: int | None = None
    active_ms: int | None = None
    saw_judge: bool = False

    @property
    def opinion(self) -> Opinion:
        """The same without slot and token."""
        return Opinion(
            scorecard=self.scorecard, comment=self.comment,
            corrected_output=self.corrected_output, confidence=self.confidence,
            active_ms=self.active_ms, saw_judge=self.saw_judge,
        )  # fmt: skip


def checked(opinion: Opinion, version: RubricVersion) -> Opinion:
    """With the rubric's defaults filled in. Raises ValidationError that names the field."""
    check(opinion.scorecard, version)
    if opinion.confidence is not None and not 1 <= opinion.confidence <= 5:
        raise ValidationError({"confidence": f"State 1 to 5, not {opinion.confidence}."})
    if opinion.active_ms is not None and not 0 <= opinion.active_ms <= LONGEST_MS:
        raise ValidationError({"active_ms": f"Not a time at work: {opinion.active_ms}."})
    for field, text in _texts(opinion):
        # PostgreSQL can store neither in text or jsonb; refused here, the field has a name.
        if "\x00" in text or not _encodes(text):
            raise ValidationError({field: "Holds a character that is no text (NUL or surrogate)."})
    return replace(opinion, scorecard=complete(opinion.scorecard, version))


def checked_all(
    submissions: Sequence[Submission], version: RubricVersion
) -> list[tuple[Submission, Opinion]]:
    """Every submission with its completed opinion; all faults are told at once."""
    faults: dict[str, list[str]] = {}
    good: list[tuple[Submission, Opinion]] = []
    for index, submission in enumerate(submissions):
        try:
            good.append((submission, checked(submission.opinion, version)))
        except ValidationError as error:
            for field, sentences in error.message_dict.items():
                faults[f"submissions[{index}].{field}"] = sentences
    counts = Counter(submission.slot_id for submission in submissions)
    for index, submission in enumerate(submissions):
        if counts[submission.slot_id] > 1:
            faults[f"submissions[{index}].slot_id"] = [f"Slot {submission.slot_id} comes twice."]
    if faults:
        raise ValidationError(faults)
    return good


def as_draft(opinion: Opinion) -> dict[str, Any]:
    """The opinion as the JSON that a draft holds: the scorecard's fields beside the others."""
    row = asdict(opinion)
    return {**row.pop("scorecard"), **row}


def _texts(opinion: Opinion) -> Iterator[tuple[str, str]]:
    yield "comment", opinion.comment
    yield "corrected_output", opinion.corrected_output or ""
    for finding in opinion.scorecard.findings:
        yield "findings", finding.comment
        yield from (("findings", span.text + span.target) for span in finding.spans)


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
