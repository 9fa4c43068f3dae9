"""Replaying in tests, and comparing the report with the independent count."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from tests.annotation.replay.tally import Tally

EXTRACT = Path(__file__).parents[2] / "data" / "replay"
EXTRACTS = sorted(EXTRACT.glob("*.jsonl"))


def replay(path: Path, out: Path, *, project: str = "", limit: int | None = None) -> dict[str, Any]:
    """The report as JSON, of the command that people run."""
    into = out / f"{path.stem}.json"
    call_command(
        "replay", path, project=project, limit=limit, json=into, stdout=StringIO(),
        stderr=StringIO(),
    )  # fmt: skip
    found: dict[str, Any] = json.loads(into.read_text(encoding="utf-8"))
    return found


def assert_counts(report: dict[str, Any], expected: Tally) -> None:
    """Every count of the report equals that of the file."""
    source, routed, judged = report["source"], report["routed"], report["judged"]
    assert (source["read"], source["kept"], source["broken"]) == (expected.lines, expected.lines, 0)
    assert source["annotations"] == expected.annotations
    assert routed["stages"] == {"decided": expected.lines}
    assert _actions(routed) == expected.actions
    assert routed["saved"] == pytest.approx(expected.actions["auto_approve"] / expected.lines)
    assert routed["unasked"] == expected.waiting
    assert judged["labels"] == expected.labels
    assert judged["verdicts"] == expected.verdicts
    assert judged["modes"] == expected.named
    assert _pairs(judged["consensus"]) == expected.consensus
    assert report["agreement"]["items"] == expected.shared
    _assert_rates(report, expected)
    _assert_findings(report, expected)


def _assert_rates(report: dict[str, Any], expected: Tally) -> None:
    escape, audit = report["escape"], report["audit"]
    assert escape["passed"] == expected.actions["auto_approve"]
    assert escape["by_people"] + escape["by_outcome"] == escape["rate"]["n"]
    assert escape["rate"]["n"] == expected.escape_known
    assert escape["passed"] == escape["rate"]["n"] + escape["undecided"] + escape["unknown"]
    assert escape["defective"] == expected.escape_defective
    assert (audit["drawn"], audit["judged"], audit["defective"]) == (
        expected.actions["audit"], expected.audit_judged, expected.audit_defective,
    )  # fmt: skip


def _assert_findings(report: dict[str, Any], expected: Tally) -> None:
    assert {bar["mode"]: bar["count"] for bar in report["pareto"]} == expected.agreed
    weights = {bar["mode"]: bar["weight"] for bar in report["pareto"]}
    assert weights == pytest.approx(dict(expected.weights))
    assert sum(report["learned"]["evidence"].values()) == expected.agreed.total()


def _actions(routed: dict[str, Any]) -> dict[str, int]:
    found: dict[str, int] = {}
    for counts in routed["actions"].values():
        for action, count in counts.items():
            found[action] = found.get(action, 0) + count
    return found


def _pairs(consensus: dict[str, dict[str, int]]) -> dict[tuple[str, str], int]:
    return {
        (verdict, state): count
        for verdict, states in consensus.items()
        for state, count in states.items()
    }
