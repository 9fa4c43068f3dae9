"""What becomes of a finding: proposed, addressed by a live version, open again, dismissed."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.core.exceptions import ValidationError
from django.db.models import Count, F, Max, Q, QuerySet

from core import clock
from core.access import Actor, Verb, require
from core.audit import record
from core.db import IllegalTransition, command, step
from core.levers import Lever
from registry.models import Citation, PromptVersion, Release, SurfaceFinding
from registry.models.optimization import RunState
from registry.models.release import ReleaseState
from registry.models.surface import FindingState
from registry.verbs import RegistryVerb

OPEN = (FindingState.OPEN, FindingState.PROPOSED)
LIVED = (ReleaseState.LIVE, ReleaseState.RETIRED)
UNDER_WAY: Final = (RunState.PENDING, RunState.RUNNING)
PAUSES: Final = (timedelta(hours=1), timedelta(hours=8))
"""After the first failed run, after the second: a model that is down comes back."""


@step
def mark_proposed(finding: SurfaceFinding, *, actor: Actor) -> None:
    """A version that should mend it exists. Raises IllegalTransition where it is not open."""
    del actor  # the version's own record says who proposed it
    waiting = SurfaceFinding.objects.filter(pk=finding.pk, state=FindingState.OPEN)
    if not waiting.update(state=FindingState.PROPOSED):
        raise IllegalTransition(f"{finding} is not open.")
    finding.state = FindingState.PROPOSED


@step
def address(version: PromptVersion, *, actor: Actor) -> None:
    """`version` went live: what it cites is met, and what the drafts before it cited."""
    mended = _of_prompt(version).filter(state__in=OPEN, mode__in=_cited_modes(version))
    for finding in mended.select_for_update().order_by("pk"):
        finding.state, finding.closed_at = FindingState.ADDRESSED, clock.now()
        finding.note = f"Addressed by version {version.number}."
        finding.save(update_fields=["state", "closed_at", "note"])
        _record(RegistryVerb.FINDING_ADDRESSED, finding, actor, {"version": version.number})


@step
def reopen(version: PromptVersion, *, actor: Actor) -> None:
    """`version` was rolled back: what it was to mend is open again."""
    cited = _of_prompt(version).filter(mode__in=_cited_modes(version))
    still_open = set(cited.filter(state=FindingState.OPEN).values_list("mode", flat=True))
    mended = cited.filter(state__in=[FindingState.PROPOSED, FindingState.ADDRESSED])
    # Locked by id, as everybody does. The newest of a mode first: only one may be open.
    for finding in reversed(mended.select_for_update().order_by("pk")):
        if finding.mode in still_open:
            continue
        still_open.add(finding.mode)
        finding.state, finding.closed_at = FindingState.OPEN, None
        finding.opened_at = clock.now()
        finding.note = f"Version {version.number} was rolled back."
        finding.save(update_fields=["state", "opened_at", "closed_at", "note"])
        _record(RegistryVerb.FINDING_REOPENED, finding, actor, {"version": version.number})


@command
def dismiss(*, finding: SurfaceFinding, reason: str, actor: Actor) -> SurfaceFinding:
    """Nobody will act on it. Only evidence from now on can open it again."""
    require(actor, Verb.EDIT_PROMPT, project=finding.project)
    if not reason.strip():
        raise ValidationError({"reason": "Say why nothing should be done about it."})
    locked = SurfaceFinding.objects.select_for_update(of=("self",)).get(pk=finding.pk)
    if locked.state not in OPEN:
        raise IllegalTransition(f"{locked} is {locked.get_state_display().lower()}.")
    locked.state, locked.closed_at, locked.note = FindingState.DISMISSED, clock.now(), reason
    locked.save(update_fields=["state", "closed_at", "note"])
    _record(RegistryVerb.FINDING_DISMISSED, locked, actor, {"reason": reason})
    return locked


def unattended() -> QuerySet[SurfaceFinding]:
    """Open findings that ask for a better prompt, that evidence still stands behind and that no
    optimizer has tried since they were opened, except for runs that failed, the last of them a
    pause ago: at most one more run than there are PAUSES."""
    since = Q(runs__created_at__gte=F("opened_at"))
    failed = since & Q(runs__state=RunState.FAILED)
    answered = since & Q(runs__state__in=[RunState.PROPOSED, RunState.NO_CHANGE])
    waiting = SurfaceFinding.objects.filter(
        state=FindingState.OPEN, lever=Lever.PROMPT, prompt__isnull=False, evidence_count__gt=0
    ).alias(
        # A run that is under way counts whenever it began: there is only ever one.
        tried=Count("runs", filter=answered | Q(runs__state__in=UNDER_WAY)),
        failures=Count("runs", filter=failed),
        last=Max("runs__finished_at", filter=failed),
    )
    return waiting.filter(_paused_enough(), tried=0).order_by("-weight", "pk")


def _paused_enough() -> Q:
    enough = Q(failures=0)
    for failures, pause in enumerate(PAUSES, start=1):
        enough |= Q(failures=failures, last__lte=clock.now() - pause)
    return enough


def _record(
    verb: RegistryVerb, finding: SurfaceFinding, actor: Actor, after: dict[str, object]
) -> None:
    record(verb, finding, actor=actor, project=finding.project, after=after)


def _of_prompt(version: PromptVersion) -> QuerySet[SurfaceFinding]:
    return SurfaceFinding.objects.filter(prompt_id=version.prompt_id, lever=Lever.PROMPT)


def _cited_modes(version: PromptVersion) -> set[str]:
    """Modes cited by `version` and its ancestors, down to one that has been live before it."""
    parents: dict[int, int | None] = dict(
        PromptVersion.objects.filter(prompt_id=version.prompt_id).values_list("pk", "parent_id")
    )
    lived = set(
        Release.objects.filter(prompt_id=version.prompt_id, state__in=LIVED)
        .exclude(version=version)
        .values_list("version_id", flat=True)
    )
    chain = [version.pk]
    each = parents[version.pk]
    while each is not None and each not in lived:
        chain.append(each)
        each = parents[each]
    return set(Citation.objects.filter(version__in=chain).values_list("mode", flat=True))
