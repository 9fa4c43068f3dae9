"""The record of releases, told as events."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from core.figures import percent
from core.models import AuditEntry, Project
from registry.models import Release
from registry.verbs import RegistryVerb

TARGET = "registry.release"
WORDS = {
    RegistryVerb.CANARY_STARTED: ("branch", "accent", "started as a canary"),
    RegistryVerb.WENT_LIVE: ("release", "ok", "went live"),
    RegistryVerb.RELEASE_PROMOTED: ("check", "ok", "was promoted to live"),
    RegistryVerb.RELEASE_ROLLED_BACK: ("undo", "danger", "was rolled back"),
}
BY_NAME = {f"registry.{verb}": words for verb, words in WORDS.items()}

Event = dict[str, Any]


def of_release(release: Release) -> list[Event]:
    """What became of one release, newest first; one query."""
    entries = AuditEntry.objects.filter(target_type=TARGET, target_id=str(release.pk))
    found = [
        _event(entry, "This version") for entry in entries.select_related("actor").order_by("-pk")
    ]
    # A version that came back by a roll-back has no entry of its own: the record names the other.
    started = any(event["starts"] for event in found)
    return found if started else [*found, _start(release)]


def of_project(project: Project, limit: int = 30) -> list[Event]:
    """The last changes of what is served, newest first; two queries."""
    entries: Sequence[AuditEntry] = list(
        AuditEntry.objects.filter(project=project, target_type=TARGET, verb__in=BY_NAME)
        .select_related("actor")
        .order_by("-pk")[:limit]
    )
    names = _names(entry.target_id for entry in entries)
    return [_event(entry, names[entry.target_id]) for entry in entries]


def _names(ids: Iterable[str]) -> dict[str, str]:
    rows = Release.objects.filter(pk__in=set(ids)).values_list(
        "pk", "prompt__name", "version__number"
    )
    return {str(pk): f"{name} v{number}" for pk, name, number in rows}


def _event(entry: AuditEntry, subject: str) -> Event:
    icon, tone, words = BY_NAME[entry.verb]
    after = entry.after
    share = f" for {percent(after['share'], 0)} of users" if "share" in after else ""
    return {
        "icon": icon,
        "tone": tone,
        "text": f"{subject} {words} in {after.get('environment', '?')}{share}",
        "by": entry.actor or _label(entry.actor_label),
        "at": entry.at,
        "note": after.get("reason", ""),
        "starts": entry.verb in STARTS,
    }


STARTS = {f"registry.{verb}" for verb in (RegistryVerb.CANARY_STARTED, RegistryVerb.WENT_LIVE)}


def _label(actor: str) -> str:
    return "Whetstone" if actor == "system" else actor


def _start(release: Release) -> Event:
    return {
        "icon": "release",
        "tone": "ok",
        "text": f"This version went live again in {release.environment}",
        "by": release.started_by or "Whetstone",
        "at": release.started_at,
        "note": release.reason,
        "starts": True,
    }
