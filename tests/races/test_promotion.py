"""Two people change what is served at the same moment: exactly one of them does."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from core.access import SYSTEM
from core.db import IllegalTransition
from core.models import AuditEntry
from registry import release
from registry.models import Release
from registry.models.release import ReleaseState
from tests import factories
from tests.registry.facts import approve, push

pytestmark = pytest.mark.django_db(transaction=True)
Act = Callable[[], object]


def make_canary() -> tuple[Release, Release]:
    first = factories.make_prompt(factories.make_project())
    environment = factories.make_environment(first.prompt.project)
    live = release.go_live(version=first, environment=environment, reason="first", actor=SYSTEM)
    second = factories.make_version(first)
    approve(second)
    canary = release.start_canary(
        version=second, environment=environment, share=0.5, reason="try", actor=SYSTEM
    )
    return live, canary


def at_once(*acts: Act) -> list[str]:
    """Start all of them at the same moment; what became of each, in order."""
    barrier = Barrier(len(acts))

    def run(act: Act) -> str:
        try:
            barrier.wait(timeout=10)
            act()
        except IllegalTransition:
            return "refused"
        else:
            return "done"
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def states(canary: Release) -> list[str]:
    rows = Release.objects.filter(prompt=canary.prompt).order_by("pk")
    return list(rows.values_list("state", flat=True))


def test_of_eight_promotions_one_wins() -> None:
    _, canary = make_canary()
    promote = [lambda: release.promote(release=canary, reason="x", actor=SYSTEM)] * 8
    assert sorted(at_once(*promote)) == ["done"] + ["refused"] * 7
    assert states(canary) == [ReleaseState.RETIRED, ReleaseState.LIVE]
    assert AuditEntry.objects.filter(verb="registry.release_promoted").count() == 1


def test_of_eight_roll_backs_one_wins() -> None:
    _, canary = make_canary()
    undo = [lambda: release.roll_back(release=canary, reason="x", actor=SYSTEM)] * 8
    assert sorted(at_once(*undo)) == ["done"] + ["refused"] * 7
    assert states(canary) == [ReleaseState.LIVE, ReleaseState.ROLLED_BACK]


@pytest.mark.parametrize("turn", range(5))
def test_a_promotion_and_a_roll_back_of_the_canary_end_in_one_served_version(turn: int) -> None:
    live, canary = make_canary()
    acts: list[Act] = [
        lambda: release.promote(release=canary, reason="better", actor=SYSTEM),
        lambda: release.roll_back(release=canary, reason="worse", actor=SYSTEM),
    ]
    at_once(*acts[:: 1 if turn % 2 else -1])
    serving = Release.objects.serving().filter(prompt=canary.prompt)
    # Whichever went first, the roll-back came through: the old version is served again.
    assert [row.version for row in serving] == [live.version]
    assert Release.objects.get(pk=canary.pk).state == ReleaseState.ROLLED_BACK


def test_of_two_canaries_started_at_once_one_runs() -> None:
    live, canary = make_canary()
    release.roll_back(release=canary, reason="again", actor=SYSTEM)
    versions = [factories.make_version(live.version) for _ in range(2)]
    for version in versions:
        approve(version)
    starts: list[Act] = [
        lambda version=version: release.start_canary(  # type: ignore[misc]
            version=version, environment=live.environment, share=0.5, reason="x", actor=SYSTEM
        )
        for version in versions
    ]
    assert sorted(at_once(*starts)) == ["done", "refused"]
    assert Release.objects.filter(state=ReleaseState.CANARY).count() == 1


def test_two_sweeps_take_each_observation_once() -> None:
    _, canary = make_canary()
    for _ in range(4):
        push(canary, "canary", [False] * 10)
        push(canary, "control", [False] * 10)
    at_once(*[release.judge_canaries] * 4)
    monitor = Release.objects.get(pk=canary.pk).monitor["sources"]["judge"]
    assert (monitor["canary_n"], monitor["control_n"]) == (40, 40)


def test_versions_added_at_once_get_numbers_of_their_own() -> None:
    version = factories.make_prompt(factories.make_project())
    add = [lambda: factories.make_version(version)] * 6
    assert at_once(*add) == ["done"] * 6
    numbers = version.prompt.versions.order_by("number").values_list("number", flat=True)
    assert list(numbers) == [1, 2, 3, 4, 5, 6, 7]
