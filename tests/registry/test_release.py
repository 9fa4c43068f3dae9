from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from core import clock
from core.access import SYSTEM
from core.db import IllegalTransition
from core.models import AuditEntry, Environment, Project, User
from registry import release
from registry.models import GateRun, PromptVersion, Release, SurfaceFinding
from registry.models.gate import GateState
from registry.models.release import ReleaseState
from registry.models.surface import FindingState
from registry.surfaces import weigh
from tests import factories
from tests.registry.facts import approve, make_evidence


@pytest.fixture
def live(prompt_version: PromptVersion, environment: Environment) -> Release:
    return release.go_live(
        version=prompt_version, environment=environment, reason="first", actor=SYSTEM
    )


@pytest.fixture
def candidate(live: Release) -> PromptVersion:
    version = factories.make_version(live.version)
    approve(version)
    return version


@pytest.fixture
def canary(candidate: PromptVersion, live: Release) -> Release:
    return start(candidate, live.environment)


def start(version: PromptVersion, environment: Environment, share: float = 0.5) -> Release:
    return release.start_canary(
        version=version, environment=environment, share=share, reason="try", actor=SYSTEM
    )


def replace_live(version: PromptVersion, environment: Environment) -> Release:
    approve(version)
    return release.go_live(version=version, environment=environment, reason="next", actor=SYSTEM)


def state(row: Release) -> str:
    return Release.objects.get(pk=row.pk).state


def test_the_first_version_goes_live_without_an_approval(live: Release) -> None:
    assert (live.state, live.share) == (ReleaseState.LIVE, 1.0)
    assert AuditEntry.objects.get(verb="registry.went_live").after["reason"] == "first"


def test_a_second_version_needs_an_approval(live: Release) -> None:
    version = factories.make_version(live.version)
    with pytest.raises(IllegalTransition, match="needs an approval"):
        release.go_live(version=version, environment=live.environment, reason="x", actor=SYSTEM)
    with pytest.raises(IllegalTransition, match="needs an approval"):
        start(version, live.environment)


def test_going_live_retires_what_was_live(live: Release, candidate: PromptVersion) -> None:
    new = release.go_live(
        version=candidate, environment=live.environment, reason="better", actor=SYSTEM
    )
    assert state(live) == ReleaseState.RETIRED
    assert state(new) == ReleaseState.LIVE


def test_nobody_approves_what_they_wrote(project: Project, eve: User) -> None:
    version = factories.make_prompt(project, actor=eve)
    with pytest.raises(PermissionDenied, match="somebody else"):
        release.approve(version=version, reason="fine", actor=eve)


@pytest.mark.parametrize("person", ["ann", "lee", "vi", "cy"])
def test_who_is_no_engineer_here_releases_nothing(
    live: Release, candidate: PromptVersion, person: str, request: pytest.FixtureRequest
) -> None:
    actor, environment = request.getfixturevalue(person), live.environment
    for refused in (
        lambda: release.approve(version=candidate, reason="x", actor=actor),
        lambda: release.go_live(
            version=candidate, environment=environment, reason="x", actor=actor
        ),
        lambda: release.start_canary(
            version=candidate, environment=environment, share=0.1, reason="x", actor=actor
        ),
        lambda: release.promote(release=live, reason="x", actor=actor),
        lambda: release.roll_back(release=live, reason="x", actor=actor),
    ):
        with pytest.raises(PermissionDenied):
            refused()


def test_without_a_passed_gate_an_approval_needs_a_reason_and_breaks_the_glass(
    prompt_version: PromptVersion, ada: User
) -> None:
    with pytest.raises(ValidationError) as caught:
        release.approve(version=prompt_version, reason=" ", actor=ada)
    assert "reason" in caught.value.message_dict
    release.approve(version=prompt_version, reason="Hotfix.", actor=ada)
    after = AuditEntry.objects.get(verb="registry.version_approved").after
    assert (after["break_glass"], after["gate"]) == (True, "no gate run")


