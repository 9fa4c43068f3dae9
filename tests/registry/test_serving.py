from __future__ import annotations

import pytest

from core.access import SYSTEM
from core.models import Environment
from registry import release, serving
from registry.models import PromptVersion, Release
from registry.serving import Served
from tests import factories
from tests.registry.facts import approve


@pytest.fixture
def live(prompt_version: PromptVersion, environment: Environment) -> Release:
    return release.go_live(
        version=prompt_version, environment=environment, reason="first", actor=SYSTEM
    )


@pytest.fixture
def canary(live: Release) -> Release:
    version = factories.make_version(live.version)
    approve(version)
    return release.start_canary(
        version=version, environment=live.environment, share=0.3, reason="try", actor=SYSTEM
    )


def test_buckets_are_even_and_independent_between_salts() -> None:
    keys = [f"user{number}" for number in range(20_000)]
    first = {key for key in keys if serving.is_canary(serving.bucket("one", key), 0.1)}
    second = {key for key in keys if serving.is_canary(serving.bucket("two", key), 0.1)}
    assert len(first) == pytest.approx(2000, abs=200)
    assert len(first & second) == pytest.approx(200, abs=70)


def test_a_bucket_never_changes() -> None:
    assert serving.bucket("salt", "user0") == 6576
    assert serving.bucket("salt", "Zoë 🦊") == serving.bucket("salt", "Zoë 🦊")


def test_a_larger_share_only_adds_keys() -> None:
    places = range(serving.BUCKETS)
    small = {place for place in places if serving.is_canary(place, 0.1)}
    large = {place for place in places if serving.is_canary(place, 0.25)}
    assert (len(small), len(large)) == (1000, 2500)
    assert small < large


def test_nothing_is_served_before_anything_is_live(
    prompt_version: PromptVersion, environment: Environment
) -> None:
    assert serving.resolve(prompt_version.prompt, environment, "anna") is None


def test_without_a_canary_all_get_the_live_version_and_no_arm(live: Release) -> None:
    found = serving.resolve(live.prompt, live.environment, "anna")
    assert found is not None
    assert (found.version, found.release, found.arm) == (live.version, live, "")


def test_another_environment_is_not_served(live: Release) -> None:
    staging = factories.make_environment(live.environment.project, "staging")
    assert serving.resolve(live.prompt, staging, "anna") is None


def test_keys_are_split_by_share_and_stay_where_they_are(canary: Release, live: Release) -> None:
    found = serving.serving(live.prompt, live.environment)
    assert found is not None
    first = [found.resolve(f"user{number}") for number in range(2000)]
    again = [found.resolve(f"user{number}") for number in range(2000)]
    assert first == again
    arms = [each.arm for each in first]
    assert arms.count("canary") == pytest.approx(600, abs=100)
    assert {each.release for each in first} == {canary}
    assert all((each.version == canary.version) == (each.arm == "canary") for each in first)


def test_without_a_key_the_live_version_is_served_and_not_counted(
    canary: Release, live: Release
) -> None:
    found = serving.resolve(live.prompt, live.environment, "")
    assert found is not None
    assert (found.version, found.release, found.arm, found.bucket) == (live.version, live, "", None)


def test_after_a_roll_back_all_get_the_live_version_at_once(canary: Release, live: Release) -> None:
    release.roll_back(release=canary, reason="worse", actor=SYSTEM)
    found = serving.serving(live.prompt, live.environment)
    assert found is not None
    assert {found.resolve(f"user{number}").version for number in range(50)} == {live.version}


def test_resolving_costs_one_query(
    canary: Release, live: Release, django_assert_num_queries
) -> None:
    with django_assert_num_queries(1):
        serving.resolve(live.prompt, live.environment, "anna")


def test_a_finished_call_counts_for_the_arm_it_was_drawn_into(
    canary: Release, live: Release, django_assert_num_queries
) -> None:
    found = serving.serving(live.prompt, live.environment)
    assert found is not None
    due = [found.resolve(f"user{number}") for number in range(100)]
    calls = [
        Served(live.prompt_id, f"user{number}", due[number].version.number) for number in range(100)
    ]
    with django_assert_num_queries(1):
        counted = serving.resolve_many(calls, live.environment)
    assert counted == [(canary, each.arm) for each in due]


def test_a_stale_client_or_a_call_without_a_key_counts_for_no_arm(
    canary: Release, live: Release
) -> None:
    found = serving.serving(live.prompt, live.environment)
    assert found is not None
    keys = (f"user{number}" for number in range(100))
    drawn = next(key for key in keys if found.resolve(key).arm == "canary")
    calls = [
        Served(live.prompt_id, drawn, 1),
        Served(live.prompt_id, "", 1),
        Served(live.prompt_id, drawn, None),
        Served(live.prompt_id, drawn, 77),
        Served(live.prompt_id + 1, drawn, 1),
    ]
    assert serving.resolve_many(calls, live.environment) == [
        (live, ""),
        (live, ""),
        (None, ""),
        (None, ""),
        (None, ""),
    ]


def test_one_call_is_attributed_like_many(canary: Release, live: Release) -> None:
    assert serving.resolve_release(live.prompt, live.environment, "", 1) == (live, "")
