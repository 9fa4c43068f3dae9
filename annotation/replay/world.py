"""The project that a file is replayed into: made once, found again, never made twice."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from annotation.replay import causes
from annotation.replay.cast import DOMAIN
from annotation.replay.line import Line
from annotation.replay.reader import Reading
from annotation.replay.traces import INPUT
from core.access import SYSTEM
from core.levers import Lever
from core.models import Environment, Membership, Project
from core.models.project import Severity
from core.projects import create_project
from registry import prompts, release, rubrics
from registry.models import PromptVersion, Release, RubricVersion
from registry.models.prompt import Origin
from routing import policy
from routing.models import AutoApproval
from routing.models.decision import GrantKind

PROMPT: Final = "replayed"
RUBRIC: Final = "replayed"
ENVIRONMENT: Final = "production"
REASON: Final = (
    "Replay of outputs that people have judged already: the labels of what is auto-approved are"
    " held back as the truth against which the escape rate is computed."
)
_UNFIT: Final = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class World:
    """Where the lines go. `prompt` is version 1 of the registered prompt, None without one."""

    project: Project
    environment: Environment
    rubric: RubricVersion
    prompt: PromptVersion | None

    def prompt_of(self, line: Line) -> str:
        """The slug of the registered prompt where the line was made by it, else nothing."""
        if self.prompt is None or not line.prompt:
            return ""
        ours = prompts.blocks_of(self.prompt)[0]
        fits = line.system == ours.text if ours.role == "system" else not line.system
        return self.prompt.prompt.slug if fits else ""


def slug_of(dataset: str) -> str:
    """The project that a dataset gets where none is named."""
    return f"replay-{_UNFIT.sub('-', dataset.lower()).strip('-')}"[:60].rstrip("-")


def prepare(reading: Reading, *, slug: str = "") -> World:
    """Project, right to auto-approve, rubric with all modes that the lines name, prompt.

    Raises ValidationError where the slug cannot be one.
    """
    project = _project(slug or slug_of(reading.dataset), reading.dataset)
    _grant(project)
    environment = Environment.objects.filter(project=project).order_by("pk").first()
    assert environment is not None
    prompt = _prompt(project, reading.lines)
    if prompt is not None:
        _serve(prompt, environment)
    return World(project, environment, _rubric(project, reading), prompt)


def _project(slug: str, dataset: str) -> Project:
    found: Project | None = Project.objects.filter(slug=slug).first()
    return found or create_project(
        slug=slug, name=f"Replay: {dataset}"[:120], environments=(ENVIRONMENT,), actor=SYSTEM
    )


def _grant(project: Project) -> None:
    """Only in a project of our own: where people are members, they decide what passes unseen."""
    people = Membership.objects.filter(project=project).exclude(user__email__endswith=DOMAIN)
    if people.exists() or AutoApproval.objects.filter(project=project).exists():
        return
    policy.grant_auto_approval(
        project=project, kind=GrantKind.OVERRIDE, reason=REASON, details={}, actor=SYSTEM
    )


def _rubric(project: Project, reading: Reading) -> RubricVersion:
    """The current edition; a new one where the lines name modes that it has not."""
    wanted = _modes(reading)
    found = rubrics.current(project)
    if found is None:
        return rubrics.create_rubric(
            project=project, slug=RUBRIC, name=f"Failure modes of {reading.dataset}"[:120],
            modes=wanted, note="From the replayed file.", actor=SYSTEM,
        )  # fmt: skip
    known = rubrics.modes_of(found)
    if not (new := [mode for mode in wanted if mode.code not in known]):
        return found
    criteria = [rubrics.Criterion(each["code"], each["label"], tuple(each["anchors"]))
                for each in found.criteria]  # fmt: skip
    return rubrics.publish_version(
        rubric=found.rubric, modes=[*_again(found), *new], criteria=criteria,
        note="More lines of a replayed file name more modes.", actor=SYSTEM,
    )  # fmt: skip


def _modes(reading: Reading) -> list[rubrics.Mode]:
    seen = {mode for line in reading.lines for mode in line.modes}
    return causes.modes_for(reading.path, reading.dataset, seen)


def _again(version: RubricVersion) -> Iterable[rubrics.Mode]:
    for mode in rubrics.modes_of(version).values():
        yield rubrics.Mode(
            code=mode.code, label=mode.label, definition=mode.definition, remedy=mode.remedy,
            default_cause=Lever(mode.default_cause), group=mode.group,
            default_severity=Severity(mode.default_severity),
        )  # fmt: skip


def _prompt(project: Project, lines: Sequence[Line]) -> PromptVersion | None:
    """Version 1 of the replayed prompt; registered when a line first shows one."""
    found = PromptVersion.objects.filter(prompt__project=project, prompt__slug=PROMPT, number=1)
    if version := found.select_related("prompt").first():
        return version
    with_prompt = [line for line in lines if line.prompt]
    if not with_prompt:
        return None
    return prompts.create_prompt(
        project=project, slug=PROMPT, name=f"Prompt of {with_prompt[0].dataset}"[:120],
        blocks=[_block(with_prompt)], task=with_prompt[0].task, origin=Origin.IMPORT,
        description="As the replayed file shows it.", actor=SYSTEM,
    )  # fmt: skip


def _serve(version: PromptVersion, environment: Environment) -> None:
    """It is what the application ran, so it is live; whatever came later is left alone."""
    if Release.objects.filter(prompt=version.prompt_id, environment=environment).exists():
        return
    release.go_live(
        version=version, environment=environment, actor=SYSTEM,
        reason="The prompt by which the replayed outputs were made.",
    )  # fmt: skip


def _block(lines: Sequence[Line]) -> prompts.Block:
    """The system message that all share; without one the input as it came, which is locked."""
    shared = {line.system for line in lines}
    if len(shared) == 1 and (text := shared.pop()).strip():
        return prompts.Block("instructions", "system", "Instructions", text)
    return prompts.Block("input", "user", "Input", f"{{{{{INPUT}}}}}", locked=True)
