from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from core.access import SYSTEM
from core.db import IllegalTransition, WrongPlace, opened
from core.models import User
from registry import golden
from registry.models import GoldenCase, PromptVersion, RubricVersion

ASKED = [{"role": "user", "content": "What does it cost?"}]


def add(version: PromptVersion, rubric: RubricVersion, **changes: object) -> GoldenCase:
    fields = {
        "project": version.prompt.project,
        "prompt": version.prompt,
        "rubric_version": rubric,
        "source": "consensus:1",
        "messages": ASKED,
        "recorded_output": "Seven pounds.",
    } | changes
    with opened("test"):
        golden.add_case(**fields, actor=SYSTEM)  # type: ignore[arg-type]
    return GoldenCase.objects.get(source=fields["source"])


def test_a_case_keeps_what_was_asked_and_what_was_wrong(
    prompt_version: PromptVersion, rubric_version: RubricVersion
) -> None:
    case = add(prompt_version, rubric_version, modes=["tone"], documents=[{"id": "d1"}])
    assert (case.messages, case.modes, case.documents) == (ASKED, ["tone"], [{"id": "d1"}])
    assert case.cluster == "consensus:1"


def test_a_source_gives_one_case(
    prompt_version: PromptVersion, rubric_version: RubricVersion
) -> None:
    first = add(prompt_version, rubric_version)
    second = add(prompt_version, rubric_version, recorded_output="Eight pounds.")
    assert first == second
    assert second.recorded_output == "Seven pounds."


@pytest.mark.parametrize(
    ("field", "value"), [("messages", []), ("source", ""), ("source", "x" * 81)]
)
def test_wrong_cases_are_refused(
    prompt_version: PromptVersion, rubric_version: RubricVersion, field: str, value: object
) -> None:
    with pytest.raises(ValidationError) as caught:
        add(prompt_version, rubric_version, **{field: value})
    assert list(caught.value.message_dict) == [field]


def test_a_case_is_retired_once_with_a_reason(
    prompt_version: PromptVersion, rubric_version: RubricVersion, eve: User, ann: User
) -> None:
    case = add(prompt_version, rubric_version)
    with pytest.raises(ValidationError):
        golden.retire(case=case, reason="", actor=eve)
    with pytest.raises(PermissionDenied):
        golden.retire(case=case, reason="Prices changed.", actor=ann)
    golden.retire(case=case, reason="Prices changed.", actor=eve)
    assert GoldenCase.objects.get().retired_at is not None
    with pytest.raises(IllegalTransition):
        golden.retire(case=case, reason="Prices changed.", actor=eve)


def test_adding_is_a_step() -> None:
    with pytest.raises(WrongPlace):
        golden.add_cases([], actor=SYSTEM)


def test_cy_sees_no_case_of_another_project(
    prompt_version: PromptVersion, rubric_version: RubricVersion, cy: User
) -> None:
    add(prompt_version, rubric_version)
    assert not GoldenCase.objects.visible_to(cy).exists()
