"""The simulated bank's prompt with golden cases, for tests of the gate and the optimizer."""

from __future__ import annotations

from collections.abc import Sequence

from annotation.demo.retrieval import documents_for, render
from annotation.demo.texts.prompts import SUPPORT_ANSWER
from annotation.demo.texts.questions import questions
from core.access import SYSTEM
from core.db import opened
from core.models import Project
from registry import golden, prompts
from registry.models import Evidence, PromptVersion, SurfaceFinding
from registry.surfaces import weigh
from tests import factories
from tests.registry.facts import make_evidence

BLOCKS = tuple(
    prompts.Block(each.key, each.role, each.key.title(), each.text, each.locked)
    for each in SUPPORT_ANSWER
)


def make_bank(project: Project) -> PromptVersion:
    """Version 1 of the bank's prompt, in a project with the starter's rubric."""
    factories.make_rubric(project)
    return factories.make_prompt(project, blocks=BLOCKS)


def make_cases(version: PromptVersion, count: int, **changes: object) -> None:
    """Golden cases from the bank's questions, each a conversation of its own."""
    rubric = factories.make_rubric(version.prompt.project)
    cases = []
    for place, question in enumerate(questions(count, seed=7)):
        documents = documents_for(question)
        values = {"documents": render(documents), "question": question.text}
        fields = {
            "project_id": version.prompt.project_id,
            "prompt_id": version.prompt_id,
            "rubric_version_id": rubric.pk,
            "source": f"case:{place}",
            "cluster": f"talk:{place}",
            "messages": prompts.compile(version, values)[1:],
            "variables": values,
            "documents": documents,
            "recorded_output": "Not looked at.",
            "trace_ref": 1000 + place,
        }
        cases.append(golden.CaseIn(**fields | changes))  # type: ignore[arg-type]
    with opened("test"):
        golden.add_cases(cases, actor=SYSTEM)


def add_rule(version: PromptVersion, rule: str) -> PromptVersion:
    """The next version, whose instructions end with `rule`."""
    blocks = [
        prompts.Block(**block | {"text": f"{block['text']} {rule}"})
        if block["key"] == "instructions"
        else prompts.Block(**block)
        for block in version.blocks
    ]
    return prompts.add_version(prompt=version.prompt, blocks=blocks, parent=version, actor=SYSTEM)


def make_finding(
    version: PromptVersion, mode: str = "citation_missing", count: int = 3, **changes: object
) -> SurfaceFinding:
    """An open finding with its evidence, each about another trace."""
    for place in range(count):
        make_evidence(version, mode, **{"trace_ref": place + 1, **changes})  # type: ignore[arg-type]
    weigh(project=version.prompt.project, actor=SYSTEM)
    return SurfaceFinding.objects.get(prompt=version.prompt, mode=mode)


def cited(version: PromptVersion) -> Sequence[Evidence]:
    return [each.evidence for each in version.citations.select_related("evidence").order_by("pk")]
