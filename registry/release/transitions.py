"""What an environment serves, and every change of it.

Lock order: the prompt's row, then its releases by id. All changes go through that one lock, so of
two at once exactly one wins and the other finds another state. Nothing here asks a model or a
broker: a roll-back must work when both are down.
"""

from __future__ import annotations

import secrets
from typing import Any

from django.core.exceptions import ValidationError

from core import clock
from core.access import Actor, Verb, require
from core.audit import record
from core.db import IllegalTransition, command, step
from core.models import Environment, User
from registry.findings import address, reopen
from registry.models import Prompt, PromptVersion, Release
from registry.models.release import ReleaseState
from registry.release.approval import has_approval
from registry.release.monitor import DEFAULT, CanarySettings
from registry.verbs import RegistryVerb

WHOLE = 1.0


@command
def go_live(
    *, version: PromptVersion, environment: Environment, reason: str, actor: Actor
) -> Release:
    """Serve `version` to everybody: the first live release, or one in place of the older.

    Where an older one is live the version needs an approval, and no canary may be running.
    """
    _require(version, environment, reason, actor)
    live, canary = _serving(version.prompt, environment)
    if canary is not None:
        raise IllegalTransition(f"{canary} is running: promote it or roll it back first.")
    if live is not None:
        _check_successor(version, live)
        _end(live, ReleaseState.RETIRED, f"Replaced by version {version.number}.")
    release = _begin(
        version, environment, ReleaseState.LIVE, share=WHOLE, reason=reason, actor=actor
    )
    address(version, actor=actor)
    before = {"live": live.version.number if live else None}
    _record(RegistryVerb.WENT_LIVE, release, actor, before=before, reason=reason)
    return release


@command
def start_canary(
    *,
    version: PromptVersion,
    environment: Environment,
    share: float,
    reason: str,
    actor: Actor,
    settings: CanarySettings = DEFAULT,
) -> Release:
    """Serve `version` to `share` (above 0, below 1) of the sticky keys, beside the live one."""
    _require(version, environment, reason, actor)
    if not 0 < share < 1:
        raise ValidationError({"share": f"{share}: above 0 and below 1."})
    live, canary = _serving(version.prompt, environment)
    if canary is not None:
        raise IllegalTransition(f"{canary} is running: there can be one.")
    if live is None:
        raise IllegalTransition(f"Nothing is live in {environment} to compare {version} with.")
    _check_successor(version, live)
    release = _begin(
        version,
        environment,
        ReleaseState.CANARY,
        share=share,
        reason=reason,
        actor=actor,
        monitor=settings.monitor(),
    )
    _record(RegistryVerb.CANARY_STARTED, release, actor, reason=reason, share=share)
    return release


@command
def promote(*, release: Release, reason: str, actor: Actor) -> Release:
    """The canary becomes live; what was live retires."""
    require(actor, Verb.RELEASE, project=release.prompt.project)
    return promote_now(release=release, reason=reason, actor=actor)


@command
def roll_back(*, release: Release, reason: str, actor: Actor) -> Release:
    """Stop serving `release`; returns the release that is live afterwards.

    Of a canary: the live one stays. Of a live one: the version that was live before it, and has
    not been rolled back itself, goes live again at once; a canary beside it ends too, for its
    control is gone.
    """
    require(actor, Verb.RELEASE, project=release.prompt.project)
    return roll_back_now(release=release, reason=reason, actor=actor)


@step
def promote_now(*, release: Release, reason: str, actor: Actor) -> Release:
    """`promote`, for a command that has checked the right."""
    _check_reason(reason)
    live, canary = _serving(release.prompt, release.environment)
    if canary is None or canary.pk != release.pk:
        raise IllegalTransition(f"{release.version} is not a running canary any more.")
    if live is not None:
        _end(live, ReleaseState.RETIRED, f"Replaced by version {canary.version.number}.")
    canary.state, canary.promoted_at = ReleaseState.LIVE, clock.now()
    canary.save(update_fields=["state", "promoted_at"])
    address(canary.version, actor=actor)
    before = {"live": live.version.number if live else None}
    _record(RegistryVerb.RELEASE_PROMOTED, canary, actor, before=before, reason=reason)
    return canary


