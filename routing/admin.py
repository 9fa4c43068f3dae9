"""A window on this floor's tables for operators. Nothing is changed here: rooms do that."""

from __future__ import annotations

from django.contrib import admin

from core.admin import Window
from routing.models import (
    AutoApproval,
    Calendar,
    Decision,
    Item,
    Reviewer,
    RiskPolicy,
    Score,
    SlaEvent,
    SlaPolicy,
    Slot,
    Trace,
)


@admin.register(Trace)
class TraceWindow(Window, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["trace_id", "name", "project", "environment", "stage", "status", "started_at"]
    list_select_related = ["project", "environment"]
    list_filter = ["stage"]


@admin.register(Decision)
class DecisionWindow(Window, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["trace", "tier", "action", "risk", "probability", "policy", "at"]
    list_select_related = ["trace", "policy__project"]


@admin.register(Item)
class ItemWindow(Window, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["pk", "trace", "tier", "state", "due_at", "closed_at"]
    list_select_related = ["trace"]
    list_filter = ["state", "tier"]


@admin.register(Slot)
class SlotWindow(Window, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["pk", "item", "purpose", "state", "holder", "until", "token"]
    list_select_related = ["item", "holder"]
    list_filter = ["state", "purpose"]


@admin.register(Score)
class ScoreWindow(Window, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["trace", "evaluator", "version", "value", "failed", "at"]
    list_select_related = ["trace"]


@admin.register(RiskPolicy)
class RiskPolicyWindow(Window, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["project", "number", "state", "note", "published_at"]
    list_select_related = ["project"]


@admin.register(AutoApproval)
class AutoApprovalWindow(Window, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["project", "kind", "granted_by", "granted_at", "revoked_at"]
    list_select_related = ["project", "granted_by"]


@admin.register(SlaPolicy)
class SlaPolicyWindow(Window, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["project", "tier", "minutes", "calendar", "goal", "ended_at"]
    list_select_related = ["project", "calendar"]


@admin.register(SlaEvent)
class SlaEventWindow(Window, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["item", "kind", "due_at", "at"]
    list_select_related = ["item"]


@admin.register(Calendar)
class CalendarWindow(Window, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["name", "project", "time_zone", "created_at"]
    list_select_related = ["project"]


@admin.register(Reviewer)
class ReviewerWindow(Window, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["user", "project", "state", "picks", "created_at"]
    list_select_related = ["user", "project"]
