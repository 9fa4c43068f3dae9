"""Editions of a rubric: published whole, never changed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Max, prefetch_related_objects

from core import clock
from core.access import Actor, Verb, require
from core.audit import record
from core.db import command
from core.levers import Lever
from core.models import Project, User
from core.models.project import Severity
from registry.models import FailureMode, Rubric, RubricVersion
from registry.verbs import RegistryVerb

CODE = re.compile(r"^[\w][\w.:/-]{0,79}$")


@dataclass(frozen=True, slots=True)
class Mode:
    """A failure mode as an author writes it.

    code              stable name in labels, evidence and judges: letters, digits, `_ - . : /`
    definition        one sentence by which an annotator decides
    remedy            one imperative, testable sentence that could stand in a prompt
    default_cause     the lever that a finding gets where the annotator names none
    default_severity  likewise
    """

    code: str
    label: str
    definition: str = ""
    remedy: str = ""
    default_cause: Lever = Lever.UNKNOWN
    default_severity: Severity = Severity.MAJOR
    group: str = ""


@dataclass(frozen=True, slots=True)
class Criterion:
    """A rating from 1 to 5; `anchors` says what 1 to 5 mean, in that order, or is empty."""

    code: str
    label: str
    anchors: tuple[str, ...] = ()


@command
def create_rubric(
    *,
    project: Project,
    slug: str,
    name: str,
    modes: Sequence[Mode],
    criteria: Sequence[Criterion] = (),
    note: str = "",
    actor: Actor,
) -> RubricVersion:
    """A rubric and its first edition."""
    require(actor, Verb.EDIT_RUBRIC, project=project)
    rubric = Rubric(project=project, slug=slug, name=name, created_at=clock.now())
    rubric.full_clean()
    rubric.save()
    version = _publish(rubric, 1, modes=modes, criteria=criteria, note=note, actor=actor)
    record(
        RegistryVerb.RUBRIC_CREATED,
        rubric,
        actor=actor,
        project=project,
        after={"slug": slug, "modes": [mode.code for mode in modes]},
    )
    return version


@command
def publish_version(
    *,
    rubric: Rubric,
    modes: Sequence[Mode],
    criteria: Sequence[Criterion] = (),
    note: str = "",
    actor: Actor,
) -> RubricVersion:
    """The next edition. Labels of earlier ones keep naming theirs."""
    require(actor, Verb.EDIT_RUBRIC, project=rubric.project)
    Rubric.objects.select_for_update(no_key=True).get(pk=rubric.pk)
    before = RubricVersion.objects.filter(rubric=rubric).aggregate(last=Max("number"))["last"] or 0
    version = _publish(rubric, before + 1, modes=modes, criteria=criteria, note=note, actor=actor)
    record(
        RegistryVerb.RUBRIC_PUBLISHED,
        version,
        actor=actor,
        project=rubric.project,
        before={"number": before},
        after={"number": version.number, "note": note},
    )
    return version


def _publish(
    rubric: Rubric,
    number: int,
    *,
    modes: Sequence[Mode],
    criteria: Sequence[Criterion],
    note: str,
    actor: Actor,
) -> RubricVersion:
    _check_modes(modes)
    _check_criteria(criteria)
    version = RubricVersion.objects.create(
        rubric=rubric,
        number=number,
        note=note,
        created_at=clock.now(),
        criteria=[_criterion(each) for each in criteria],
        created_by=actor if isinstance(actor, User) else None,
    )
    FailureMode.objects.bulk_create(_row(version, place, mode) for place, mode in enumerate(modes))
    return version


def _criterion(criterion: Criterion) -> dict[str, Any]:
    return {"code": criterion.code, "label": criterion.label, "anchors": list(criterion.anchors)}


def _row(version: RubricVersion, place: int, mode: Mode) -> FailureMode:
    return FailureMode(
        version=version,
        position=place,
        code=mode.code,
        label=mode.label,
        group=mode.group,
        definition=mode.definition,
        remedy=mode.remedy,
        default_cause=mode.default_cause,
        default_severity=mode.default_severity,
    )


def _check_modes(modes: Sequence[Mode]) -> None:
    for mode in modes:
        _check_code("modes", mode.code, mode.label)
        if mode.default_cause not in Lever.values:
            raise ValidationError({"modes": f"{mode.code}: no cause {mode.default_cause!r}."})
        if mode.default_severity not in Severity.values:
            raise ValidationError({"modes": f"{mode.code}: no severity {mode.default_severity!r}."})
    _check_unique("modes", [mode.code for mode in modes])


def _check_criteria(criteria: Sequence[Criterion]) -> None:
    for criterion in criteria:
        _check_code("criteria", criterion.code, criterion.label)
        if len(criterion.anchors) not in {0, 5}:
            raise ValidationError({"criteria": f"{criterion.code}: give five anchors or none."})
    _check_unique("criteria", [criterion.code for criterion in criteria])


def _check_code(field: str, code: str, label: str) -> None:
    if not CODE.fullmatch(code):
        raise ValidationError(
            {field: f"{code!r} is not a code: 1 to 80 letters, digits or _ - . : /."}
        )
    if not label.strip() or len(label) > 120:
        raise ValidationError({field: f"{code}: give a label of 1 to 120 characters."})


def _check_unique(field: str, codes: Sequence[str]) -> None:
    if doubled := [code for code, count in Counter(codes).items() if count > 1]:
        raise ValidationError({field: f"Named twice: {', '.join(doubled)}."})


def current(project: Project) -> RubricVersion | None:
    """The latest edition of the project's first rubric, its modes fetched; two queries."""
    return (
        RubricVersion.objects.filter(rubric__project=project)
        .select_related("rubric")
        .prefetch_related("modes")
        .order_by("rubric_id", "-number")
        .first()
    )


def modes_of(version: RubricVersion) -> dict[str, FailureMode]:
    """Its modes by code. They never change, so they are fetched once per `version` value."""
    prefetch_related_objects([version], "modes")
    return {mode.code: mode for mode in version.modes.all()}
