from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core import clock
from core.access import SYSTEM
from core.db import IllegalTransition, opened
from core.models import AuditEntry, Environment, Project, User
from registry import evidence, findings, optimize, release
from registry.models import PromptVersion, Release, SurfaceFinding
from registry.models.surface import FindingState
from registry.surfaces import dismiss, weigh, weigh_due
from tests import factories
from tests.registry.facts import approve, make_evidence


def make_many(version: PromptVersion, count: int, **changes: object) -> None:
    for _ in range(count):
        make_evidence(version, **changes)  # type: ignore[arg-type]


def open_findings(project: Project) -> list[tuple[str, str, int]]:
    rows = SurfaceFinding.objects.filter(project=project, state__in=findings.OPEN).order_by("pk")
    return [(row.mode, row.lever, row.evidence_count) for row in rows]


def go_live(version: PromptVersion, environment: Environment) -> Release:
    approve(version)
    return release.go_live(version=version, environment=environment, reason="x", actor=SYSTEM)


def test_a_failure_counts_as_repeated_from_the_third_on(
    project: Project, prompt_version: PromptVersion
) -> None:
    make_many(prompt_version, 2)
    assert weigh(project=project, actor=SYSTEM) == []
    make_many(prompt_version, 1)
    (finding,) = weigh(project=project, actor=SYSTEM)
    assert (finding.prompt, finding.mode, finding.lever) == (
        prompt_version.prompt,
        "tone",
        "prompt",
    )
    assert AuditEntry.objects.get(verb="registry.finding_opened").after["evidence"] == 3


def test_weighing_again_updates_and_opens_nothing_twice(
    project: Project, prompt_version: PromptVersion
) -> None:
    make_many(prompt_version, 3)
    weigh(project=project, actor=SYSTEM)
    make_many(prompt_version, 2)
    assert weigh(project=project, actor=SYSTEM) == []
    assert open_findings(project) == [("tone", "prompt", 5)]


def test_each_prompt_mode_and_lever_is_a_finding_of_its_own(
    project: Project, prompt_version: PromptVersion
) -> None:
    other = factories.make_prompt(project)
    make_many(prompt_version, 3)
    make_many(prompt_version, 3, cause="retrieval")
    make_many(prompt_version, 3, mode="incomplete")
    make_many(other, 3)
    make_many(other, 3, prompt_id=None, prompt_version_id=None)
    assert len(weigh(project=project, actor=SYSTEM)) == 5


def test_the_weight_is_how_many_outputs_the_evidence_stands_for(
    project: Project, prompt_version: PromptVersion
) -> None:
    make_many(prompt_version, 3, share=0.5, probability=0.1)
    (finding,) = weigh(project=project, actor=SYSTEM)
    assert finding.weight == pytest.approx(15)


def test_evidence_of_another_project_is_not_weighed(project: Project, elsewhere: Project) -> None:
    make_many(factories.make_prompt(elsewhere), 5)
    assert weigh(project=project, actor=SYSTEM) == []


def test_a_dismissed_finding_opens_again_on_new_evidence_only(
    project: Project, prompt_version: PromptVersion, eve: User
) -> None:
    make_many(prompt_version, 3)
    (finding,) = weigh(project=project, actor=SYSTEM)
    dismiss(finding=finding, reason="Customers like it.", actor=eve)
    assert weigh(project=project, actor=SYSTEM) == []
    make_many(prompt_version, 2)
    assert weigh(project=project, actor=SYSTEM) == []
    make_many(prompt_version, 1)
    (again,) = weigh(project=project, actor=SYSTEM)
    assert (again.pk != finding.pk, again.evidence_count) == (True, 3)


def test_a_finding_without_a_prompt_can_be_dismissed_for_good_too(
    project: Project, prompt_version: PromptVersion, eve: User
) -> None:
    make_many(prompt_version, 3, prompt_id=None, prompt_version_id=None)
    (finding,) = weigh(project=project, actor=SYSTEM)
    dismiss(finding=finding, reason="Known.", actor=eve)
    assert weigh(project=project, actor=SYSTEM) == []


def test_dismissing_needs_a_reason_a_right_and_an_open_finding(
    project: Project, prompt_version: PromptVersion, eve: User, ann: User
) -> None:
    make_many(prompt_version, 3)
    (finding,) = weigh(project=project, actor=SYSTEM)
    with pytest.raises(ValidationError):
        dismiss(finding=finding, reason=" ", actor=eve)
    with pytest.raises(PermissionDenied):
        dismiss(finding=finding, reason="x", actor=ann)
    dismiss(finding=finding, reason="x", actor=eve)
    with pytest.raises(IllegalTransition):
        dismiss(finding=finding, reason="x", actor=eve)


def test_late_evidence_about_a_version_that_was_mended_says_nothing_new(
    project: Project, prompt_version: PromptVersion, environment: Environment
) -> None:
    go_live(prompt_version, environment)
    first = make_evidence(prompt_version)
    make_many(prompt_version, 2)
    weigh(project=project, actor=SYSTEM)
    mended = factories.make_version(prompt_version, citations=[(first, "style", "tone", "")])
    go_live(mended, environment)
    assert open_findings(project) == []
    make_many(prompt_version, 5)
    assert weigh(project=project, actor=SYSTEM) == []
    make_many(mended, 3)
    (finding,) = weigh(project=project, actor=SYSTEM)
    assert finding.evidence_count == 3


