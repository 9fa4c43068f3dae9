"""What people do beside labelling, and when. Each act looks whether it has been done already, so
that a world whose making was stopped goes on where it was."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from annotation.demo.world import betterment, meetings
from annotation.demo.world.cast import ADMIN, ENGINEER, EXPERT, LEAD
from annotation.demo.world.ground import COMPLAINT, SUPPORT, World
from annotation.demo.world.plan import STORY_DAYS
from annotation.demo.world.work import LEAVE_FROM
from core import clock
from routing import policy, queue
from routing.models import AutoApproval, Item, RiskPolicy, Slot
from routing.models.decision import GrantKind, PolicyState, Tier
from routing.models.queue import SlotState


@dataclass(frozen=True, slots=True)
class Act:
    """Something that is done from day `day` of the four weeks on; in a small world, where
    fewer outputs have to tell the same, perhaps from another. `do` says whether it is over."""

    day: float
    do: Callable[[World], bool]
    small_day: float = 0


class Story:
    """The acts that are still to come. What an earlier run has told, each act finds out."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._left = list(STORY)

    def tell(self) -> None:
        """Do what is due by now, in the order of the story."""
        betterment.catch_up()
        for act in list(self._left):
            day = act.day if _in_full(self._world) else act.small_day or act.day
            if clock.now() >= self._world.plan.day(day) and act.do(self._world):
                self._left.remove(act)


REASON: Final = (
    "Week one was reviewed in full, and the risk board has read what people found among the "
    "outputs that rules and judge call low risk. It lets those pass from today, with one in eight "
    "still drawn for audit, until the certificate is earned."
)
NOTE: Final = (
    "After a week of reviewing everything: the middle of the scale begins at 0.3, so that people "
    "see more of what is likely to be wrong."
)


def _grant(world: World) -> bool:
    """The admin's override: what is of low risk need not wait for a person any more."""
    if AutoApproval.objects.filter(project=world.project).exists():
        return True
    policy.grant_auto_approval(
        project=world.project, kind=GrantKind.OVERRIDE, reason=REASON,
        details={"decided by": "risk board", "audit share": 0.12}, actor=world.cast[ADMIN],
    )  # fmt: skip
    return True


def _move_line(world: World) -> bool:
    """The engineer publishes the second policy: what week one taught about the scale of risk."""
    engineer = world.cast[ENGINEER]
    known = RiskPolicy.objects.filter(project=world.project).order_by("-number")
    latest = known[0]
    if latest.number == 1:
        rules = policy.read_rules({**latest.rules, "medium_from": 0.3})
        latest = policy.create_policy(
            project=world.project, rules=rules.model_dump(), note=NOTE, actor=engineer
        )
    if latest.state == PolicyState.DRAFT:
        policy.publish_policy(policy=latest, actor=engineer)
    return True


def _hand_over(world: World) -> bool:
    """The lead gives some outputs, as they come, to the one who knows most; then she is on leave.
    They are what is overdue at the end."""
    expert = world.cast[EXPERT]
    mine = Slot.objects.filter(project=world.project)
    wanted = max(2, world.plan.scale.waiting // 14) - mine.filter(reserved_for=expert).count()
    if wanted <= 0:
        return True
    free = mine.filter(state=SlotState.OPEN, reserved_for=None)
    waiting = Item.objects.waiting().filter(
        project=world.project, tier=Tier.MEDIUM, first_done_at=None, pk__in=free.values("item")
    )
    chosen = waiting.order_by("due_at", "pk")[:wanted]
    queue.assign(
        project=world.project, actor=world.cast[LEAD],
        wishes=[queue.Wish(item.pk, (expert,), only=True) for item in chosen],
    )  # fmt: skip
    return False


def _in_full(world: World) -> bool:
    return world.plan.scale.days == STORY_DAYS


def _propose_second(world: World) -> bool:
    # A small world has too few outputs for a third canary.
    return not _in_full(world) or (
        betterment.propose(world, SUPPORT, 2, ("unsupported_claim", "incomplete", "tone"))
    )


def _release_second(world: World) -> bool:
    return not _in_full(world) or betterment.release_proposal(world, SUPPORT, 2, share=0.5)


FIRST_AIM: Final = ("citation_missing", "incomplete", "unsupported_claim")
STORY: Final[Sequence[Act]] = (
    Act(5.2, lambda world: meetings.open_session(world, meetings.FIRST)),
    Act(5.3, lambda world: betterment.propose(world, SUPPORT, 1, FIRST_AIM), small_day=3),
    Act(5.6, lambda world: meetings.vote(world, meetings.FIRST)),
    Act(
        6.1, lambda world: betterment.release_proposal(world, SUPPORT, 1, share=0.5), small_day=3.6
    ),
    Act(6.4, lambda world: meetings.rule_and_close(world, meetings.FIRST)),
    Act(7.6, _grant),
    Act(7.7, _move_line),
    Act(11.4, _propose_second),
    Act(12.2, _release_second),
    Act(18.2, lambda world: betterment.write_playful(world, SUPPORT), small_day=8),
    Act(18.9, lambda world: betterment.release_playful(world, SUPPORT), small_day=8.5),
    Act(20.3, lambda world: betterment.propose(world, COMPLAINT, 1, ("incomplete",))),
    Act(21.2, lambda world: betterment.dismiss_one(world, SUPPORT, "contradicts_context")),
    Act(LEAVE_FROM, _hand_over),
    Act(25.3, lambda world: betterment.release_proposal(world, COMPLAINT, 1, share=0.5)),
    Act(26.8, lambda world: meetings.open_session(world, meetings.SECOND)),
    Act(27.3, lambda world: meetings.vote(world, meetings.SECOND, part=0.6)),
)
