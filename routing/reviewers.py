"""Who may claim work. What annotation learns about people is pushed here as a fact."""

from __future__ import annotations

from collections.abc import Sequence

from core import clock
from core.access import Actor, Verb, require
from core.audit import record
from core.db import IllegalTransition, command
from core.models import Project, User
from routing.models import Reviewer
from routing.models.reviewer import ReviewerState
from routing.verbs import RoutingVerb


@command
def enrol(*, project: Project, users: Sequence[User], actor: Actor) -> list[Reviewer]:
    """The people may claim from the project's queue; those who could already still can."""
    require(actor, Verb.MANAGE_QUEUE, project=project)
    now = clock.now()
    Reviewer.objects.bulk_create(
        (Reviewer(project=project, user=user, created_at=now) for user in users),
        ignore_conflicts=True,
    )
    record(
        RoutingVerb.REVIEWERS_ENROLLED,
        project,
        actor=actor,
        project=project,
        after={"users": [user.pk for user in users]},
    )
    return list(Reviewer.objects.filter(project=project, user__in=users).select_related("user"))


@command
def pause(*, reviewer: Reviewer, actor: Actor) -> None:
    """The person gets no new work; what he or she holds can still be submitted."""
    _move(reviewer, ReviewerState.ACTIVE, ReviewerState.PAUSED, RoutingVerb.REVIEWER_PAUSED, actor)


@command
def resume(*, reviewer: Reviewer, actor: Actor) -> None:
    """The person gets work again."""
    _move(reviewer, ReviewerState.PAUSED, ReviewerState.ACTIVE, RoutingVerb.REVIEWER_RESUMED, actor)


def _move(
    reviewer: Reviewer,
    expected: ReviewerState,
    state: ReviewerState,
    verb: RoutingVerb,
    actor: Actor,
) -> None:
    require(actor, Verb.MANAGE_QUEUE, project=reviewer.project)
    hit = Reviewer.objects.filter(pk=reviewer.pk, state=expected).update(state=state)
    if not hit:
        raise IllegalTransition(f"{reviewer.user} is not {expected}.")
    record(
        verb,
        reviewer,
        actor=actor,
        project=reviewer.project,
        before={"state": expected},
        after={"state": state},
    )