def test_a_better_prompt_does_not_answer_for_another_lever(
    project: Project, prompt_version: PromptVersion, environment: Environment
) -> None:
    go_live(prompt_version, environment)
    first = make_evidence(prompt_version)
    go_live(
        factories.make_version(prompt_version, citations=[(first, "style", "tone", "")]),
        environment,
    )
    make_many(prompt_version, 3, cause="retrieval")
    weigh(project=project, actor=SYSTEM)
    assert open_findings(project) == [("tone", "retrieval", 3)]


def test_a_canary_that_is_rolled_back_leaves_its_finding_open(
    project: Project, prompt_version: PromptVersion, environment: Environment
) -> None:
    go_live(prompt_version, environment)
    first = make_evidence(prompt_version)
    make_many(prompt_version, 2)
    (finding,) = weigh(project=project, actor=SYSTEM)
    version = factories.make_version(prompt_version, citations=[(first, "style", "tone", "")])
    with opened("test"):
        findings.mark_proposed(finding, actor=SYSTEM)
    approve(version)
    canary = release.start_canary(
        version=version, environment=environment, share=0.5, reason="x", actor=SYSTEM
    )
    release.roll_back(release=canary, reason="worse", actor=SYSTEM)
    assert SurfaceFinding.objects.get(pk=finding.pk).state == FindingState.OPEN
    with clock.at(clock.now() + timedelta(days=1)):
        assert weigh(project=project, actor=SYSTEM) == []
    assert open_findings(project) == [("tone", "prompt", 3)]


@pytest.mark.parametrize(("cause", "bells"), [("prompt", 1), ("retrieval", 0), ("judge", 0)])
def test_only_what_a_prompt_can_mend_rings_for_the_optimizer(
    project: Project,
    prompt_version: PromptVersion,
    cause: str,
    bells: int,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Callable[..., AbstractContextManager[object]],
) -> None:
    make_many(prompt_version, 3, cause=cause)
    rung: list[object] = []
    monkeypatch.setattr(optimize.run_task, "apply_async", lambda **call: rung.append(call))
    for _ in range(2):
        with django_capture_on_commit_callbacks(execute=True):
            weigh(project=project, actor=SYSTEM)
    assert len(rung) == bells


def test_withdrawn_evidence_counts_no_longer(
    project: Project, prompt_version: PromptVersion
) -> None:
    rows = [make_evidence(prompt_version) for _ in range(3)]
    (finding,) = weigh(project=project, actor=SYSTEM)
    for row, left in zip(rows, (2, 1, 0), strict=True):
        with opened("test"):
            evidence.withdraw([row.source], project_ids=[project.pk], actor=SYSTEM)
        weigh(project=project, actor=SYSTEM)
        finding.refresh_from_db()
        assert (finding.evidence_count, finding.weight) == (left, left)
    assert list(findings.unattended()) == []


def test_withdrawn_evidence_opens_nothing(project: Project, prompt_version: PromptVersion) -> None:
    make_many(prompt_version, 2)
    row = make_evidence(prompt_version)
    with opened("test"):
        evidence.withdraw([row.source], project_ids=[project.pk], actor=SYSTEM)
    assert weigh(project=project, actor=SYSTEM) == []


def test_only_an_open_finding_is_marked_as_proposed(
    project: Project, prompt_version: PromptVersion
) -> None:
    make_many(prompt_version, 3)
    (finding,) = weigh(project=project, actor=SYSTEM)
    assert list(findings.unattended()) == [finding]
    with opened("test"):
        findings.mark_proposed(finding, actor=SYSTEM)
    assert list(findings.unattended()) == []
    with pytest.raises(IllegalTransition), opened("test"):
        findings.mark_proposed(finding, actor=SYSTEM)


def test_the_sweep_weighs_every_project_with_evidence(
    prompt_version: PromptVersion, elsewhere: Project
) -> None:
    make_many(prompt_version, 3)
    make_many(factories.make_prompt(elsewhere), 3)
    weigh_due()
    assert SurfaceFinding.objects.count() == 2


def test_a_bell_weighs_the_project_it_names(
    project: Project, prompt_version: PromptVersion, elsewhere: Project
) -> None:
    make_many(prompt_version, 3)
    make_many(factories.make_prompt(elsewhere), 3)
    weigh_due(project.pk)
    assert SurfaceFinding.objects.get().project == project


def test_cy_sees_no_finding_of_another_project(
    project: Project, prompt_version: PromptVersion, cy: User
) -> None:
    make_many(prompt_version, 3)
    weigh(project=project, actor=SYSTEM)
    assert not SurfaceFinding.objects.visible_to(cy).exists()


def test_findings_are_locked_by_id_whoever_locks_them(
    project: Project, prompt_version: PromptVersion, environment: Environment
) -> None:
    """Weighing and rolling back at once would else wait for each other."""
    go_live(prompt_version, environment)
    first = make_evidence(prompt_version)
    make_many(prompt_version, 2)
    with CaptureQueriesContext(connection) as weighed:
        weigh(project=project, actor=SYSTEM)
        weigh(project=project, actor=SYSTEM)
    version = factories.make_version(prompt_version, citations=[(first, "style", "tone", "")])
    with CaptureQueriesContext(connection) as moved:
        release.roll_back(release=go_live(version, environment), reason="worse", actor=SYSTEM)
    for queries in (weighed, moved):
        locks = [
            row["sql"]
            for row in queries.captured_queries
            if 'FROM "registry_surfacefinding"' in row["sql"] and "UPDATE" in row["sql"]
        ]
        assert len(locks) == 2
        assert all('ORDER BY "registry_surfacefinding"."id" ASC' in sql for sql in locks)
