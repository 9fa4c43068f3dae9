"""What the registry made of the evidence: findings, a proposed version, its gate. Only reads."""

from __future__ import annotations

from annotation.replay.counting import Scope, counts
from annotation.replay.report import GateAnswer, Learned, Lesson, Proposal
from core.models import Project
from registry.comparison import diff
from registry.models import (
    Citation,
    Evidence,
    GateRun,
    GoldenCase,
    OptimizationRun,
    PromptVersion,
    SurfaceFinding,
)
from registry.models.evidence import EvidenceQuerySet
from registry.models.prompt import Origin

Diff = tuple[tuple[str, tuple[tuple[str, str], ...]], ...]


def learn(scope: Scope) -> Learned:
    """Evidence of these outputs; findings, versions and gates of the whole project."""
    project = scope.world.project
    return Learned(
        evidence=counts(_evidence(scope), "cause"),
        golden=GoldenCase.objects.filter(project=project, retired_at=None).count(),
        lessons=_lessons(project),
        runs=counts(OptimizationRun.objects.filter(finding__project=project), "state"),
        proposals=tuple(_proposal(each) for each in _proposed(project)),
        gates=_gates(project),
    )


def _evidence(scope: Scope) -> EvidenceQuerySet:
    told = Evidence.objects.standing()
    return told.filter(project=scope.world.project, trace_ref__in=scope.traces)


def _lessons(project: Project) -> tuple[Lesson, ...]:
    rows = SurfaceFinding.objects.filter(project=project).order_by("-weight", "mode", "lever")
    return tuple(
        Lesson(row.mode, row.lever, row.state, row.evidence_count, row.weight) for row in rows
    )


def _proposed(project: Project) -> list[PromptVersion]:
    rows = PromptVersion.objects.filter(prompt__project=project, origin=Origin.OPTIMIZER)
    return list(rows.select_related("parent").order_by("prompt", "number"))


def _proposal(version: PromptVersion) -> Proposal:
    cited = Citation.objects.filter(version=version)
    modes = sorted(set(cited.values_list("mode", flat=True)))
    return Proposal(
        version=version.number, mode=", ".join(modes), note=version.note,
        citations=cited.count(), diff=_diff(version),
    )  # fmt: skip


def _diff(version: PromptVersion) -> Diff:
    if version.parent is None:
        return ()
    return tuple(
        (block.title, tuple((str(sign), text) for sign, text in block.lines))
        for block in diff(version.parent, version)
        if block.kind != "same"
    )


def _gates(project: Project) -> tuple[GateAnswer, ...]:
    rows = GateRun.objects.filter(candidate__prompt__project=project).select_related("candidate")
    return tuple(
        GateAnswer(row.candidate.number, row.target_mode, row.state, row.reason)
        for row in rows.order_by("pk")
    )
