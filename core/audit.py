"""The record of who did what: one row a command, append-only by trigger."""

from __future__ import annotations

from contextvars import ContextVar
from enum import StrEnum
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db.models import Model

from core import clock
from core.access import Actor, System, Verb, require
from core.db import command, step
from core.models import ApiKey, AuditEntry, Project, User
from core.verbs import CoreVerb

FORMS: Final = ("csv", "jsonl")
request_id: ContextVar[str] = ContextVar("whetstone_request_id", default="")


@step
def record(
    verb: StrEnum,
    target: Model,
    *,
    actor: Actor,
    project: Project | None,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """Write the row. `verb` is a member of an app's enum of verbs; a plain string raises.

    `before` and `after` hold only what changed, as JSON values, and no text of a trace.
    """
    if not isinstance(verb, StrEnum):
        raise TypeError(f"{verb!r} is not a verb of an app")
    AuditEntry.objects.create(
        project=project,
        verb=f"{verb.__class__.__module__.split('.')[0]}.{verb}",
        target_type=target._meta.label_lower,
        target_id=str(target.pk),
        actor=actor if isinstance(actor, User) else None,
        actor_label=describe(actor),
        before=before or {},
        after=after or {},
        request_id=request_id.get(),
        at=clock.now(),
    )


def describe(actor: Actor) -> str:
    """How the actor is named in the record."""
    if isinstance(actor, System):
        return "system"
    if isinstance(actor, ApiKey):
        return f"key {actor.public_id}"
    return actor.email


@command
def log_export(*, project: Project, form: str, filters: dict[str, str], actor: Actor) -> int:
    """Put down that `actor` takes rows of the audit away. Returns the id up to which they go.

    `form` is `csv` or `jsonl`; `filters` is what was asked for. The row itself is not exported.
    """
    require(actor, Verb.MANAGE_PEOPLE, project=project)
    if form not in FORMS:
        raise ValidationError({"form": f"Choose one of {', '.join(FORMS)}."})
    top = AuditEntry.objects.in_project(project).order_by("-pk").values_list("pk", flat=True)
    after = {"form": form, "filters": filters, "up_to": (last := top.first() or 0)}
    record(CoreVerb.AUDIT_EXPORTED, project, actor=actor, project=project, after=after)
    return last
