"""A window on this floor's tables for operators. Nothing is changed here: rooms do that."""

from __future__ import annotations

from django.contrib import admin

from core.admin import Window
from registry.models import (
    Approval,
    Citation,
    Evidence,
    FailureMode,
    GateCaseResult,
    GateRun,
    GoldenCase,
    Observation,
    OptimizationRun,
    Prompt,
    PromptVersion,
    Release,
    Rubric,
    RubricVersion,
    SurfaceFinding,
)


class ModeRows(Window, admin.TabularInline):  # type: ignore[type-arg]
    model = FailureMode
    fields = ["code", "label", "group", "default_cause", "default_severity"]
    extra = 0


class CitationRows(Window, admin.TabularInline):  # type: ignore[type-arg]
    model = Citation
    extra = 0


class ApprovalRows(Window, admin.TabularInline):  # type: ignore[type-arg]
    model = Approval
    extra = 0


class ResultRows(Window, admin.TabularInline):  # type: ignore[type-arg]
    model = GateCaseResult
    fields = ["case", "arm", "passed", "modes", "error"]
    extra = 0


@admin.register(Rubric)
class RubricAdmin(Window, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["name", "project", "slug", "created_at"]
    list_select_related = ["project"]


@admin.register(RubricVersion)
class RubricVersionAdmin(Window, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["rubric", "number", "note", "created_by", "created_at"]
    list_select_related = ["rubric", "created_by"]
    inlines = [ModeRows]


@admin.register(Prompt)
class PromptAdmin(Window, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["name", "project", "slug", "task", "created_at"]
    list_select_related = ["project"]
    search_fields = ["slug", "name"]


@admin.register(PromptVersion)
class PromptVersionAdmin(Window, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["prompt", "number", "origin", "model", "created_by", "created_at"]
    list_filter = ["origin"]
    list_select_related = ["prompt", "created_by"]
    inlines = [CitationRows, ApprovalRows]


@admin.register(Release)
class ReleaseAdmin(Window, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["prompt", "version", "environment", "state", "share", "started_at", "ended_at"]
    list_filter = ["state"]
    list_select_related = ["prompt", "version__prompt", "environment"]


@admin.register(Observation)
class ObservationAdmin(Window, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["release", "arm", "unit", "source", "defect", "at", "seen_at"]
    list_filter = ["arm", "source", "defect"]
    list_select_related = ["release__version__prompt", "release__environment"]


@admin.register(Evidence)
class EvidenceAdmin(Window, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = [
        "id",
        "prompt",
        "mode",
        "cause",
        "severity",
        "share",
        "votes",
        "created_at",
        "withdrawn_at",
    ]
    list_filter = ["cause", "severity"]
    list_select_related = ["prompt"]


@admin.register(SurfaceFinding)
class SurfaceFindingAdmin(Window, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["mode", "lever", "prompt", "state", "evidence_count", "weight", "opened_at"]
    list_filter = ["state", "lever"]
    list_select_related = ["prompt"]


@admin.register(GoldenCase)
class GoldenCaseAdmin(Window, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["id", "prompt", "modes", "must_pass", "times_used", "retired_at"]
    list_filter = ["must_pass"]
    list_select_related = ["prompt"]


@admin.register(GateRun)
class GateRunAdmin(Window, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["id", "candidate", "baseline", "state", "reason", "finished_at"]
    list_filter = ["state"]
    list_select_related = ["candidate__prompt", "baseline__prompt"]
    inlines = [ResultRows]


@admin.register(OptimizationRun)
class OptimizationRunAdmin(Window, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["id", "finding", "optimizer", "state", "calls", "proposal", "finished_at"]
    list_filter = ["state", "optimizer"]
    list_select_related = ["finding", "proposal__prompt"]
