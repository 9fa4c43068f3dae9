"""`visible_to(actor)`: the one way by which doors fetch rows of a tenant."""

from __future__ import annotations

from typing import Any, Self, TypeVar

from django.db import models

from core.access import Actor, System
from core.models import ApiKey

M = TypeVar("M", bound=models.Model)


class TenantQuerySet(models.QuerySet[M]):
    """Rows that belong to a project. `project_path` is the lookup from the model to it."""

    project_path = "project"

    def visible_to(self, actor: Actor) -> Self:
        """The rows that `actor` may know of; nothing for whoever is of another project."""
        if isinstance(actor, System):
            return self
        if isinstance(actor, ApiKey):
            return self.filter(**{f"{self.project_path}_id": actor.project_id})
        return self.filter(**{f"{self.project_path}__membership__user_id": actor.pk})

    def in_project(self, project: Any) -> Self:
        return self.filter(**{self.project_path: project})
