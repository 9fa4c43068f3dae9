"""Every probe is asked, and the worst of them counts."""

from __future__ import annotations

from django.db import OperationalError

from core.doctor import PROBES, Check, State, examine, worst


def sound() -> Check:
    return Check("sound", State.OK, "It is.")


def unanswered() -> Check:
    raise OperationalError("the server has gone\nfor tea")


def test_a_probe_that_the_database_does_not_answer_fails_and_the_next_is_asked() -> None:
    found = examine([("broken", unanswered), ("sound", sound)])
    assert [(check.name, check.state) for check in found] == [("broken", "fail"), ("sound", "ok")]
    assert found[0].sentence == "Could not be examined: the server has gone"
    assert found[0].what_to_do


def test_the_worst_state_counts() -> None:
    warn, fail = Check("a", State.WARN, ""), Check("b", State.FAIL, "")
    assert worst([]) == State.OK
    assert worst([warn, sound()]) == State.WARN
    assert worst([warn, fail, sound()]) == State.FAIL


def test_no_two_probes_have_one_name() -> None:
    names = [name for name, _ in PROBES]
    assert len(set(names)) == len(names) >= 15
