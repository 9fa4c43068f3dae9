"""Which version answers: pure reads, the same answer for the same key."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from core.models import Environment
from registry.models import Prompt, PromptVersion, Release
from registry.models.release import Arm, ReleaseState

BUCKETS = 10_000


@dataclass(frozen=True, slots=True)
class Resolved:
    """What to serve, and under which release it counts.

    While a canary runs, `release` is the canary's for both arms and `arm` says which; else it is
    the live one and `arm` is empty. `bucket` is None where no key was given.
    """

    version: PromptVersion
    release: Release
    arm: str
    bucket: int | None


@dataclass(frozen=True, slots=True)
class Serving:
    """The releases of a prompt in an environment that serve now."""

    live: Release
    canary: Release | None = None

    def resolve(self, key: str) -> Resolved:
        """Without a key nobody can be kept in an arm: the live version, which is not counted."""
        if self.canary is None:
            place = bucket(self.live.salt, key) if key else None
            return Resolved(self.live.version, self.live, "", place)
        if not key:
            return Resolved(self.live.version, self.live, "", None)
        place = bucket(self.canary.salt, key)
        chosen = is_canary(place, self.canary.share)
        version = self.canary.version if chosen else self.live.version
        return Resolved(version, self.canary, Arm.CANARY if chosen else Arm.CONTROL, place)


def bucket(salt: str, key: str) -> int:
    """0 to 9,999, evenly: the first 8 bytes of BLAKE2b of `salt:key`. A new salt is a new draw."""
    head = hashlib.blake2b(f"{salt}:{key}".encode(), digest_size=8).digest()
    return int.from_bytes(head, "big") % BUCKETS


def is_canary(place: int, share: float) -> bool:
    """Whether a bucket gets the canary; a larger share only adds buckets."""
    return place < round(share * BUCKETS)


def serving(prompt: Prompt, environment: Environment) -> Serving | None:
    """One query; None where nothing is live."""
    return serving_many([prompt.pk], environment).get(prompt.pk)


def serving_many(prompt_ids: Iterable[int], environment: Environment) -> dict[int, Serving]:
    """By prompt; one query for all."""
    found: dict[int, dict[str, Release]] = {}
    rows = Release.objects.serving().filter(environment=environment, prompt_id__in=set(prompt_ids))
    for release in rows.select_related("version"):
        found.setdefault(release.prompt_id, {})[release.state] = release
    return {
        prompt_id: Serving(states[ReleaseState.LIVE], states.get(ReleaseState.CANARY))
        for prompt_id, states in found.items()
        if ReleaseState.LIVE in states
    }


def resolve(prompt: Prompt, environment: Environment, key: str) -> Resolved | None:
    """What `key` (a user, a conversation) gets; None where nothing is live. One query."""
    found = serving(prompt, environment)
    return found.resolve(key) if found else None


@dataclass(frozen=True, slots=True)
class Served:
    """What a trace says of itself: the prompt, its sticky key, the number of the version it ran,
    and when."""

    prompt_id: int
    key: str
    version_number: int | None
    at: datetime | None = None


def resolve_release(
    prompt: Prompt, environment: Environment, key: str, version_number: int | None
) -> tuple[Release | None, str]:
    """The release and arm that a finished call counts for; see `resolve_many`."""
    return resolve_many([Served(prompt.pk, key, version_number)], environment)[0]


def resolve_many(
    calls: Iterable[Served], environment: Environment
) -> list[tuple[Release | None, str]]:
    """For each call its release and arm, in order; one query for all.

    A call counts for an arm only where its version is the one its key should have got: a client
    with an old copy has left the random split, and would bias the comparison. So would a call
    from before the canary: there were only such of its control.
    """
    listed = list(calls)
    found = serving_many((call.prompt_id for call in listed), environment)
    return [_attribute(found.get(call.prompt_id), call) for call in listed]


def _attribute(found: Serving | None, call: Served) -> tuple[Release | None, str]:
    if found is None or call.version_number is None:
        return None, ""
    if found.canary and call.at and call.at < found.canary.started_at:
        found = Serving(found.live)
    due = found.resolve(call.key)
    if due.version.number == call.version_number:
        return due.release, due.arm
    if found.live.version.number == call.version_number:
        return found.live, ""
    return None, ""
