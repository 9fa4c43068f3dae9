"""A window on this floor's tables for operators. Nothing is changed here: rooms do that."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from core.models import ApiKey, AuditEntry, Environment, LlmCall, Membership, Project, User


class Window:
    """Rows can be looked at, and not added, changed or deleted."""

    show_full_result_count = False
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Project)
class ProjectWindow(Window, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["slug", "name", "defect_floor", "settle_seconds", "created_at"]


@admin.register(Environment)
class EnvironmentWindow(Window, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["name", "project", "created_at"]
    list_select_related = ["project"]


@admin.register(User)
class UserWindow(Window, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["email", "name", "is_active", "is_staff", "last_login"]
    search_fields = ["email", "name"]
    exclude = ["password"]


@admin.register(Membership)
class MembershipWindow(Window, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["user", "project", "role", "created_at"]
    list_select_related = ["user", "project"]


@admin.register(ApiKey)
class ApiKeyWindow(Window, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["public_id", "name", "project", "environment", "revoked_at", "last_used_at"]
    list_select_related = ["project", "environment"]
    exclude = ["secret_hash"]


@admin.register(AuditEntry)
class AuditEntryWindow(Window, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["at", "verb", "actor_label", "target_type", "target_id", "project"]
    list_select_related = ["project"]


@admin.register(LlmCall)
class LlmCallWindow(Window, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["at", "purpose", "model", "status", "latency_ms", "cost_usd", "project"]
    list_select_related = ["project"]