@pytest.mark.parametrize(("gate", "broken"), [(GateState.PASSED, False), (GateState.BLOCKED, True)])
def test_an_approval_carries_the_latest_gate_run(
    prompt_version: PromptVersion, ada: User, gate: GateState, broken: bool
) -> None:
    now = clock.now()
    run = GateRun.objects.create(
        candidate=prompt_version, state=gate, created_at=now, finished_at=now
    )
    approval = release.approve(version=prompt_version, reason="Read it.", actor=ada)
    assert approval.gate_run == run
    after = AuditEntry.objects.get(verb="registry.version_approved").after
    assert (after["break_glass"], after["gate"]) == (broken, gate)


def test_one_person_approves_a_version_once(prompt_version: PromptVersion, ada: User) -> None:
    release.approve(version=prompt_version, reason="x", actor=ada)
    with pytest.raises(IllegalTransition, match="already"):
        release.approve(version=prompt_version, reason="x", actor=ada)


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, 1.5])
def test_the_share_of_a_canary_lies_between_nought_and_one(
    live: Release, candidate: PromptVersion, share: float
) -> None:
    with pytest.raises(ValidationError) as caught:
        start(candidate, live.environment, share)
    assert "share" in caught.value.message_dict


@pytest.mark.parametrize(
    "settings",
    [
        release.CanarySettings(primary="stars"),
        release.CanarySettings(block=0),
        release.CanarySettings(alpha=0),
        release.CanarySettings(margin=2),
    ],
)
def test_settings_that_make_no_sense_are_refused(
    live: Release, candidate: PromptVersion, settings: release.CanarySettings
) -> None:
    with pytest.raises(ValidationError):
        release.start_canary(
            version=candidate, environment=live.environment, share=0.1, reason="x",
            actor=SYSTEM, settings=settings,
        )  # fmt: skip


def test_every_change_needs_a_reason(live: Release, canary: Release) -> None:
    for refused in (release.promote, release.roll_back):
        with pytest.raises(ValidationError) as caught:
            refused(release=canary, reason=" ", actor=SYSTEM)
        assert "reason" in caught.value.message_dict


def test_a_canary_needs_something_live_beside_it(
    prompt_version: PromptVersion, environment: Environment
) -> None:
    approve(prompt_version)
    with pytest.raises(IllegalTransition, match="Nothing is live"):
        start(prompt_version, environment)


def test_an_environment_of_another_project_is_refused(
    prompt_version: PromptVersion, elsewhere: Project
) -> None:
    foreign = factories.make_environment(elsewhere)
    with pytest.raises(ValidationError) as caught:
        release.go_live(version=prompt_version, environment=foreign, reason="x", actor=SYSTEM)
    assert "environment" in caught.value.message_dict


def test_the_live_version_cannot_go_live_or_be_its_own_canary(live: Release) -> None:
    approve(live.version)
    with pytest.raises(IllegalTransition, match="live already"):
        release.go_live(
            version=live.version, environment=live.environment, reason="x", actor=SYSTEM
        )
    with pytest.raises(IllegalTransition, match="live already"):
        start(live.version, live.environment)


def test_beside_a_canary_nothing_else_starts(canary: Release, live: Release) -> None:
    other = factories.make_version(live.version)
    approve(other)
    with pytest.raises(IllegalTransition, match="is running"):
        start(other, live.environment)
    with pytest.raises(IllegalTransition, match="is running"):
        release.go_live(version=other, environment=live.environment, reason="x", actor=SYSTEM)


def test_promoting_makes_the_canary_live(canary: Release, live: Release, ada: User) -> None:
    promoted = release.promote(release=canary, reason="better", actor=ada)
    assert (promoted.pk, promoted.state) == (canary.pk, ReleaseState.LIVE)
    assert state(live) == ReleaseState.RETIRED
    entry = AuditEntry.objects.get(verb="registry.release_promoted")
    assert (entry.actor, entry.before, entry.after["reason"]) == (ada, {"live": 1}, "better")


