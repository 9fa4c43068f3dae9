"""Scorecard: a judgement of one output, the same whoever gives it (person, judge, gate, import)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from django.core.exceptions import ValidationError
from django.db.models import TextChoices

from core.levers import Lever
from core.models.project import Severity
from registry.models import FailureMode, RubricVersion
from registry.rubrics.editions import modes_of


class Verdict(TextChoices):
    ACCEPTABLE = "acceptable", "Acceptable"
    DEFECTIVE = "defective", "Defective"
    CANNOT_JUDGE = "cannot_judge", "Cannot judge"
    UNSTATED = "unstated", "Ratings or comments only"


@dataclass(frozen=True, slots=True)
class Span:
    """Where it shows: code points [start, end) of the raw text of `target`, of `step` if given."""

    target: str
    start: int
    end: int
    text: str
    step: int | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """A failure mode that was seen. An empty severity or cause means the mode's default."""

    mode: str
    severity: str = ""
    cause: str = ""
    spans: tuple[Span, ...] = ()
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Scorecard:
    """`ratings` maps a criterion's code to 1..5. Only a defective verdict has findings."""

    verdict: str
    findings: tuple[Finding, ...] = ()
    ratings: Mapping[str, int] = field(default_factory=dict)


def check(scorecard: Scorecard, version: RubricVersion) -> None:
    """Raises ValidationError, naming the field, where `scorecard` does not speak this edition."""
    if scorecard.verdict not in Verdict.values:
        raise ValidationError({"verdict": f"{scorecard.verdict!r} is not a verdict."})
    modes = modes_of(version)
    _check_presence(scorecard, modes)
    _check_ratings(scorecard.ratings, version)
    for finding in scorecard.findings:
        _check_finding(finding, modes)
    counts = Counter(finding.mode for finding in scorecard.findings)
    if doubled := sorted(mode for mode, count in counts.items() if count > 1):
        raise ValidationError({"findings": f"Named twice: {', '.join(doubled)}."})


def _check_presence(scorecard: Scorecard, modes: Mapping[str, FailureMode]) -> None:
    defective = scorecard.verdict == Verdict.DEFECTIVE
    # An edition without modes can still tell good from bad.
    if defective and not scorecard.findings and modes:
        raise ValidationError({"findings": "Name at least one failure mode of a defective output."})
    if scorecard.findings and not defective:
        raise ValidationError(
            {"verdict": f"An output with failure modes is defective, not {scorecard.verdict}."}
        )


def _check_ratings(ratings: Mapping[str, object], version: RubricVersion) -> None:
    known = {criterion["code"] for criterion in version.criteria}
    for code, value in ratings.items():
        if code not in known:
            raise ValidationError({"ratings": f"{version} has no criterion {code!r}."})
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 5:
            raise ValidationError({"ratings": f"{code}: rate from 1 to 5, not {value!r}."})


def _check_finding(finding: Finding, modes: Mapping[str, FailureMode]) -> None:
    if finding.mode not in modes:
        raise ValidationError({"findings": f"The rubric has no failure mode {finding.mode!r}."})
    if finding.severity and finding.severity not in Severity.values:
        raise ValidationError({"findings": f"{finding.mode}: no severity {finding.severity!r}."})
    if finding.cause and finding.cause not in Lever.values:
        raise ValidationError({"findings": f"{finding.mode}: no cause {finding.cause!r}."})
    for span in finding.spans:
        if not (span.target and 0 <= span.start < span.end):
            raise ValidationError(
                {"findings": f"{finding.mode}: a span must have a target and 0 <= start < end."}
            )


def complete(scorecard: Scorecard, version: RubricVersion) -> Scorecard:
    """With the mode's default cause and severity where the judgement names none."""
    modes = modes_of(version)
    findings = tuple(_complete(finding, modes[finding.mode]) for finding in scorecard.findings)
    return replace(scorecard, findings=findings)


def _complete(finding: Finding, mode: FailureMode) -> Finding:
    return replace(
        finding,
        severity=finding.severity or mode.default_severity,
        cause=finding.cause or mode.default_cause,
    )
