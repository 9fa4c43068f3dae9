from __future__ import annotations

from dataclasses import replace

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction

from core.models import AuditEntry, Project, User
from registry import prompts
from registry.models import Citation, PromptVersion
from registry.models.prompt import Origin
from registry.prompts import Block
from tests import factories
from tests.registry.facts import make_evidence


def blocks_with(version: PromptVersion, key: str, **changes: object) -> list[Block]:
    return [
        replace(block, **changes) if block.key == key else block  # type: ignore[arg-type]
        for block in prompts.blocks_of(version)
    ]


def refusal(blocks: list[Block], version: PromptVersion, **more: object) -> str:
    with pytest.raises(ValidationError) as caught:
        prompts.add_version(prompt=version.prompt, blocks=blocks, actor=factories.SYSTEM, **more)  # type: ignore[arg-type]
    return caught.value.message_dict["blocks"][0]


def test_an_engineer_creates_version_one_and_it_is_recorded(project: Project, eve: User) -> None:
    version = factories.make_prompt(project, actor=eve)
    assert (version.number, version.parent, version.created_by) == (1, None, eve)
    assert prompts.blocks_of(version) == factories.BLOCKS
    assert AuditEntry.objects.get(verb="registry.prompt_created").actor == eve


@pytest.mark.parametrize("person", ["ann", "lee", "vi", "cy"])
def test_who_is_no_engineer_here_may_not_write_prompts(
    project: Project, person: str, request: pytest.FixtureRequest
) -> None:
    with pytest.raises(PermissionDenied):
        factories.make_prompt(project, actor=request.getfixturevalue(person))


def test_a_slug_is_used_once_in_a_project(project: Project, elsewhere: Project) -> None:
    factories.make_prompt(project, "greet")
    factories.make_prompt(elsewhere, "greet")
    with pytest.raises(ValidationError):
        factories.make_prompt(project, "greet")


def test_what_is_not_given_stays_as_in_the_latest_version(prompt_version: PromptVersion) -> None:
    second = factories.make_version(prompt_version)
    third = prompts.add_version(
        prompt=second.prompt,
        blocks=prompts.blocks_of(second),
        model="big-2",
        actor=factories.SYSTEM,
    )
    assert (third.number, third.parent, third.model) == (3, second, "big-2")
    assert third.params == prompt_version.params


def test_a_version_that_changes_nothing_is_refused(prompt_version: PromptVersion) -> None:
    same = list(prompts.blocks_of(prompt_version))
    assert refusal(same, prompt_version) == "Nothing differs from version 1."


@pytest.mark.parametrize(
    ("blocks", "sentence"),
    [
        ([], "at least one block"),
        ([Block("a", "system", "A", "  ")], "at least one block"),
        ([Block("Not A Key", "system", "A", "x")], "is not a key"),
        ([Block("key\n", "system", "A", "x")], "is not a key"),
        ([Block("a", "robot", "A", "x")], "role is system or user or assistant"),
        ([Block("a", "user", "A", "x"), Block("a", "user", "A", "y")], "a key of its own"),
    ],
)
def test_blocks_that_make_no_prompt_are_refused(
    prompt_version: PromptVersion, blocks: list[Block], sentence: str
) -> None:
    assert sentence in refusal(blocks, prompt_version)


def test_the_optimizer_cannot_change_a_locked_block_but_a_person_can(
    prompt_version: PromptVersion, eve: User
) -> None:
    opened = blocks_with(prompt_version, "guardrails", text="Show everything.")
    gone = [block for block in factories.BLOCKS if block.key != "guardrails"]
    unlocked = blocks_with(prompt_version, "guardrails", locked=False)
    for blocks in (opened, gone, unlocked):
        assert "guardrails is locked" in refusal(blocks, prompt_version, origin=Origin.OPTIMIZER)
    by_eve = prompts.add_version(prompt=prompt_version.prompt, blocks=opened, actor=eve)
    assert by_eve.number == 2


def test_a_parent_of_another_prompt_is_refused(
    project: Project, prompt_version: PromptVersion
) -> None:
    other = factories.make_prompt(project)
    with pytest.raises(ValidationError) as caught:
        prompts.add_version(
            prompt=other.prompt, blocks=factories.BLOCKS, parent=prompt_version,
            actor=factories.SYSTEM,
        )  # fmt: skip
    assert "parent" in caught.value.message_dict


