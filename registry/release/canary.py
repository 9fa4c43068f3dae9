"""The canary's judge: looks at what was observed, and promotes or rolls back by itself."""

from __future__ import annotations

import logging

from celery import shared_task
from django.db.models import Count

from core import clock
from core.access import SYSTEM, Actor
from core.db import command
from registry.models import Observation, Prompt, Release
from registry.models.release import ReleaseState
from registry.release.monitor import SOURCES, advance, conclude, take_blocks
from registry.release.transitions import promote_now, roll_back_now

log = logging.getLogger(__name__)


@shared_task(name="registry.release.judge_canaries")
def judge_canaries() -> int:
    """Look at every canary of which something new is known; returns how many were decided."""
    due = Observation.objects.due().order_by("release_id").values_list("release_id", flat=True)
    return sum(_judged(release_id) != "continue" for release_id in due.distinct())


def _judged(release_id: int) -> str:
    """One canary that cannot be judged must not keep another from being rolled back."""
    try:
        return judge(release_id=release_id, actor=SYSTEM)
    except Exception:
        log.exception("canary %s could not be judged; the next sweep tries again", release_id)
        return "continue"


@command
def judge(*, release_id: int, actor: Actor) -> str:
    """Take what is new in whole blocks into the monitor, and act on what it says.

    Returns "rollback", "promote" or "continue". What does not fill a block waits unseen.
    """
    release = _locked(release_id)
    if release is None:
        return "continue"
    state, looked_at = release.monitor, 0
    for source in SOURCES:
        rows = release.observations.filter(source=source, seen_at=None).order_by("pk")
        blocks, used = take_blocks(
            list(rows.values_list("pk", "arm", "defect")), state["settings"]["block"]
        )
        state = advance(state, source, blocks)
        looked_at += Observation.objects.filter(pk__in=used).update(seen_at=clock.now())
    if not looked_at:
        return "continue"
    verdict, release.monitor = conclude(state, _units(release), release.share)
    release.save(update_fields=["monitor"])
    if verdict == "rollback":
        roll_back_now(release=release, reason=release.monitor["note"], actor=actor)
    elif verdict == "promote":
        promote_now(release=release, reason=release.monitor["note"], actor=actor)
    return verdict


def _locked(release_id: int) -> Release | None:
    """The canary behind the lock of its prompt; None where it has ended meanwhile."""
    prompts = Prompt.objects.filter(release__pk=release_id)
    Prompt.objects.select_for_update(no_key=True).get(pk__in=prompts.values("pk"))
    rows = Release.objects.select_for_update(of=("self",), no_key=True).select_related(
        "prompt__project", "environment", "version"
    )
    return rows.filter(pk=release_id, state=ReleaseState.CANARY).first()


def _units(release: Release) -> dict[str, int]:
    """Sticky keys seen per arm, by whatever source."""
    counts = release.observations.values("arm").annotate(units=Count("unit", distinct=True))
    return dict(counts.order_by("arm").values_list("arm", "units"))
