"""The held-back truth: what counts as defective, and the rates that follow."""

from __future__ import annotations

import pytest

from annotation.replay.line import Line
from annotation.replay.truth import Yardstick, audit, escape, majority
from tests.annotation.replay.lines import line, said

YARDSTICK = Yardstick("major", {"grave": "critical", "slip": "minor"})


def judged(*modes: list[str] | None, failed: bool | None = None) -> Line:
    given = [said(f"p{index}", each) for index, each in enumerate(modes)]
    reference = {} if failed is None else {
        "reference": {"kind": "answer", "value": 1, "failed": failed}
    }  # fmt: skip
    return line(annotations=given, **reference)


@pytest.mark.parametrize(
    ("votes", "truth"),
    [([], None), ([True], True), ([True, False], None), ([True, True, False], True),
     ([False, False, True], False)],
)  # fmt: skip
def test_more_than_half_decide(votes: list[bool], truth: bool | None) -> None:
    assert majority(votes) is truth


def test_people_go_before_a_known_outcome_and_ties_are_left_out() -> None:
    found = escape(
        [
            judged(["grave"], ["grave"], [], failed=False),  # defective by people
            judged([], ["slip"], ["slip"]),  # only slips: below the floor
            judged(["grave"], []),  # evenly divided
            judged(None, failed=True),  # nobody judged: defective by its outcome
            judged(None),  # unknown
            judged(),  # unknown
        ],
        YARDSTICK,
    )
    assert (found.passed, found.undecided, found.unknown) == (6, 1, 2)
    assert (found.by_people, found.by_outcome, found.defective) == (2, 1, 2)
    assert found.rate.value == pytest.approx(2 / 3)
    assert found.rate.n == 3


def test_a_stated_severity_goes_before_the_default() -> None:
    mark = {"target": "output", "text": "x", "failure_mode": "slip", "severity": "major"}
    given = line(annotations=[said("a", ["slip"], spans=[mark])])
    assert escape([given], YARDSTICK).defective == 1


def test_without_outputs_no_rate_is_shown() -> None:
    assert escape([], YARDSTICK).rate.value is None
    assert audit(3, []).rate.value is None


def test_the_audit_weighs_each_by_its_probability() -> None:
    found = audit(5, [(True, 0.1), (False, 0.5), (False, 0.5)])
    assert found.rate.value == pytest.approx(10 / 14)
    assert (found.drawn, found.judged, found.defective) == (5, 3, 1)
