"""Projects, environments and members."""

from __future__ import annotations

from core import clock
from core.access import Actor, Role, Verb, require
from core.audit import record
from core.db import command
from core.models import Environment, Membership, Project, User
from core.verbs import CoreVerb


@command
def create_project(
    *, slug: str, name: str, environments: tuple[str, ...] = ("production",), actor: Actor
) -> Project:
    """A project with its environments. A person who makes one becomes its admin."""
    now = clock.now()
    project = Project(slug=slug, name=name, created_at=now)
    project.full_clean()
    project.save()
    Environment.objects.bulk_create(
        Environment(project=project, name=each, created_at=now) for each in environments
    )
    if isinstance(actor, User):
        Membership.objects.create(project=project, user=actor, role=Role.ADMIN, created_at=now)
    record(CoreVerb.PROJECT_CREATED, project, actor=actor, project=project, after={"slug": slug})
    return project


@command
def add_member(*, project: Project, user: User, role: Role, actor: Actor) -> Membership:
    """The person's role in the project; a second call changes it."""
    require(actor, Verb.MANAGE_PEOPLE, project=project)
    member, made = Membership.objects.select_for_update().get_or_create(
        project=project, user=user, defaults={"role": role, "created_at": clock.now()}
    )
    verb = CoreVerb.MEMBER_ADDED if made else CoreVerb.MEMBER_ROLE_CHANGED
    before = {} if made else {"role": member.role}
    member.role = role
    member.save(update_fields=["role"])
    record(
        verb,
        member,
        actor=actor,
        project=project,
        before=before,
        after={"user": user.pk, "role": role},
    )
    return member
