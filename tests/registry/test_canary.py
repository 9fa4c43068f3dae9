from __future__ import annotations

import random

import pytest
from django.core.exceptions import ValidationError

from core.access import SYSTEM
from core.db import WrongPlace
from core.models import AuditEntry, Environment
from core.stats.eprocess import Block
from registry import release
from registry.models import Observation, PromptVersion, Release
from registry.models.release import ReleaseState
from registry.release.monitor import take_blocks
from tests import factories
from tests.registry.facts import approve, push

# Large effects and wide margins, so that a test needs hundreds of units and not thousands.
EASY = release.CanarySettings(margin=0.2, alpha=0.05, beta=0.1)


@pytest.fixture
def live(prompt_version: PromptVersion, environment: Environment) -> Release:
    return release.go_live(
        version=prompt_version, environment=environment, reason="first", actor=SYSTEM
    )


def start(live: Release, settings: release.CanarySettings = EASY, share: float = 0.5) -> Release:
    version = factories.make_version(live.version)
    approve(version)
    return release.start_canary(
        version=version, environment=live.environment, share=share, reason="try", actor=SYSTEM,
        settings=settings,
    )  # fmt: skip


@pytest.fixture
def canary(live: Release) -> Release:
    return start(live)


def coins(rate: float, count: int, seed: int) -> list[bool]:
    draw = random.Random(seed)
    return [draw.random() < rate for _ in range(count)]


def both(
    canary: Release, bad: float, control: float, count: int = 200, source: str = "judge"
) -> None:
    """Units of both arms in turns, with those defect rates."""
    pairs = zip(coins(bad, count, 1), coins(control, count, 2), strict=True)
    for ours, theirs in pairs:
        push(canary, "canary", [ours], source)
        push(canary, "control", [theirs], source)


def again(row: Release) -> Release:
    return Release.objects.get(pk=row.pk)


def test_a_canary_that_is_clearly_worse_rolls_itself_back(canary: Release, live: Release) -> None:
    both(canary, 0.6, 0.1, 120)
    assert release.judge_canaries() == 1
    after = again(canary)
    assert after.state == ReleaseState.ROLLED_BACK
    assert "says the judge" in after.end_reason
    assert again(live).state == ReleaseState.LIVE
    entry = AuditEntry.objects.get(verb="registry.release_rolled_back")
    assert entry.actor_label == "system"


def test_a_canary_that_is_clearly_better_promotes_itself(canary: Release, live: Release) -> None:
    both(canary, 0.05, 0.4, 200)
    release.judge_canaries()
    assert again(canary).state == ReleaseState.LIVE
    assert again(live).state == ReleaseState.RETIRED


def test_people_alone_can_roll_back_though_the_judge_sees_nothing(canary: Release) -> None:
    both(canary, 0.02, 0.02, 20, "judge")
    both(canary, 0.6, 0.1, 120, "human")
    release.judge_canaries()
    after = again(canary)
    assert after.state == ReleaseState.ROLLED_BACK
    assert "says the human" in after.end_reason


def test_people_do_not_promote_where_the_judge_has_spoken(canary: Release) -> None:
    both(canary, 0.3, 0.3, 10, "judge")
    both(canary, 0.05, 0.4, 200, "human")
    release.judge_canaries()
    assert again(canary).state == ReleaseState.CANARY


def test_people_promote_where_they_are_the_chosen_source(live: Release) -> None:
    canary = start(live, release.CanarySettings("human", margin=0.2, alpha=0.05, beta=0.1))
    both(canary, 0.3, 0.3, 10, "judge")
    both(canary, 0.05, 0.4, 200, "human")
    release.judge_canaries()
    assert again(canary).state == ReleaseState.LIVE


def test_a_broken_split_stops_the_promotion(canary: Release) -> None:
    both(canary, 0.05, 0.4, 200)
    push(canary, "control", [False] * 300)
    release.judge_canaries()
    after = again(canary)
    assert after.state == ReleaseState.CANARY
    assert "split is broken" in after.monitor["note"]
    assert after.monitor["srm_p"] < 0.001


def test_a_broken_split_does_not_stop_a_roll_back(canary: Release) -> None:
    both(canary, 0.7, 0.1, 120)
    push(canary, "control", [False] * 300)
    release.judge_canaries()
    assert again(canary).state == ReleaseState.ROLLED_BACK


