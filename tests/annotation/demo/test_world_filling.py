"""How the demo world is filled: by a plan, by a simulated model, and again after a kill."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import StringIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from pytest_django import Settings

from annotation.demo.world import FULL, QUICK, fill, is_whole, simulated_model
from annotation.demo.world.plan import Plan
from annotation.models import CalibrationSession, Label
from core import clock, llm
from core.models import Project
from registry.models import Release
from registry.models.release import ReleaseState
from routing.models import Decision, Slot, Trace
from routing.models.queue import Purpose, SlotState

NOW = datetime(2026, 3, 20, 14, 20, tzinfo=UTC)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of our own for the text of the key."""
    monkeypatch.setattr("core.embedded.home", lambda: tmp_path)
    return tmp_path


class Killed(Exception):
    """What the operating system would do."""


def test_a_fill_that_was_killed_is_completed_without_doubling(db: None) -> None:
    def kill(done: int, total: int, doing: str) -> None:
        if done >= total / 2:
            raise Killed

    # The size is known by the name of the project, so it is one that has a name.
    with simulated_model(), clock.at(NOW):
        with pytest.raises(Killed):
            fill(QUICK, kill)
        assert not is_whole()
        half = Trace.objects.count()
        assert QUICK.traces / 2 <= half < QUICK.traces
    with simulated_model(), clock.at(NOW + timedelta(minutes=3)):
        fill(FULL)
    assert is_whole()
    assert Trace.objects.count() == QUICK.traces == Decision.objects.count()
    assert Release.objects.filter(state=ReleaseState.ROLLED_BACK).count() == 1
    assert Label.objects.filter(purpose__in=[Purpose.WORK, Purpose.AUDIT]).count() == (
        Slot.objects.filter(state=SlotState.DONE).count()
    )
    assert CalibrationSession.objects.count() == 2


@pytest.mark.parametrize("scale", [FULL, QUICK], ids=lambda scale: scale.name)
@pytest.mark.parametrize("day", range(7))
def test_a_plan_is_in_order_whatever_the_day(scale: Any, day: int) -> None:
    start = NOW + timedelta(days=day, hours=5 * day)
    plan = Plan(scale, start)
    assert plan.ticks == Plan(scale, start).ticks
    assert start < plan.ticks[0]
    assert plan.ticks[-1] == plan.end
    assert all(earlier < later for earlier, later in pairwise(plan.ticks))
    assert all(earlier < later for earlier, later in pairwise((0, *plan.upto)))
    assert plan.upto[-1] == scale.traces
    arrivals = [pair for tick in range(len(plan.ticks)) for pair in plan.arrivals(tick)]
    assert [number for number, _ in arrivals] == list(range(scale.traces))
    assert all(earlier < later for (_, earlier), (_, later) in pairwise(arrivals))
    assert start < arrivals[0][1] < arrivals[-1][1] < plan.end


def test_a_real_model_is_never_asked(settings: Settings) -> None:
    settings.OPENAI_BASE_URL = ""
    settings.OPENAI_API_KEY = "a real one"
    settings.MODELS = dict.fromkeys(("task", "judge", "optimizer"), "expensive-2")
    with simulated_model() as address:
        assert address.startswith("http://127.0.0.1:")
        assert address == settings.OPENAI_BASE_URL
        assert llm.complete("task", [{"role": "user", "content": "Hello"}], project_id=None).text
    assert settings.MODELS["task"] == "expensive-2"
    assert settings.OPENAI_API_KEY == "a real one"


def test_the_command_refuses_where_debug_is_off(db: None, settings: Settings) -> None:
    settings.DEBUG = False
    with pytest.raises(CommandError, match="DEBUG"):
        call_command("demo", stdout=StringIO())
    assert not Project.objects.filter(slug="meridale").exists()
