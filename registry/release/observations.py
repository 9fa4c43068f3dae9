"""Observations: how the outputs of both arms turned out, pushed down by those who judge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import ValidationError

from core.access import Actor
from core.db import ring, step
from registry.models import Observation, Release
from registry.models.release import Arm, ReleaseState
from registry.release.canary import judge_canaries
from registry.release.monitor import SOURCES


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservationIn:
    """One judged output. `arm` is empty for outputs outside a canary: those are passed over.

    unit    the sticky key that was drawn into the arm; its first outcome per source counts
    source  "judge" or "human": each is compared with itself only
    """

    release_id: int
    arm: str
    unit: str
    source: str
    trace_ref: int
    defect: bool
    at: datetime


@step
def observe(observations: Sequence[ObservationIn], *, actor: Actor) -> None:
    """All in one insert. What belongs to no running canary is passed over, as are repetitions."""
    del actor  # whoever judged is in the record of the score or label
    for each in observations:
        _check(each)
    counted = [each for each in observations if each.arm]
    if not counted:
        return
    running = _running({each.release_id for each in counted})
    rows = [_row(each) for each in counted if each.release_id in running]
    Observation.objects.bulk_create(rows, ignore_conflicts=True, batch_size=1000)
    if rows:
        ring(judge_canaries)


def _running(release_ids: set[int]) -> set[int]:
    chosen = Release.objects.filter(pk__in=release_ids, state=ReleaseState.CANARY)
    return set(chosen.values_list("pk", flat=True))


def _check(each: ObservationIn) -> None:
    if each.source not in SOURCES:
        raise ValidationError({"source": f"{each.source!r}: {' or '.join(SOURCES)}."})
    if each.arm and each.arm not in Arm.values:
        raise ValidationError({"arm": f"{each.arm!r}: {' or '.join(Arm.values)}."})
    if each.arm and not each.unit:
        raise ValidationError({"unit": f"Trace {each.trace_ref} is in an arm but has no unit."})


def _row(each: ObservationIn) -> Observation:
    return Observation(
        release_id=each.release_id,
        arm=each.arm,
        unit=each.unit,
        source=each.source,
        trace_ref=each.trace_ref,
        defect=each.defect,
        at=each.at,
    )
