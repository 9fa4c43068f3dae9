"""A window on this floor's tables for operators. Nothing is changed here: rooms do that."""

from __future__ import annotations

from django.contrib import admin

from annotation.models import (
    CalibrationItem,
    CalibrationMember,
    CalibrationSession,
    Consensus,
    ConsensusFinding,
    Draft,
    Label,
    LabelFinding,
)
from core.admin import Window


class FindingRows(Window, admin.TabularInline):  # type: ignore[type-arg]
    model = LabelFinding
    extra = 0


class AgreedRows(Window, admin.TabularInline):  # type: ignore[type-arg]
    model = ConsensusFinding
    extra = 0


class ItemRows(Window, admin.TabularInline):  # type: ignore[type-arg]
    model = CalibrationItem
    fields = ["position", "trace", "why", "ruling", "ruling_modes", "ruling_reason"]
    extra = 0


class MemberRows(Window, admin.TabularInline):  # type: ignore[type-arg]
    model = CalibrationMember
    extra = 0


@admin.register(Label)
class LabelAdmin(Window, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["id", "trace", "annotator", "verdict", "purpose", "source", "created_at"]
    list_filter = ["verdict", "purpose", "source", "saw_judge"]
    list_select_related = ["trace", "annotator"]
    search_fields = ["=trace__trace_id", "annotator__email"]
    inlines = [FindingRows]


@admin.register(Consensus)
class ConsensusAdmin(Window, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["id", "trace", "verdict", "state", "votes", "share", "superseded_at"]
    list_filter = ["state", "verdict", "method"]
    list_select_related = ["trace"]
    search_fields = ["=trace__trace_id"]
    inlines = [AgreedRows]


@admin.register(CalibrationSession)
class CalibrationSessionAdmin(Window, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["title", "project", "lead", "state", "opened_at", "closed_at"]
    list_filter = ["state", "project"]
    list_select_related = ["project", "lead"]
    inlines = [MemberRows, ItemRows]


@admin.register(Draft)
class DraftAdmin(Window, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["id", "slot", "user", "saved_at"]
    list_select_related = ["slot", "user"]
    fields = ["slot", "user", "saved_at"]
