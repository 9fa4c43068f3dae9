"""What the frame of every page needs: projects, navigation, role."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from core.access import Role, Verb
from core.models import Membership, Project, User
from core.models.people import verbs_of


@dataclass(frozen=True, slots=True)
class Door:
    """A page of the navigation: `key` is its keyboard shortcut, `verb` the right to see it."""

    label: str
    name: str
    icon: str
    key: str
    verb: Verb
    also: tuple[str, ...] = ()


NAV: tuple[tuple[str, tuple[Door, ...]], ...] = (
    ("", (Door("Home", "home", "home", "g h", Verb.SEE_DASHBOARDS),)),
    (
        "Review",
        (
            Door("Queue", "queue", "queue", "g q", Verb.REVIEW, ("workbench",)),
            Door("SLA board", "sla_board", "clock", "g s", Verb.SEE_DASHBOARDS),
            Door(
                "Calibration",
                "calibration_list",
                "people",
                "g c",
                Verb.SEE_TRACES,
                ("calibration",),
            ),
        ),
    ),
    (
        "Observe",
        (
            Door("Traces", "trace_list", "traces", "g t", Verb.SEE_TRACES, ("trace",)),
            Door("Risk policy", "policy", "shield", "g r", Verb.SEE_DECISIONS),
        ),
    ),
    (
        "Improve",
        (
            Door("Evidence", "evidence", "evidence", "g e", Verb.SEE_DECISIONS),
            Door(
                "Prompts",
                "prompt_list",
                "prompt",
                "g p",
                Verb.READ_PROMPTS,
                ("prompt", "version", "compare", "new_version"),
            ),
            Door("Releases", "releases", "release", "g l", Verb.READ_PROMPTS, ("release",)),
        ),
    ),
    ("Settings", (Door("Audit", "audit", "lock", "g a", Verb.MANAGE_PEOPLE),)),
)


def shell(request: HttpRequest) -> dict[str, Any]:
    """The context of the frame; empty for whoever is not signed in. One query."""
    user = getattr(request, "user", None)
    if not isinstance(user, User) or request.path.startswith("/admin/"):
        return {}
    members = list(
        Membership.objects.filter(user=user).select_related("project").order_by("project__name")
    )
    match = request.resolver_match
    slug = match.kwargs.get("slug", "") if match else ""
    here = next((member for member in members if member.project.slug == slug), None)
    return {
        "project": here.project if here else None,
        "projects": [_entry(member.project) for member in members],
        "nav": _nav(here, match.url_name or "" if match else "") if here else [],
        "role": Role(here.role).label if here else "",
        "may": {verb.name.lower() for verb in verbs_of(here.role)} if here else set(),
        "sign_out_url": reverse("logout"),
        "account_links": [],
    }


def _entry(project: Project) -> dict[str, str]:
    return {
        "name": project.name,
        "slug": project.slug,
        "url": reverse("home", args=[project.slug]),
    }


def _nav(here: Membership, page: str) -> list[dict[str, Any]]:
    verbs = verbs_of(here.role)
    groups = (
        {"label": label, "items": list(_items(doors, here.project.slug, page, verbs))}
        for label, doors in NAV
    )
    return [group for group in groups if group["items"]]


def _items(
    doors: tuple[Door, ...], slug: str, page: str, verbs: frozenset[Verb]
) -> Iterable[dict[str, Any]]:
    for door in doors:
        if door.verb in verbs:
            yield {
                "label": door.label,
                "url": reverse(door.name, args=[slug]),
                "icon": door.icon,
                "key": door.key,
                "active": page == door.name or page in door.also,
            }
