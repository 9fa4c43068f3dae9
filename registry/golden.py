"""Golden cases: inputs whose right judgement is known, kept for comparing versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError

from core import clock
from core.access import Actor, Verb, require
from core.audit import record
from core.db import IllegalTransition, command, step
from core.models import Project
from registry.models import GoldenCase, Prompt, RubricVersion
from registry.verbs import RegistryVerb


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseIn:
    """A case as it is pushed down; `source` makes it unique in its project.

    messages  what was asked, without the prompt's own blocks: [{role, content}]
    modes     failures that `recorded_output` showed; none: it was acceptable
    cluster   cases of one conversation share it, for they are not independent
    """

    project_id: int
    prompt_id: int
    rubric_version_id: int
    source: str
    cluster: str
    messages: Sequence[Mapping[str, Any]]
    recorded_output: str
    modes: Sequence[str] = ()
    trace_ref: int | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    documents: Sequence[Any] = ()
    must_pass: bool = False


@step
def add_cases(cases: Sequence[CaseIn], *, actor: Actor) -> None:
    """All in one insert; a source that is there already is left as it is."""
    del actor  # whoever settled the labels is in their record
    for case in cases:
        _check(case)
    now = clock.now()
    GoldenCase.objects.bulk_create(
        (_row(case, now) for case in cases), ignore_conflicts=True, batch_size=500
    )


@step
def add_case(
    *,
    project: Project,
    prompt: Prompt,
    rubric_version: RubricVersion,
    source: str,
    messages: Sequence[Mapping[str, Any]],
    recorded_output: str,
    modes: Sequence[str] = (),
    cluster: str = "",
    trace_ref: int | None = None,
    variables: Mapping[str, str] | None = None,
    documents: Sequence[Any] = (),
    must_pass: bool = False,
    actor: Actor,
) -> None:
    """One case; without `cluster` it stands for itself."""
    case = CaseIn(
        project_id=project.pk,
        prompt_id=prompt.pk,
        rubric_version_id=rubric_version.pk,
        source=source,
        cluster=cluster or source,
        messages=messages,
        recorded_output=recorded_output,
        modes=modes,
        trace_ref=trace_ref,
        variables=variables or {},
        documents=documents,
        must_pass=must_pass,
    )
    add_cases([case], actor=actor)


@step
def withdraw(sources: Sequence[str], *, project_ids: Sequence[int], actor: Actor) -> None:
    """Those of these sources that are live are shown to no further gate: who told them takes
    them back. The same output may come again from another source."""
    del actor  # whoever settled the labels is in their record
    told = GoldenCase.objects.filter(project_id__in=project_ids, source__in=sources)
    told.filter(retired_at=None).update(retired_at=clock.now())


@command
def retire(*, case: GoldenCase, reason: str, actor: Actor) -> None:
    """The case is shown to no further gate. It stays for the runs that used it."""
    require(actor, Verb.EDIT_PROMPT, project=case.project)
    if not reason.strip():
        raise ValidationError({"reason": "Say why the case is no longer right."})
    live = GoldenCase.objects.filter(pk=case.pk, retired_at=None)
    if not live.update(retired_at=clock.now()):
        raise IllegalTransition(f"{case} is retired already.")
    record(
        RegistryVerb.CASE_RETIRED,
        case,
        actor=actor,
        project=case.project,
        after={"reason": reason},
    )


def _check(case: CaseIn) -> None:
    if not case.source or len(case.source) > 80:
        raise ValidationError({"source": f"{case.source!r}: give 1 to 80 characters."})
    if not case.messages:
        raise ValidationError({"messages": f"{case.source}: a case needs what was asked."})


def _row(case: CaseIn, now: datetime) -> GoldenCase:
    return GoldenCase(
        project_id=case.project_id,
        prompt_id=case.prompt_id,
        rubric_version_id=case.rubric_version_id,
        source=case.source,
        trace_ref=case.trace_ref,
        cluster=case.cluster[:80],
        messages=[dict(message) for message in case.messages],
        variables=dict(case.variables),
        documents=list(case.documents),
        recorded_output=case.recorded_output,
        modes=list(case.modes),
        must_pass=case.must_pass,
        created_at=now,
    )
