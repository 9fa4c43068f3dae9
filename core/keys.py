"""API keys: `wsk_<environment>_<public id>_<secret>`."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError

from core import clock
from core.access import SCOPES, Actor, Verb, require
from core.audit import record
from core.db import command
from core.models import ApiKey, Environment
from core.verbs import CoreVerb

PREFIX = "wsk"


@dataclass(frozen=True, slots=True)
class NewKey:
    """The only moment at which the whole key is known."""

    key: ApiKey
    text: str


@command
def create_key(
    *,
    environment: Environment,
    name: str,
    scopes: Iterable[str],
    actor: Actor,
    expires_at: datetime | None = None,
) -> NewKey:
    """A key of `environment`. The text is returned once and cannot be read again."""
    project = environment.project
    require(actor, Verb.MANAGE_PEOPLE, project=project)
    wanted = sorted(set(scopes))
    if not wanted or not set(wanted) <= set(SCOPES):
        raise ValidationError({"scopes": f"Choose from {', '.join(SCOPES)}; got {wanted}."})
    public, secret = secrets.token_hex(6), secrets.token_urlsafe(32).replace("_", "-")
    key = ApiKey.objects.create(
        project=project,
        environment=environment,
        name=name,
        public_id=public,
        secret_hash=hashlib.sha256(secret.encode()).digest(),
        scopes=wanted,
        created_by_id=actor.pk if hasattr(actor, "email") else None,
        created_at=clock.now(),
        expires_at=expires_at,
    )
    record(
        CoreVerb.KEY_CREATED,
        key,
        actor=actor,
        project=project,
        after={"name": name, "scopes": wanted},
    )
    return NewKey(key, f"{PREFIX}_{environment.name}_{public}_{secret}")


@command
def revoke_key(*, key: ApiKey, actor: Actor) -> None:
    """The key is refused from the next request on."""
    require(actor, Verb.MANAGE_PEOPLE, project=key.project)
    ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=clock.now())
    record(CoreVerb.KEY_REVOKED, key, actor=actor, project=key.project)


def find_key(text: str) -> ApiKey | None:
    """The live key that `text` is, or None. One query on the public part, constant-time compare."""
    parts = text.strip().split("_")
    if len(parts) < 4 or parts[0] != PREFIX:
        return None
    public, secret = parts[-2], parts[-1]
    # A NUL, which a password of Basic can hold, would be an error of the database.
    if not public.isalnum():
        return None
    key = (
        ApiKey.objects.select_related("project", "environment")
        .filter(public_id=public, revoked_at=None)
        .first()
    )
    if key is None or not _matches(key, secret):
        return None
    _touch(key)
    return key


def _matches(key: ApiKey, secret: str) -> bool:
    digest = hashlib.sha256(secret.encode()).digest()
    fresh = key.expires_at is None or key.expires_at > clock.now()
    return hmac.compare_digest(digest, bytes(key.secret_hash)) and fresh


def _touch(key: ApiKey) -> None:
    """At most one write a minute: a busy key must not become a hot row."""
    now = clock.now()
    if key.last_used_at is None or now - key.last_used_at > timedelta(minutes=1):
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)
