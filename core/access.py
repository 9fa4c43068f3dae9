"""Who may do what. One matrix as data; `require` is the one place that enforces it."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, TypeAlias

from django.core.exceptions import PermissionDenied
from django.db.models import TextChoices

if TYPE_CHECKING:
    from core.models import ApiKey, Project, User


class System:
    """The machine itself. It is an actor that must be typed out."""

    pk = None
    is_authenticated = True

    def __str__(self) -> str:
        return "system"


SYSTEM: Final = System()
Actor: TypeAlias = "User | ApiKey | System"


class Role(TextChoices):
    VIEWER = "viewer", "Viewer"
    REVIEWER = "reviewer", "Reviewer"
    LEAD = "lead", "Lead"
    ENGINEER = "engineer", "Engineer"
    ADMIN = "admin", "Admin"


class Verb(StrEnum):
    """What a role may do. Doors and rooms name these, never roles."""

    SEE_DASHBOARDS = "see dashboards"
    SEE_TRACES = "see traces"
    SEE_DECISIONS = "see judge scores and decisions"
    REVIEW = "review"
    CALIBRATE = "run calibration sessions"
    EDIT_RUBRIC = "edit rubrics"
    EDIT_PROMPT = "edit prompts"
    RELEASE = "release prompts"
    EDIT_POLICY = "edit risk policy"
    GRANT_AUTO_APPROVAL = "grant auto-approval"
    MANAGE_QUEUE = "manage the queue"
    MANAGE_PEOPLE = "manage people and keys"
    INGEST = "send traces"
    READ_PROMPTS = "fetch prompts"


_everyone = frozenset(Role)
_staff = frozenset({Role.LEAD, Role.ENGINEER, Role.ADMIN})

MATRIX: Final[dict[Verb, frozenset[Role]]] = {
    Verb.SEE_DASHBOARDS: _everyone,
    Verb.SEE_TRACES: frozenset({Role.REVIEWER}) | _staff,
    Verb.SEE_DECISIONS: _staff,
    Verb.REVIEW: frozenset({Role.REVIEWER, Role.LEAD}),
    Verb.CALIBRATE: frozenset({Role.LEAD, Role.ADMIN}),
    Verb.EDIT_RUBRIC: frozenset({Role.LEAD, Role.ADMIN}),
    Verb.EDIT_PROMPT: frozenset({Role.ENGINEER, Role.ADMIN}),
    Verb.RELEASE: frozenset({Role.ENGINEER, Role.ADMIN}),
    Verb.EDIT_POLICY: frozenset({Role.ENGINEER, Role.ADMIN}),
    Verb.GRANT_AUTO_APPROVAL: frozenset({Role.ADMIN}),
    Verb.MANAGE_QUEUE: frozenset({Role.LEAD, Role.ADMIN}),
    Verb.MANAGE_PEOPLE: frozenset({Role.ADMIN}),
    Verb.INGEST: frozenset({Role.ENGINEER, Role.ADMIN}),
    Verb.READ_PROMPTS: frozenset({Role.REVIEWER}) | _staff,
}

SCOPES: Final[dict[str, frozenset[Verb]]] = {
    "ingest": frozenset({Verb.INGEST}),
    "read": frozenset({Verb.SEE_TRACES, Verb.SEE_DASHBOARDS, Verb.SEE_DECISIONS}),
    "label": frozenset({Verb.REVIEW}),
    "prompts": frozenset({Verb.READ_PROMPTS}),
    "admin": frozenset(Verb),
}


def may(actor: Actor, verb: Verb, *, project: Project) -> bool:
    """Whether `actor` may do `verb` in `project`. One query for a person, none for a key."""
    if isinstance(actor, System):
        return True
    return verb in actor.verbs_in(project)


def require(actor: Actor, verb: Verb, *, project: Project) -> None:
    """Raises PermissionDenied, which doors answer with 403, where `may` says no."""
    if not may(actor, verb, project=project):
        raise PermissionDenied(f"This needs the right to {verb}.")
