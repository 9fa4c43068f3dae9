"""API keys: shown once, stored hashed, bound to one environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.postgres.fields import ArrayField
from django.db import models

from core.access import SCOPES, Verb

if TYPE_CHECKING:
    from core.models.project import Project


class ApiKey(models.Model):
    """`public_id` is indexed and shown; of the secret only the SHA-256 is kept."""

    project = models.ForeignKey("core.Project", on_delete=models.CASCADE)
    environment = models.ForeignKey("core.Environment", on_delete=models.CASCADE)
    name = models.CharField(max_length=120)
    public_id = models.CharField(max_length=16, unique=True)
    secret_hash = models.BinaryField(max_length=32)
    scopes = ArrayField(models.CharField(max_length=16))
    created_by = models.ForeignKey("core.User", null=True, on_delete=models.SET_NULL)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)

    # Django REST framework asks this of whoever a request comes from.
    is_authenticated = True
    is_active = True

    def __str__(self) -> str:
        return f"{self.name} ({self.public_id})"

    def verbs_in(self, project: Project) -> frozenset[Verb]:
        """What the key may do there, by its scopes."""
        if project.pk != self.project_id:
            return frozenset()
        return frozenset(verb for scope in self.scopes for verb in SCOPES[scope])
