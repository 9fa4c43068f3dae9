from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from core.access import SYSTEM
from core.db import WrongPlace, opened
from core.models import Project, User
from registry import evidence
from registry.models import Evidence, PromptVersion
from tests.registry.facts import make_evidence


def test_what_is_pushed_twice_is_stored_once(prompt_version: PromptVersion) -> None:
    first = make_evidence(prompt_version, source="consensus:1:tone", severity="minor")
    make_evidence(prompt_version, source="consensus:1:tone", severity="critical")
    assert Evidence.objects.get() == first
    assert Evidence.objects.get().severity == "minor"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("cause", "moon"),
        ("severity", "huge"),
        ("share", 0),
        ("share", 1.1),
        ("probability", 0),
        ("probability", 2),
        ("source", ""),
        ("source", "x" * 81),
    ],
)
def test_wrong_evidence_is_refused_and_the_field_named(
    prompt_version: PromptVersion, field: str, value: object
) -> None:
    with pytest.raises(ValidationError) as caught:
        make_evidence(prompt_version, **{field: value})  # type: ignore[arg-type]
    assert list(caught.value.message_dict) == [field]


def test_evidence_cannot_be_changed_but_its_quotes_can_be_erased(
    prompt_version: PromptVersion,
) -> None:
    row = make_evidence(prompt_version, quotes=[{"where": "output", "text": "my name"}])
    Evidence.objects.filter(pk=row.pk).update(quotes=[], comments=[], correction="")
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        Evidence.objects.filter(pk=row.pk).update(mode="other")


def test_what_is_withdrawn_stays_and_stands_no_longer(prompt_version: PromptVersion) -> None:
    gone, kept = make_evidence(prompt_version), make_evidence(prompt_version)
    with opened("test"):
        evidence.withdraw([gone.source], project_ids=[gone.project_id], actor=SYSTEM)
    assert list(Evidence.objects.standing()) == [kept]
    gone.refresh_from_db()
    assert gone.withdrawn_at is not None


def test_nobody_withdraws_the_evidence_of_another_project(
    prompt_version: PromptVersion, elsewhere: Project
) -> None:
    row = make_evidence(prompt_version)
    with opened("test"):
        evidence.withdraw([row.source], project_ids=[elsewhere.pk], actor=SYSTEM)
    assert list(Evidence.objects.standing()) == [row]


def test_adding_is_a_step() -> None:
    with pytest.raises(WrongPlace):
        evidence.add([], actor=SYSTEM)


def test_cy_sees_no_evidence_of_another_project(prompt_version: PromptVersion, cy: User) -> None:
    make_evidence(prompt_version)
    assert not Evidence.objects.visible_to(cy).exists()
