"""Drafts: what a person has written so far, kept by the server; survives a lost lease."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from django.core.exceptions import ObjectDoesNotExist, ValidationError

from annotation.labels.opinion import Submission, as_draft
from annotation.models import Draft, Label
from annotation.verbs import AnnotationVerb
from core import clock
from core.access import Verb, require
from core.audit import record
from core.db import command, step
from core.models import Project, User
from core.text import storable
from routing.models import Slot

LARGEST: Final = 2_000_000


@command
def save_draft(*, slot_id: int, content: dict[str, Any], actor: User) -> Draft:
    """Keep what the page holds now; the last one wins. `content` is any JSON object of the page.

    Writes no audit row: it decides nothing and comes every few seconds. Raises ObjectDoesNotExist
    for a slot of another project, ValidationError where the content cannot be kept.
    """
    slot = Slot.objects.visible_to(actor).select_related("project").filter(pk=slot_id).first()
    if slot is None:
        raise ObjectDoesNotExist(f"There is no slot {slot_id}.")
    require(actor, Verb.REVIEW, project=slot.project)
    return _write({slot_id: content}, actor)[0]


@command
def keep(submissions: Sequence[Submission], *, actor: User) -> list[Draft]:
    """What a refused submission said, kept as drafts, so that a stale lease loses nothing.

    For doors, after `submit` raised StaleLease. A slot that holds a label of the actor's already
    (the answer to the first attempt was lost on the way) gets no draft: an empty list therefore
    means that everything is saved.
    """
    # A vote has no slot: one NULL in the list would exclude every slot.
    mine = Label.objects.filter(annotator=actor, slot__isnull=False).values("slot_id")
    wanted = {each.slot_id: as_draft(each.opinion) for each in submissions}
    slots = Slot.objects.visible_to(actor).filter(pk__in=wanted).exclude(pk__in=mine)
    found = list(slots.select_related("project"))
    for project in {slot.project for slot in found}:
        require(actor, Verb.REVIEW, project=project)
    drafts = _write({slot.pk: wanted[slot.pk] for slot in found}, actor)
    for project in {slot.project for slot in found}:
        _record_kept(project, [slot.pk for slot in found if slot.project == project], actor)
    return drafts


@step
def _record_kept(project: Project, slots: list[int], actor: User) -> None:
    record(
        AnnotationVerb.SUBMISSION_KEPT, project, actor=actor, project=project,
        after={"slots": slots},
    )  # fmt: skip


@step
def _write(contents: dict[int, dict[str, Any]], actor: User) -> list[Draft]:
    now = clock.now()
    rows = [
        Draft(slot_id=slot, user=actor, content=_plain(content), saved_at=now)
        for slot, content in sorted(contents.items())
    ]
    return Draft.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["slot", "user"],
        update_fields=["content", "saved_at"],
    )  # fmt: skip


def _plain(content: dict[str, Any]) -> dict[str, Any]:
    try:
        # Escaped, a correction in another script would count as six to twelve times as long.
        text = json.dumps(content, allow_nan=False, ensure_ascii=False)
    except (TypeError, ValueError) as error:
        raise ValidationError({"content": f"Cannot be kept as JSON: {error}."}) from error
    if len(text) > LARGEST:
        raise ValidationError({"content": f"Longer than {LARGEST:,} characters."})
    # A draft is saved while somebody types: what jsonb cannot hold is dropped, not refused.
    kept: dict[str, Any] = storable(content)
    return kept
