"""How the bank's prompts get better, and once worse: proposals, gates, approvals, canaries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from django.db.models import QuerySet

from annotation.demo.texts.prompts import PLAYFUL, TERSE
from annotation.demo.world.cast import ADMIN, ENGINEER, Person
from annotation.demo.world.ground import World
from core import clock
from core.levers import Lever
from registry import gate, optimize, prompts, release, surfaces
from registry.models import Approval, GateRun, Prompt, PromptVersion, Release, SurfaceFinding
from registry.models.gate import GateState
from registry.models.prompt import Origin
from registry.models.release import ReleaseState
from registry.models.surface import FindingState

CAMPAIGN: Final = "Spring campaign: warmer, shorter answers."
BREAK_GLASS: Final = (
    "Marketing has announced the new voice for this week. Three in ten customers get it, and the "
    "canary takes it back by itself if it does harm."
)
WHY_CANARY: Final = "Approved with the gate's report; now beside the live version, on customers."
WHY_APPROVED: Final = "Read the diff and the evidence behind it: one rule, and a plain one."
WHY_ANYWAY: Final = "The gate could not tell; the edit is small and the canary will."
WHY_DISMISSED: Final = (
    "The wrong figures came from one model build that the provider has withdrawn. We look again "
    "if they return."
)


def catch_up() -> None:
    """Work off what the optimizer and the gate were asked for: it takes them some minutes."""
    with clock.at(clock.now() + timedelta(minutes=3)):
        while optimize.run_due():
            pass
    with clock.at(clock.now() + timedelta(minutes=9)):
        while gate.run_due():
            pass


def weigh(world: World) -> None:
    """Bring the findings up to date with the evidence."""
    surfaces.weigh(project=world.project, actor=world.cast[ENGINEER])


def propose(world: World, slug: str, count: int, modes: Sequence[str]) -> bool:
    """Let the optimizer propose the `count`-th version of a prompt, against the first of `modes`
    that is an open finding."""
    prompt = world.prompts[slug]
    if _proposals(prompt).count() >= count:
        return True
    if _canary(prompt) is not None:
        return False  # it would be made from a version that may be replaced
    weigh(world)
    waiting = SurfaceFinding.objects.filter(
        prompt=prompt, lever=Lever.PROMPT, state=FindingState.OPEN, mode__in=modes
    )
    by_mode = {finding.mode: finding for finding in waiting}
    finding = next((by_mode[mode] for mode in modes if mode in by_mode), None)
    if finding is not None:
        optimize.request(finding=finding, actor=world.cast[ENGINEER])
        catch_up()
    return False


def release_proposal(world: World, slug: str, count: int, share: float) -> bool:
    """Approve the `count`-th proposal and start its canary, once no other is running."""
    version = _proposals(world.prompts[slug])[count - 1 : count].first()
    if version is None:
        return False
    passed = _gate(version) == GateState.PASSED
    return _release(
        world, version, share=share, by=ENGINEER, why=WHY_CANARY,
        approval=WHY_APPROVED if passed else WHY_ANYWAY,
    )  # fmt: skip


def write_playful(world: World, slug: str) -> bool:
    """The engineer writes what marketing asked for, and the gate says what it is worth."""
    prompt = world.prompts[slug]
    if _playful(prompt) is not None:
        return True
    if _canary(prompt) is not None:
        return False
    live = gate.live_version(prompt)
    assert live is not None, "the prompt has been live from the first day"
    engineer = world.cast[ENGINEER]
    version = prompts.add_version(
        prompt=prompt, blocks=[_in_new_voice(block) for block in prompts.blocks_of(live)],
        note=CAMPAIGN, parent=live, actor=engineer,
    )  # fmt: skip
    gate.request(version=version, actor=engineer)
    catch_up()
    return True


def release_playful(world: World, slug: str) -> bool:
    """The admin breaks the glass: it goes to a part of the customers in spite of the gate."""
    version = _playful(world.prompts[slug])
    return version is not None and _release(
        world, version, share=world.plan.scale.risk, by=ADMIN, why=CAMPAIGN, approval=BREAK_GLASS
    )


def dismiss_one(world: World, slug: str, mode: str) -> bool:
    """The engineer decides that nothing is to be done about a failure, and says why."""
    weigh(world)
    known = SurfaceFinding.objects.filter(prompt=world.prompts[slug], mode=mode)
    finding = known.exclude(lever=Lever.PROMPT).order_by("pk").first()
    if finding is not None and finding.state == FindingState.OPEN:
        surfaces.dismiss(finding=finding, reason=WHY_DISMISSED, actor=world.cast[ENGINEER])
    return finding is not None


def _release(
    world: World, version: PromptVersion, *, share: float, by: Person, why: str, approval: str
) -> bool:
    actor = world.cast[by]
    if Release.objects.filter(version=version).exists():
        return True
    if _canary(version.prompt) is not None:
        return False
    if not Approval.objects.filter(version=version, approved_by=actor).exists():
        release.approve(version=version, reason=approval, actor=actor)
    with clock.at(clock.now() + timedelta(minutes=20)):
        release.start_canary(
            version=version, environment=world.environment, share=share, reason=why,
            settings=world.plan.scale.canary, actor=actor,
        )  # fmt: skip
    return True


def _proposals(prompt: Prompt) -> QuerySet[PromptVersion]:
    versions = PromptVersion.objects.filter(prompt=prompt, origin=Origin.OPTIMIZER)
    return versions.select_related("prompt").order_by("number")


def _playful(prompt: Prompt) -> PromptVersion | None:
    return (
        PromptVersion.objects.filter(prompt=prompt, note=CAMPAIGN).select_related("prompt").first()
    )


def _canary(prompt: Prompt) -> Release | None:
    return Release.objects.filter(prompt=prompt, state=ReleaseState.CANARY).first()


def _gate(version: PromptVersion) -> str:
    runs = GateRun.objects.filter(candidate=version).order_by("-pk")
    return str(runs.values_list("state", flat=True).first() or "")


def _in_new_voice(block: prompts.Block) -> prompts.Block:
    if block.key != "instructions":
        return block
    return replace(block, text=f"{block.text}\n{PLAYFUL}\n{TERSE}")
