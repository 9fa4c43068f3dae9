"""What other floors push down, for tests of this one."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

from core import clock
from core.access import SYSTEM
from core.db import opened
from registry import evidence, release
from registry.models import Approval, Evidence, PromptVersion, Release, RubricVersion
from registry.release import ObservationIn
from tests import factories

_numbers = count(1)


def make_evidence(
    version: PromptVersion, mode: str = "tone", cause: str = "prompt", **changes: object
) -> Evidence:
    """One agreed finding about an output of `version`."""
    project = version.prompt.project
    rubric = RubricVersion.objects.filter(rubric__project=project).first()
    fields = {
        "project_id": project.pk,
        "prompt_id": version.prompt_id,
        "prompt_version_id": version.pk,
        "rubric_version_id": (rubric or factories.make_rubric(project)).pk,
        "source": f"test:{next(_numbers)}",
        "trace_ref": 1,
        "mode": mode,
        "cause": cause,
        "severity": "major",
        "share": 1.0,
        "votes": 3,
    } | changes
    with opened("test"):
        evidence.add([evidence.EvidenceIn(**fields)], actor=SYSTEM)  # type: ignore[arg-type]
    return Evidence.objects.get(source=fields["source"], project=project)


def approve(version: PromptVersion) -> Approval:
    """By an admin who has not written it."""
    admin = factories.make_member(version.prompt.project, factories.Role.ADMIN, "Approver")
    return release.approve(version=version, reason="Read it.", actor=admin)


def push(
    canary: Release, arm: str, outcomes: Sequence[bool], source: str = "judge", stem: str = ""
) -> None:
    """One observation per outcome, each of a new unit (`stem` makes them known)."""
    rows = [
        ObservationIn(
            release_id=canary.pk,
            arm=arm,
            unit=f"{stem or next(_numbers)}-{place}",
            source=source,
            trace_ref=place,
            defect=defect,
            at=clock.now(),
        )
        for place, defect in enumerate(outcomes)
    ]
    with opened("test"):
        release.observe(rows, actor=SYSTEM)