def test_what_does_not_fill_a_block_waits(canary: Release) -> None:
    push(canary, "canary", [True] * 9)
    push(canary, "control", [False] * 30)
    release.judge_canaries()
    assert Observation.objects.due().count() == 39
    assert again(canary).monitor["sources"]["judge"]["canary_n"] == 0
    push(canary, "canary", [True])
    release.judge_canaries()
    assert Observation.objects.due().count() == 0
    assert again(canary).monitor["sources"]["judge"]["control_n"] == 30


def test_how_often_one_looks_changes_nothing(live: Release) -> None:
    monitors = []
    for looks in (1, 7):
        canary = start(live)
        for _ in range(looks):
            for place in range(42 // looks):
                push(canary, "canary", [place % 3 == 0])
                push(canary, "control", [place % 4 == 0])
            release.judge_canaries()
        monitors.append(again(canary).monitor["sources"]["judge"]["canary_n"])
        release.roll_back(release=canary, reason="next", actor=SYSTEM)
    assert monitors == [40, 40]


def test_one_unit_counts_once_per_source(canary: Release) -> None:
    push(canary, "canary", [True, True], stem="anna")
    push(canary, "canary", [False, False], stem="anna")
    push(canary, "canary", [False], source="human", stem="anna")
    found = Observation.objects.order_by("pk").values_list("unit", "source", "defect")
    assert list(found) == [
        ("anna-0", "judge", True),
        ("anna-1", "judge", True),
        ("anna-0", "human", False),
    ]


def test_observations_of_no_arm_or_of_an_ended_canary_are_passed_over(
    canary: Release, live: Release
) -> None:
    push(live, "", [True])
    push(live, "control", [True])
    release.roll_back(release=canary, reason="x", actor=SYSTEM)
    push(canary, "canary", [True])
    assert not Observation.objects.exists()


@pytest.mark.parametrize(("arm", "source"), [("canary", "stars"), ("left", "judge")])
def test_unknown_arms_and_sources_are_refused(canary: Release, arm: str, source: str) -> None:
    with pytest.raises(ValidationError):
        push(canary, arm, [True], source)


def test_observing_is_a_step() -> None:
    with pytest.raises(WrongPlace):
        release.observe([], actor=SYSTEM)


def test_a_second_sweep_finds_nothing_to_do(canary: Release) -> None:
    both(canary, 0.6, 0.1, 120)
    assert release.judge_canaries() == 1
    assert release.judge_canaries() == 0


def test_blocks_close_when_both_arms_are_full_whatever_the_outcomes() -> None:
    arms = ["control", "control", "canary", "canary", "control", "canary", "control"]
    rows = [(place, arm, place == 2) for place, arm in enumerate(arms)]
    blocks, used = take_blocks(rows, 2)
    assert blocks == [Block((1.0, 0.0), (0.0, 0.0))]
    assert used == [0, 1, 2, 3]


@pytest.mark.soak
def test_an_equal_canary_is_rolled_back_no_more_often_than_promised(live: Release) -> None:
    rolled_back = 0
    for seed in range(60):
        canary = start(live, release.CanarySettings(alpha=0.05, beta=1e-9))
        draw = random.Random(seed)
        push(canary, "canary", [draw.random() < 0.2 for _ in range(300)])
        push(canary, "control", [draw.random() < 0.2 for _ in range(300)])
        rolled_back += release.judge_canaries()
        if again(canary).state == ReleaseState.CANARY:
            release.roll_back(release=canary, reason="next", actor=SYSTEM)
    assert rolled_back <= 8  # P(more than 8 of 60 at 5 %) is below 0.4 %


def test_a_canary_that_cannot_be_judged_keeps_no_other_from_its_roll_back(
    canary: Release, environment: Environment
) -> None:
    first = factories.make_prompt(environment.project)
    other = start(
        release.go_live(version=first, environment=environment, reason="first", actor=SYSTEM)
    )
    for each in (canary, other):
        both(each, 0.6, 0.1, 120)
    Release.objects.filter(pk=canary.pk).update(monitor={})
    assert release.judge_canaries() == 1
    assert again(canary).state == ReleaseState.CANARY
    assert again(other).state == ReleaseState.ROLLED_BACK
