"""An independent count: what a replay must come to, from the raw file and the decisions alone.

It shares no code with the replay. Of the database it reads only what chance and the policy
decided (which outputs passed, were audited or reviewed) and the default severities of the modes.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from registry.models import FailureMode
from routing.models import Decision, Payload, Trace

ORDER = ("minor", "major", "critical")
FLOOR = "major"


def rows_of(path: Path, limit: int | None = None) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file][:limit]


def actions_of(slug: str) -> dict[str, tuple[str, float]]:
    """Action and probability by the line's own id."""
    # Payloads of other tests' worlds may outlive them: no foreign key ties them to a trace.
    mine = list(Trace.objects.filter(project__slug=slug).values_list("pk", flat=True))
    ids = {
        pk: content["metadata"]["id"]
        for pk, content in Payload.objects.filter(trace_id__in=mine).values_list(
            "trace_id", "content"
        )
    }
    found = Decision.objects.filter(trace__project__slug=slug)
    return {
        ids[trace]: (action, probability)
        for trace, action, probability in found.values_list("trace", "action", "probability")
    }


@dataclass
class Tally:
    """The counts of one file."""

    lines: int = 0
    annotations: int = 0
    actions: Counter[str] = field(default_factory=Counter)
    labels: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    named: Counter[str] = field(default_factory=Counter)
    consensus: Counter[tuple[str, str]] = field(default_factory=Counter)
    agreed: Counter[str] = field(default_factory=Counter)
    weights: Counter[str] = field(default_factory=Counter)
    shared: int = 0
    escape_known: int = 0
    escape_defective: int = 0
    audit_judged: int = 0
    audit_defective: int = 0
    waiting: int = 0


def tally(path: Path, slug: str, limit: int | None = None) -> Tally:
    found = Tally()
    actions = actions_of(slug)
    modes = FailureMode.objects.filter(version__rubric__project__slug=slug)
    severities = dict(modes.values_list("code", "default_severity"))
    for row in rows_of(path, limit):
        action, probability = actions[row["id"]]
        found.lines += 1
        found.annotations += len(row["annotations"])
        found.actions[action] += 1
        if action == "auto_approve":
            _count_escape(found, row, severities)
        else:
            _count_labels(found, row)
            _count_consensus(found, row, probability)
        if action == "audit":
            _count_audit(found, row, severities)
    return found


def _judging(row: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for each in row["annotations"] if "failure_modes" in each]


def _is_bad(annotation: dict[str, Any], severities: dict[str, str]) -> bool:
    for mode in annotation["failure_modes"]:
        stated = [
            s["severity"].lower()
            for s in annotation.get("spans", [])
            if s.get("failure_mode") == mode and s.get("severity", "").lower() in ORDER
        ]
        worst = max(map(ORDER.index, stated)) if stated else ORDER.index(severities[mode])
        if worst >= ORDER.index(FLOOR):
            return True
    return False


def _count_escape(found: Tally, row: dict[str, Any], severities: dict[str, str]) -> None:
    votes = [_is_bad(each, severities) for each in _judging(row)]
    outcome = row.get("reference", {}).get("failed")
    if votes and votes.count(True) != votes.count(False):
        found.escape_known += 1
        found.escape_defective += votes.count(True) > votes.count(False)
    elif not votes and outcome is not None:
        found.escape_known += 1
        found.escape_defective += outcome


def _count_audit(found: Tally, row: dict[str, Any], severities: dict[str, str]) -> None:
    votes = [_is_bad(each, severities) for each in _judging(row)]
    if votes.count(True) != votes.count(False):
        found.audit_judged += 1
        found.audit_defective += votes.count(True) > votes.count(False)


def _count_labels(found: Tally, row: dict[str, Any]) -> None:
    found.waiting += not row["annotations"]
    found.labels += len(row["annotations"])
    found.shared += len(_judging(row)) > 1
    for each in row["annotations"]:
        named = each.get("failure_modes")
        verdict = "unstated" if named is None else "defective" if named else "acceptable"
        found.verdicts[verdict] += 1
        found.named.update(named or [])


def _count_consensus(found: Tally, row: dict[str, Any], probability: float) -> None:
    if not row["annotations"]:
        return
    judging = [set(each["failure_modes"]) for each in _judging(row)]
    bad = sum(1 for named in judging if named)
    if not judging:
        found.consensus["unstated", "final"] += 1
    elif 2 * bad < len(judging):
        found.consensus["acceptable", "final"] += 1
    elif 2 * bad == len(judging):
        found.consensus["defective", "disputed"] += 1
    else:
        _count_modes(found, judging, probability)


def _count_modes(found: Tally, judging: list[set[str]], probability: float) -> None:
    votes = Counter(mode for named in judging for mode in named)
    agreed = [mode for mode, count in votes.items() if 2 * count > len(judging)]
    tied = [mode for mode, count in votes.items() if 2 * count == len(judging)]
    state = "final" if agreed and not tied else "disputed"
    found.consensus["defective", state] += 1
    for mode in agreed:
        found.agreed[mode] += 1
        found.weights[mode] += 1 / probability
