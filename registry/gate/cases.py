"""Which golden cases a gate looks at."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from django.db.models import QuerySet

from registry.models import Citation, GoldenCase, OptimizationRun, PromptVersion

MOST: Final = 200


def choose(candidate: PromptVersion) -> list[GoldenCase]:
    """All that must pass, then one of each cluster, newest first, up to MOST.

    The same cases for the same candidate as long as none is added: a second run is no second
    draw. What a model was shown while it wrote the candidate is no test of it.
    """
    live = GoldenCase.objects.filter(prompt_id=candidate.prompt_id, retired_at=None)
    must = list(live.filter(must_pass=True).order_by("-pk"))
    others = live.filter(must_pass=False).exclude(trace_ref__in=_shown(candidate))
    heads = _heads(others, taken={case.cluster for case in must})
    room = max(0, MOST - len(must))
    return must + list(others.filter(pk__in=heads[:room]).order_by("-pk"))


def _heads(cases: QuerySet[GoldenCase], taken: Iterable[str]) -> list[int]:
    """The newest of each cluster that is not `taken`, newest first, without their texts."""
    clusters = set(taken)
    heads: list[int] = []
    for pk, cluster in cases.order_by("-pk").values_list("pk", "cluster"):
        if cluster not in clusters:
            clusters.add(cluster)
            heads.append(pk)
    return heads


def _shown(candidate: PromptVersion) -> list[int]:
    """Traces whose evidence a model read to write `candidate`; none where no model did."""
    if not OptimizationRun.objects.filter(proposal=candidate, calls__gt=0).exists():
        return []
    cited = Citation.objects.filter(version=candidate)
    return list(cited.values_list("evidence__trace_ref", flat=True))
