"""The erasure of a person: what names them goes, what they did stays.

Labels, comments and other words that people wrote are the project's material and are not touched.
"""

from __future__ import annotations

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied, ValidationError

from core.access import Actor, System
from core.audit import record
from core.db import command
from core.models import AuditEntry, User
from core.models.audit import ERASED
from core.verbs import CoreVerb

# A domain that can never be anybody's (RFC 2606).
DOMAIN = "erased.invalid"


@command
def erase_person(*, user: User, reason: str, actor: Actor) -> int:
    """Take name and address from `user` for good, and let nobody sign in as them again.

    Clears `actor_label` and `actor_id` of the person's audit rows: the listed redaction columns,
    which the seals leave out. The account stays as a pseudonym, because labels and decisions
    hang on it. A person may belong to many projects, so only the system and superusers may.
    Returns the number of audit rows that were cleared.
    """
    _allow(user, reason, actor)
    person = User.objects.select_for_update().get(pk=user.pk)
    rows = AuditEntry.objects.filter(actor=person) | AuditEntry.objects.filter(
        actor=None, actor_label=person.email
    )
    cleared = rows.update(actor=None, actor_label=ERASED)
    _forget(person)
    after = {"reason": reason.strip(), "audit_rows": cleared}
    record(CoreVerb.PERSON_ERASED, person, actor=actor, project=None, after=after)
    return cleared


def _allow(user: User, reason: str, actor: Actor) -> None:
    if not isinstance(actor, System) and not (isinstance(actor, User) and actor.is_superuser):
        raise PermissionDenied("Only the operator of this installation may erase a person.")
    if isinstance(actor, User) and actor.pk == user.pk:
        raise ValidationError({"user": "Somebody else must erase you: the record names who did."})
    if not reason.strip():
        raise ValidationError({"reason": "Say why; the audit keeps it."})
    if user.email.endswith(f"@{DOMAIN}"):
        raise ValidationError({"user": "This person is erased already."})


def _forget(person: User) -> None:
    """The account becomes a pseudonym; so does what the admin site remembers of its name."""
    person.email = f"person-{person.pk}@{DOMAIN}"
    person.name = f"Erased person {person.pk}"
    person.is_active = person.is_staff = person.is_superuser = False
    person.last_login = None
    person.set_unusable_password()
    person.save()
    kind = ContentType.objects.get_for_model(User)
    LogEntry.objects.filter(content_type=kind, object_id=str(person.pk)).update(
        object_repr=person.name
    )
