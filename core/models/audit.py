"""The audit table, append-only."""

from __future__ import annotations

from django.db import models


class AuditEntry(models.Model):
    """Who did what to which row. A trigger refuses any change but the erasure of the actor."""

    project = models.ForeignKey("core.Project", null=True, on_delete=models.PROTECT)
    verb = models.CharField(max_length=80)
    target_type = models.CharField(max_length=80)
    target_id = models.CharField(max_length=40)
    actor = models.ForeignKey("core.User", null=True, on_delete=models.PROTECT)
    actor_label = models.CharField(max_length=254)
    before = models.JSONField()
    after = models.JSONField()
    request_id = models.CharField(max_length=64, blank=True)
    at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["project", "-id"], name="audit_by_project"),
            models.Index(fields=["target_type", "target_id"], name="audit_by_target"),
        ]

    def __str__(self) -> str:
        return f"{self.actor_label} {self.verb} {self.target_type} {self.target_id}"