@step
def roll_back_now(*, release: Release, reason: str, actor: Actor) -> Release:
    """`roll_back`, for a command that has checked the right."""
    _check_reason(reason)
    live, canary = _serving(release.prompt, release.environment)
    if canary is not None and canary.pk == release.pk:
        _undo(canary, reason, actor)
        assert live is not None, "a canary has a live release beside it"
        return live
    if live is None or live.pk != release.pk:
        raise IllegalTransition(f"{release.version} is not being served any more.")
    earlier = _previous(live)
    if canary is not None:
        _undo(canary, f"Its control, version {live.version.number}, was rolled back.", actor)
    _undo(live, reason, actor, restored=earlier.number)
    why = f"Version {live.version.number} was rolled back: {reason}"
    return _begin(
        earlier, live.environment, ReleaseState.LIVE, share=WHOLE, reason=why, actor=actor
    )


def _undo(release: Release, reason: str, actor: Actor, **facts: Any) -> None:
    was = release.state
    _end(release, ReleaseState.ROLLED_BACK, reason)
    reopen(release.version, actor=actor)
    before = {"state": was}
    _record(RegistryVerb.RELEASE_ROLLED_BACK, release, actor, before=before, reason=reason, **facts)


def _previous(live: Release) -> PromptVersion:
    """The version that was live last, other than this one and those rolled back since."""
    past = Release.objects.filter(prompt=live.prompt, environment=live.environment)
    gone = {live.version_id}
    for release in (
        past.exclude(ended_at=None).select_related("version").order_by("-ended_at", "-pk")
    ):
        if release.state == ReleaseState.RETIRED and release.version_id not in gone:
            return release.version
        gone.add(release.version_id)
    raise IllegalTransition(f"There is no earlier version to go back to from {live.version}.")


def _serving(prompt: Prompt, environment: Environment) -> tuple[Release | None, Release | None]:
    """The live release and the canary, both locked, behind the lock of the prompt."""
    Prompt.objects.select_for_update(no_key=True).get(pk=prompt.pk)
    rows = Release.objects.serving().filter(prompt=prompt, environment=environment)
    locked = rows.select_for_update(of=("self",), no_key=True).select_related(
        "version", "environment", "prompt__project"
    )
    states = {release.state: release for release in locked.order_by("pk")}
    return states.get(ReleaseState.LIVE), states.get(ReleaseState.CANARY)


def _require(version: PromptVersion, environment: Environment, reason: str, actor: Actor) -> None:
    require(actor, Verb.RELEASE, project=version.prompt.project)
    if environment.project_id != version.prompt.project_id:
        raise ValidationError({"environment": f"{environment} is of another project."})
    _check_reason(reason)


def _check_reason(reason: str) -> None:
    if not reason.strip():
        raise ValidationError({"reason": "Say why: the record is read when something goes wrong."})


def _check_successor(version: PromptVersion, live: Release) -> None:
    if live.version_id == version.pk:
        raise IllegalTransition(f"{version} is live already.")
    if not has_approval(version):
        raise IllegalTransition(f"{version} needs an approval first.")


def _begin(
    version: PromptVersion,
    environment: Environment,
    state: ReleaseState,
    *,
    share: float,
    reason: str,
    actor: Actor,
    monitor: dict[str, Any] | None = None,
) -> Release:
    return Release.objects.create(
        prompt=version.prompt,
        environment=environment,
        version=version,
        state=state,
        share=share,
        salt=secrets.token_hex(16),
        monitor=monitor or {},
        reason=reason,
        started_by=actor if isinstance(actor, User) else None,
        started_at=clock.now(),
    )


def _end(release: Release, state: ReleaseState, reason: str) -> None:
    release.state, release.ended_at, release.end_reason = state, clock.now(), reason
    release.save(update_fields=["state", "ended_at", "end_reason"])


def _record(
    verb: RegistryVerb,
    release: Release,
    actor: Actor,
    *,
    before: dict[str, Any] | None = None,
    **after: Any,
) -> None:
    facts = {"version": release.version.number, "environment": release.environment.name, **after}
    record(verb, release, actor=actor, project=release.prompt.project, before=before, after=facts)
