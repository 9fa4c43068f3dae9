from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.template import Context, Template

from core import clock

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def render(source: str, **context: Any) -> str:
    with clock.at(NOW):
        return Template("{% load ui %}" + source).render(Context(context))


def test_an_icon_is_silent_unless_it_is_named() -> None:
    assert 'aria-hidden="true"' in render("{% icon 'queue' %}")
    assert 'role="img" aria-label="Queue"' in render("{% icon 'queue' 'Queue' %}")


def test_an_unknown_icon_is_an_error_that_lists_the_known() -> None:
    with pytest.raises(ValueError, match="no icon 'qeue'; there are: alert, "):
        render("{% icon 'qeue' %}")


def test_a_badge_says_its_word_and_escapes_it() -> None:
    html = render("{% badge v 'state' %}", v="rolled_back")
    assert html == '<span class="badge badge--state-rolled_back">Rolled back</span>'
    assert "<b>" not in render("{% badge v %}", v="<b>")


def test_the_clock_chip_turns_overdue_by_itself() -> None:
    late = render("{% due m %}", m=NOW - timedelta(minutes=38))
    assert "chip--overdue" in late
    assert "38 min over" in late
    assert "chip--at_risk" in render("{% due m 'at_risk' %}", m=NOW + timedelta(hours=1))
    assert "no due date" in render("{% due m %}", m=None)


def test_json_is_laid_out_and_other_text_left_alone() -> None:
    assert render("{{ v|pretty }}", v='{"a":[1]}').count("\n") == 4
    assert render("{{ v|pretty }}", v="plain") == "plain"


def test_initials_of_names_and_addresses() -> None:
    assert render("{{ v|initials }}", v="Ann van Okafor") == "AO"
    assert render("{{ v|initials }}", v="") == "?"