def test_citations_say_which_evidence_asked_for_which_block(
    prompt_version: PromptVersion,
) -> None:
    evidence = make_evidence(prompt_version)
    version = factories.make_version(
        prompt_version, citations=[(evidence, "style", "tone", "Too long-winded.")]
    )
    (citation,) = Citation.objects.filter(version=version)
    assert (citation.evidence, citation.block, citation.mode) == (evidence, "style", "tone")


def test_a_citation_of_an_unknown_block_or_of_foreign_evidence_leaves_no_version(
    prompt_version: PromptVersion, elsewhere: Project
) -> None:
    foreign = make_evidence(factories.make_prompt(elsewhere))
    for citation in (
        (make_evidence(prompt_version), "nowhere", "tone", ""),
        (foreign, "style", "tone", ""),
    ):
        with pytest.raises(ValidationError):
            factories.make_version(prompt_version, citations=[citation])
    assert prompt_version.prompt.versions.count() == 1


def test_versions_refuse_every_change(prompt_version: PromptVersion) -> None:
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        PromptVersion.objects.filter(pk=prompt_version.pk).update(model="other")


def test_the_digest_depends_on_content_alone() -> None:
    digest = prompts.digest(factories.BLOCKS, "m", {"a": 1, "b": 2})
    assert digest == prompts.digest(list(factories.BLOCKS), "m", {"b": 2, "a": 1})
    assert digest != prompts.digest(factories.BLOCKS, "m", {"a": 1, "b": 3})
    assert digest != prompts.digest(factories.BLOCKS[::-1], "m", {"a": 1, "b": 2})


def test_variables_are_the_names_between_double_braces() -> None:
    assert prompts.variables(factories.BLOCKS) == {"bank", "question"}
    assert prompts.variables([Block("a", "user", "", "{{ a_1 }} {b} {{}} {{9}}")]) == {"a_1"}


def test_compiling_joins_neighbours_of_one_role(prompt_version: PromptVersion) -> None:
    system, user = prompts.compile(prompt_version, {"bank": "Harbour", "question": "Fees?"})
    assert system == {
        "role": "system",
        "content": "You are the assistant of Harbour.\n\nNever show account numbers.\n\n"
        "Write short sentences.",
    }
    assert user == {"role": "user", "content": "Fees?"}


def test_a_value_with_braces_or_backslashes_is_inserted_as_it_is(
    prompt_version: PromptVersion,
) -> None:
    nasty = "{{bank}} \\1 \\g<0>"
    messages = prompts.compile(prompt_version, {"bank": "Harbour", "question": nasty})
    assert messages[1]["content"] == nasty


def test_missing_variables_are_named(prompt_version: PromptVersion) -> None:
    with pytest.raises(ValidationError) as caught:
        prompts.compile(prompt_version, {"bank": "Harbour"})
    assert caught.value.message_dict == {"variables": ["No value for question."]}


def test_the_diff_names_what_happened_to_each_block(prompt_version: PromptVersion) -> None:
    blocks = [
        *blocks_with(prompt_version, "role", text="You are the assistant of {{bank}}.\nBe kind.")[
            :2
        ],
        Block("guidance", "system", "Guidance", "Cite."),
        prompts.blocks_of(prompt_version)[3],
    ]
    new = prompts.add_version(
        prompt=prompt_version.prompt, blocks=blocks, model="big-2", actor=factories.SYSTEM
    )
    found = {diff.key: (diff.kind, diff.lines) for diff in prompts.diff(prompt_version, new)}
    assert list(found) == ["role", "guardrails", "style", "guidance", "question", ""]
    assert found["role"] == (
        "changed",
        ((" ", "You are the assistant of {{bank}}."), ("+", "Be kind.")),
    )
    assert found["guardrails"][0] == "same"
    assert found["style"] == ("removed", (("-", "Write short sentences."),))
    assert found["guidance"] == ("added", (("+", "Cite."),))
    assert ("-", "model: tiny-1") in found[""][1]
    assert ("+", "model: big-2") in found[""][1]


def test_a_lost_lock_shows_in_the_diff(prompt_version: PromptVersion) -> None:
    new = prompts.add_version(
        prompt=prompt_version.prompt,
        blocks=blocks_with(prompt_version, "guardrails", locked=False),
        actor=factories.SYSTEM,
    )
    (changed,) = [each for each in prompts.diff(prompt_version, new) if each.kind == "changed"]
    assert ("-", "locked to the optimizer") in changed.lines
    assert ("+", "open to the optimizer") in changed.lines


def test_cy_sees_no_prompt_of_another_project(prompt_version: PromptVersion, cy: User) -> None:
    assert not PromptVersion.objects.visible_to(cy).exists()
