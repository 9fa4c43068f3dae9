"""The form of a judgement: from what a page posts to a scorecard, and back into the form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from django.core.exceptions import ValidationError
from django.http import QueryDict

from annotation.models.label import Verdict
from core.levers import Lever
from core.models.project import Severity
from registry.models import FailureMode, RubricVersion
from registry.rubrics import Finding, Scorecard, Span, modes_of

Json: TypeAlias = dict[str, Any]

# Single keys: modes take the digits, then letters that nothing else on the page has.
MODE_KEYS: Final = "123456789bfhilnoprtuyz"
SEVERITY_KEYS: Final = {Severity.MINOR: "q", Severity.MAJOR: "w", Severity.CRITICAL: "e"}
TONES: Final = {Severity.MAJOR: "warn", Severity.CRITICAL: "danger"}
VERDICTS: Final = (
    {"value": Verdict.ACCEPTABLE, "label": "Acceptable", "tone": "ok", "key": "a"},
    {"value": Verdict.DEFECTIVE, "label": "Defective", "tone": "danger", "key": "d"},
    {"value": Verdict.CANNOT_JUDGE, "label": "Cannot judge", "key": "c"},
)
# More than a day at one output is a clock that was set, not work.
LONGEST_MS: Final = 86_400_000
MOST_SPANS: Final = 50
# Python refuses to read a number of thousands of digits, and no page posts one.
MOST_DIGITS: Final = 9


def read(data: QueryDict, output: str) -> Json:
    """What the form says, in the shape that drafts have. ValidationError names the field."""
    return {
        "verdict": data.get("verdict", ""),
        "findings": [_finding(data, mode, output) for mode in dict.fromkeys(data.getlist("mode"))],
        "ratings": _ratings(data),
        "comment": data.get("comment", "").replace("\r\n", "\n"),
        "corrected_output": data.get("corrected_output", "").replace("\r\n", "\n") or None,
        "active_ms": _milliseconds(data.get("active_ms", "")),
    }


def _finding(data: QueryDict, mode: str, output: str) -> Json:
    places = data.getlist(f"span-{mode}")
    if len(places) > MOST_SPANS:
        raise ValidationError({"findings": f"{mode}: mark at most {MOST_SPANS} places."})
    return {
        "mode": mode,
        "severity": data.get(f"severity-{mode}", ""),
        "cause": data.get(f"cause-{mode}", ""),
        "spans": [_span(mode, place, output) for place in dict.fromkeys(places)],
        "comment": "",
    }


def _span(mode: str, place: str, output: str) -> Json:
    """`12-40` in code points of the raw output, with the words that stand there."""
    start, _, end = place.partition("-")
    known = _is_number(start) and _is_number(end)
    first, last = (int(start), int(end)) if known else (0, 0)
    if not first < last <= len(output):
        raise ValidationError({"findings": f"{mode}: {place[:40]!r} is no place in the output."})
    return {"target": "output", "start": first, "end": last, "text": output[first:last]}


def _ratings(data: QueryDict) -> dict[str, int]:
    found: dict[str, int] = {}
    for name in data:
        value = data.get(name, "")
        if name.startswith("rating-") and value:
            if not _is_number(value):
                sentence = f"{name[7:]}: rate from 1 to 5, not {value[:40]!r}."
                raise ValidationError({"ratings": sentence})
            found[name[7:]] = int(value)
    return found


def _is_number(text: str) -> bool:
    return text.isdecimal() and len(text) <= MOST_DIGITS


def _milliseconds(text: str) -> int | None:
    return min(int(text), LONGEST_MS) if text.isdecimal() and len(text) < 12 else None


def scorecard(said: Mapping[str, Any]) -> Scorecard:
    """The judgement. Findings count only where the output is called defective: else the form
    does not show them."""
    findings = said["findings"] if said["verdict"] == Verdict.DEFECTIVE else []
    return Scorecard(
        said["verdict"], tuple(_as_finding(each) for each in findings), dict(said["ratings"])
    )


def _as_finding(row: Mapping[str, Any]) -> Finding:
    spans = tuple(
        Span(each["target"], each["start"], each["end"], each["text"]) for each in row["spans"]
    )
    return Finding(row["mode"], row["severity"], row["cause"], spans)


def fields(version: RubricVersion, said: Mapping[str, Any] | None) -> Json:
    """The form as `ui/workbench/judge.html` draws it, filled with what was said so far."""
    said = said or {}
    found = {each.get("mode"): each for each in said.get("findings") or []}
    return {
        "rubric": f"{version.rubric.name}, version {version.number}",
        "verdicts": [
            {**choice, "checked": said.get("verdict") == choice["value"]} for choice in VERDICTS
        ],
        "severities": [
            {"value": each.value, "label": each.label, "tone": TONES.get(each, ""),
             "key": SEVERITY_KEYS[each]}
            for each in Severity
        ],
        "causes": [{"value": value, "label": label} for value, label in Lever.choices],
        "modes": [
            _mode(mode, MODE_KEYS[place : place + 1], found.get(mode.code))
            for place, mode in enumerate(_grouped(version))
        ],
        "criteria": [_criterion(each, said.get("ratings") or {}) for each in version.criteria],
        "comment": said.get("comment") or "",
        "corrected": said.get("corrected_output") or "",
        "active_ms": said.get("active_ms") or 0,
    }  # fmt: skip


def _grouped(version: RubricVersion) -> list[FailureMode]:
    """The modes, groups together, in the order in which the rubric first names a group."""
    modes = list(modes_of(version).values())
    order = list(dict.fromkeys(mode.group for mode in modes))
    return sorted(modes, key=lambda mode: order.index(mode.group))


def _mode(mode: FailureMode, key: str, finding: Mapping[str, Any] | None) -> Json:
    finding = finding or {}
    return {
        "slug": mode.code,
        "name": mode.label,
        "text": mode.definition,
        "group": mode.group,
        "key": key,
        "checked": bool(finding),
        "severity": finding.get("severity") or mode.default_severity,
        "cause": finding.get("cause") or mode.default_cause,
        "spans": [
            {"value": f"{each['start']}-{each['end']}", "text": str(each.get("text", ""))[:200]}
            for each in finding.get("spans") or []
            if each.get("target") == "output"
        ],
    }


def _criterion(criterion: Mapping[str, Any], ratings: Mapping[str, Any]) -> Json:
    anchors = criterion.get("anchors") or [""] * 5
    return {
        "code": criterion["code"],
        "label": criterion["label"],
        "choices": [
            {"value": value, "text": anchors[value - 1],
             "checked": ratings.get(criterion["code"]) == value}
            for value in range(1, 6)
        ],
    }  # fmt: skip


def faults(error: ValidationError) -> dict[str, list[str]]:
    """By field of the form; rooms that take many opinions name it `submissions[0].field`."""
    if not hasattr(error, "error_dict"):
        return {"": list(error.messages)}
    return {name.rsplit(".", 1)[-1]: texts for name, texts in error.message_dict.items()}