def test_only_a_running_canary_can_be_promoted(canary: Release, live: Release) -> None:
    with pytest.raises(IllegalTransition):
        release.promote(release=live, reason="x", actor=SYSTEM)
    release.promote(release=canary, reason="x", actor=SYSTEM)
    with pytest.raises(IllegalTransition):
        release.promote(release=canary, reason="x", actor=SYSTEM)


def test_rolling_back_a_canary_leaves_the_live_version(canary: Release, live: Release) -> None:
    assert release.roll_back(release=canary, reason="worse", actor=SYSTEM) == live
    assert state(canary) == ReleaseState.ROLLED_BACK
    assert state(live) == ReleaseState.LIVE
    with pytest.raises(IllegalTransition, match="not being served"):
        release.roll_back(release=canary, reason="worse", actor=SYSTEM)


def test_rolling_back_a_live_version_restores_the_one_before(
    canary: Release, live: Release
) -> None:
    release.promote(release=canary, reason="better", actor=SYSTEM)
    restored = release.roll_back(release=canary, reason="worse after all", actor=SYSTEM)
    assert (restored.version, restored.state) == (live.version, ReleaseState.LIVE)
    after = AuditEntry.objects.get(verb="registry.release_rolled_back").after
    assert (after["restored"], after["reason"]) == (1, "worse after all")
    assert state(canary) == ReleaseState.ROLLED_BACK
    assert state(live) == ReleaseState.RETIRED


def test_a_roll_back_never_returns_to_what_was_rolled_back(
    live: Release, environment: Environment
) -> None:
    second = replace_live(factories.make_version(live.version), environment)
    third = replace_live(factories.make_version(second.version), environment)
    back = release.roll_back(release=third, reason="x", actor=SYSTEM)
    assert back.version == second.version
    again = release.roll_back(release=back, reason="x", actor=SYSTEM)
    assert again.version == live.version
    with pytest.raises(IllegalTransition, match="no earlier version"):
        release.roll_back(release=again, reason="x", actor=SYSTEM)
    assert state(again) == ReleaseState.LIVE


def test_rolling_back_the_control_ends_the_canary_too(
    live: Release, environment: Environment
) -> None:
    second = replace_live(factories.make_version(live.version), environment)
    third = factories.make_version(second.version)
    approve(third)
    canary = start(third, environment)
    restored = release.roll_back(release=second, reason="worse", actor=SYSTEM)
    assert restored.version == live.version
    assert state(canary) == ReleaseState.ROLLED_BACK


def test_environments_do_not_touch_each_other(
    project: Project, prompt_version: PromptVersion, live: Release
) -> None:
    staging = factories.make_environment(project, "staging")
    release.go_live(version=prompt_version, environment=staging, reason="x", actor=SYSTEM)
    assert state(live) == ReleaseState.LIVE


def test_going_live_addresses_the_findings_it_cites_and_a_roll_back_opens_them_again(
    project: Project, live: Release
) -> None:
    evidence = [make_evidence(live.version) for _ in range(3)]
    (finding,) = weigh(project=project, actor=SYSTEM)
    version = factories.make_version(
        live.version, citations=[(evidence[0], "style", "tone", "Too long.")]
    )
    approve(version)
    new = release.go_live(version=version, environment=live.environment, reason="x", actor=SYSTEM)
    addressed = SurfaceFinding.objects.get(pk=finding.pk)
    assert addressed.state == FindingState.ADDRESSED
    assert addressed.closed_at is not None
    release.roll_back(release=new, reason="worse", actor=SYSTEM)
    assert SurfaceFinding.objects.get(pk=finding.pk).state == FindingState.OPEN


def test_cy_sees_no_release_of_another_project(live: Release, cy: User) -> None:
    assert not Release.objects.visible_to(cy).exists()
