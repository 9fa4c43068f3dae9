"""What Prometheus is told of this floor, computed by query at the scrape."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Count

from annotation import consensus
from annotation.models import CalibrationSession, Consensus
from annotation.models.calibration import SessionState
from annotation.models.consensus import ConsensusState
from core.metrics import Sample


def samples() -> Iterator[Sample]:
    """The gauges of this floor; each query is bounded by what waits, not by what was."""
    yield Sample(
        "whetstone_consensus_due", "Reviewed items that wait for their consensus.", {},
        consensus.due().count(),
    )  # fmt: skip
    disputed = Consensus.objects.current().filter(state=ConsensusState.DISPUTED)
    by_project = disputed.values_list("trace__project__slug").annotate(n=Count("pk"))
    for slug, count in by_project.order_by("trace__project__slug"):
        yield Sample(
            "whetstone_consensus_disputed", "Outputs whose labels contradict each other.",
            {"project": slug}, count,
        )  # fmt: skip
    yield Sample(
        "whetstone_calibration_open", "Calibration sessions that are open.", {},
        CalibrationSession.objects.filter(state=SessionState.OPEN).count(),
    )  # fmt: skip
