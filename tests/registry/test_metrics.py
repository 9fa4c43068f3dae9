from __future__ import annotations

from core.access import SYSTEM
from core.models import Environment, Project
from registry import metrics, release
from registry.models import PromptVersion
from registry.surfaces import weigh
from tests.registry.facts import make_evidence


def values(name: str) -> list[tuple[dict[str, str], float]]:
    return [(each.labels, each.value) for each in metrics.samples() if each.name == name]


def test_an_empty_house_has_nothing_waiting(db: None) -> None:
    found = {each.name: each.value for each in metrics.samples()}
    assert found == {
        "whetstone_gate_runs_due": 0,
        "whetstone_optimizations_due": 0,
        "whetstone_observations_due": 0,
    }


def test_what_is_served_and_what_is_open_are_told_by_name(
    project: Project, prompt_version: PromptVersion, environment: Environment
) -> None:
    release.go_live(version=prompt_version, environment=environment, reason="x", actor=SYSTEM)
    for _ in range(3):
        make_evidence(prompt_version)
    weigh(project=project, actor=SYSTEM)
    ((labels, number),) = values("whetstone_prompt_version")
    assert (labels["environment"], labels["state"], number) == ("production", "live", 1)
    expected = ({"project": project.slug, "lever": "prompt"}, 1)
    assert values("whetstone_findings_open") == [expected]
