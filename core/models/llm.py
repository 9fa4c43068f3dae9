"""What was asked of model providers, and what it cost."""

from __future__ import annotations

from django.db import models


class LlmCall(models.Model):
    """One call. An unknown price is null, never nought."""

    project = models.ForeignKey("core.Project", null=True, on_delete=models.CASCADE)
    purpose = models.CharField(max_length=32)
    model = models.CharField(max_length=120)
    tokens_in = models.PositiveIntegerField(null=True)
    tokens_out = models.PositiveIntegerField(null=True)
    cost_usd = models.DecimalField(max_digits=12, decimal_places=6, null=True)
    latency_ms = models.PositiveIntegerField()
    status = models.CharField(max_length=16)
    error = models.TextField(blank=True)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["project", "-at"], name="llm_call_by_project")]

    def __str__(self) -> str:
        return f"{self.purpose} by {self.model}: {self.status}"
