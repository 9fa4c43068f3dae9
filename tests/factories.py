"""What tests begin with, made through the rooms. Plain functions; every name is optional."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

from core.access import SYSTEM, Actor, Role
from core.keys import NewKey, create_key
from core.models import Environment, Membership, Project, User
from core.projects import add_member, create_project
from registry import prompts, rubrics
from registry.models import PromptVersion, RubricVersion
from registry.models.prompt import Origin

_numbers = count(1)


def unique(stem: str) -> str:
    """`stem` with a number that no other call gets: `stem-7`."""
    return f"{stem}-{next(_numbers)}"


def make_project(
    slug: str = "", name: str = "Harbour Bank", environments: tuple[str, ...] = ("production",)
) -> Project:
    return create_project(
        slug=slug or unique("harbour"), name=name, environments=environments, actor=SYSTEM
    )


def make_environment(project: Project, name: str = "production") -> Environment:
    """The environment of that name; made where the project has none yet."""
    found, _ = Environment.objects.get_or_create(
        project=project, name=name, defaults={"created_at": project.created_at}
    )
    return found


def make_user(name: str = "Nobody", email: str = "", password: str | None = None) -> User:
    """A person; without `password` one who cannot sign in by one (`client.force_login` does)."""
    address = email or f"{unique(name.lower())}@example.com"
    return User.objects.create_user(address, password, name=name)


def make_member(project: Project, role: Role, name: str = "Somebody") -> User:
    """A new person with that role."""
    user = make_user(name)
    add_member(project=project, user=user, role=role, actor=SYSTEM)
    return user


def role_of(user: User, project: Project) -> str:
    return Membership.objects.get(user=user, project=project).role


def make_key(
    environment: Environment, scopes: Sequence[str] = ("prompts",), actor: Actor = SYSTEM
) -> NewKey:
    """An API key; `.text` is what a client sends, `.key` the actor."""
    return create_key(environment=environment, name="test", scopes=scopes, actor=actor)


def make_rubric(
    project: Project,
    modes: Sequence[rubrics.Mode] = rubrics.STARTER,
    criteria: Sequence[rubrics.Criterion] = (),
    actor: Actor = SYSTEM,
) -> RubricVersion:
    """Edition 1 of a new rubric; the starter's modes where none are given."""
    return rubrics.create_rubric(
        project=project,
        slug=unique("rubric"),
        name="Quality of answers",
        modes=modes,
        criteria=criteria,
        actor=actor,
    )


BLOCKS = (
    prompts.Block("role", "system", "Role", "You are the assistant of {{bank}}."),
    prompts.Block("guardrails", "system", "Guardrails", "Never show account numbers.", locked=True),
    prompts.Block("style", "system", "Style", "Write short sentences."),
    prompts.Block("question", "user", "Question", "{{question}}"),
)


def make_prompt(
    project: Project,
    slug: str = "",
    blocks: Sequence[prompts.Block] = BLOCKS,
    actor: Actor = SYSTEM,
) -> PromptVersion:
    """Version 1 of a new prompt."""
    return prompts.create_prompt(
        project=project,
        slug=slug or unique("answer"),
        name="Answer a customer",
        blocks=blocks,
        model="tiny-1",
        params={"temperature": 0.2},
        actor=actor,
    )


def make_version(
    parent: PromptVersion,
    text: str = "",
    citations: Sequence[prompts.Reason] = (),
    origin: Origin = Origin.PERSON,
    actor: Actor = SYSTEM,
) -> PromptVersion:
    """The next version, which differs in its style block."""
    blocks = [
        prompts.Block(**{**block, "text": text or unique("Be brief")})
        if block["key"] == "style"
        else prompts.Block(**block)
        for block in parent.blocks
    ]
    return prompts.add_version(
        prompt=parent.prompt,
        blocks=blocks,
        parent=parent,
        citations=citations,
        origin=origin,
        actor=actor,
    )
