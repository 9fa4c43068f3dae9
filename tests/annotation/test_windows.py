"""What operators see of this floor: the stock admin, and the gauges."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from annotation import consensus
from annotation.metrics import samples
from core.models import Environment, User
from registry.models import RubricVersion
from tests.annotation import world
from tests.annotation.world import FINE, Desk, bad, make_items, make_traces


@pytest.fixture
def desk(environment: Environment, rubric_version: RubricVersion, ann: User, bo: User) -> Desk:
    world.enrol(ann, bo, environment=environment)
    return Desk(environment, rubric_version)


def test_the_admin_shows_labels_and_changes_none(desk: Desk, ann: User, client: Client) -> None:
    make_items(make_traces(desk.environment))
    [label] = desk.judge(ann, bad("tone"))
    consensus.settle_due()
    client.force_login(User.objects.create_superuser("root@example.com"))
    for model in ("label", "consensus", "calibrationsession", "draft"):
        assert client.get(reverse(f"admin:annotation_{model}_changelist")).status_code == 200
        assert client.get(reverse(f"admin:annotation_{model}_add")).status_code == 403
    page = reverse("admin:annotation_label_change", args=[label.pk])
    assert b"tone" in client.get(page).content
    assert client.post(page, {"verdict": "acceptable"}).status_code == 403
    assert client.post(reverse("admin:annotation_label_delete", args=[label.pk])).status_code == 403


def test_gauges_tell_what_waits(desk: Desk, ann: User, bo: User) -> None:
    make_items(make_traces(desk.environment), opinions=2)
    desk.judge(ann, FINE)
    desk.judge(bo, bad("tone"))
    assert read("whetstone_consensus_due") == [({}, 1)]
    assert read("whetstone_consensus_disputed") == []
    consensus.settle_due()
    assert read("whetstone_consensus_due") == [({}, 0)]
    slug = desk.environment.project.slug
    assert read("whetstone_consensus_disputed") == [({"project": slug}, 1)]
    assert read("whetstone_calibration_open") == [({}, 0)]


def read(name: str) -> list[tuple[dict[str, str], float]]:
    return [(each.labels, each.value) for each in samples() if each.name == name]
