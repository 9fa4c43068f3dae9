"""Golden cases from clear answers: which outputs become one, and what is kept of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Count, Q

from annotation.models import Consensus
from annotation.models.label import Verdict
from core.access import Actor
from core.db import step
from registry import golden
from registry.models import GoldenCase, Prompt
from routing.models import Item, Payload

# Live cases of a prompt, half of them acceptable: a gate must see both what to mend and what to
# keep. The acceptable ones run ahead of the failures by no more than the slack.
MOST_OF_EACH: Final = 100
SLACK: Final = 10
# What the prompt itself says is not what was asked.
OWN_ROLES: Final = frozenset({"system", "developer"})


@dataclass(frozen=True, slots=True)
class Clear:
    """A consensus that nobody contradicts, with its item (trace loaded) and its modes."""

    row: Consensus
    item: Item
    modes: tuple[str, ...]

    @property
    def is_acceptable(self) -> bool:
        return self.row.verdict == Verdict.ACCEPTABLE


@dataclass(frozen=True, slots=True)
class _Said:
    """Of a trace's payload, what a case needs."""

    output: str
    messages: list[dict[str, Any]]
    documents: list[Any]
    variables: dict[str, str]


def source_of(consensus_id: int) -> str:
    """The source of the case that a consensus becomes."""
    return f"consensus:{consensus_id}"


@step
def push(clear: Sequence[Clear], *, actor: Actor) -> None:
    """Those for which there is room become golden cases, each once."""
    wanted = _choose(clear)
    said = _payloads(wanted)
    cases = (_case(each, said.get(each.row.trace_id)) for each in wanted)
    golden.add_cases([case for case in cases if case is not None], actor=actor)


@step
def _choose(clear: Sequence[Clear]) -> list[Clear]:
    """Up to the cap of each prompt; failures first, so that they make room for the others."""
    if not clear:
        return []
    prompts = {each.item.trace.prompt_id for each in clear if each.item.trace.prompt_id}
    # Two workers who count at once would both find room for the last case.
    locked = Prompt.objects.select_for_update(no_key=True).filter(pk__in=prompts).order_by("pk")
    good, bad = _live([prompt.pk for prompt in locked])
    chosen = []
    for each in sorted(clear, key=lambda each: each.is_acceptable):
        prompt = each.item.trace.prompt_id
        counts, limit = bad, MOST_OF_EACH
        if each.is_acceptable:
            counts, limit = good, min(MOST_OF_EACH, bad[prompt] + SLACK)
        if counts[prompt] < limit:
            counts[prompt] += 1
            chosen.append(each)
    return chosen


def _live(prompts: Sequence[int]) -> tuple[Counter[int | None], Counter[int | None]]:
    """Live cases by prompt: the acceptable ones, and the failures."""
    rows = (
        GoldenCase.objects.filter(prompt__in=prompts, retired_at=None)
        .values_list("prompt")
        .annotate(good=Count("pk", filter=Q(modes=[])), bad=Count("pk", filter=~Q(modes=[])))
    )
    good: Counter[int | None] = Counter()
    bad: Counter[int | None] = Counter()
    for prompt, acceptable, failing in rows:
        good[prompt], bad[prompt] = acceptable, failing
    return good, bad


def _payloads(wanted: Sequence[Clear]) -> Mapping[int, _Said]:
    """Without the steps, which may be half a megabyte; one query that names the partitions."""
    if not wanted:
        return {}
    starts = [each.item.trace.started_at for each in wanted]
    rows = Payload.objects.filter(
        trace_id__in=[each.row.trace_id for each in wanted],
        started_at__gte=min(starts), started_at__lte=max(starts),
    ).values_list(
        "trace_id", "output", "content__messages", "content__documents", "content__variables"
    )  # fmt: skip
    return {pk: _Said(output, *parts) for pk, output, *parts in rows}


def _case(clear: Clear, said: _Said | None) -> golden.CaseIn | None:
    """None where the payload is gone, or nothing but the prompt itself was said."""
    trace = clear.item.trace
    asked = [each for each in said.messages if each.get("role") not in OWN_ROLES] if said else []
    if said is None or not asked or trace.prompt_id is None:
        return None
    return golden.CaseIn(
        project_id=trace.project_id, prompt_id=trace.prompt_id,
        rubric_version_id=clear.row.rubric_version_id, source=source_of(clear.row.pk),
        cluster=(trace.session or trace.trace_id)[:80], trace_ref=trace.pk,
        messages=asked, variables=said.variables, documents=said.documents,
        recorded_output=said.output, modes=clear.modes,
    )  # fmt: skip
