"""What the guide for operators says is so: variables, manifests, alerts, SQL."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.db import connection
from django.urls import resolve

from routing.models.decision import Tier
from routing.models.trace import Stage

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
GUIDE = (DOCS / "operations.md").read_text()
MANIFESTS = sorted((DOCS / "kubernetes").glob("*.yaml"))


def read(path: Path) -> list[dict[str, Any]]:
    return [part for part in yaml.safe_load_all(path.read_text()) if part]


def manifests(kind: str) -> list[dict[str, Any]]:
    return [part for path in MANIFESTS for part in read(path) if part["kind"] == kind]


def container(name: str) -> dict[str, Any]:
    """The one container of that Deployment or Job."""
    [found] = [
        part["spec"]["template"]["spec"]["containers"]
        for part in [*manifests("Deployment"), *manifests("Job")]
        if part["metadata"]["name"] == f"whetstone-{name}"
    ]
    assert len(found) == 1
    return dict(found[0])


def variables() -> set[str]:
    """What the settings read from the environment."""
    text = "".join((ROOT / "config" / name).read_text() for name in ("settings.py", "env.py"))
    return set(re.findall(r'\b(?:text|flag|secret|words|number)\(\s*"([A-Z_]+)"', text))


def gauges() -> set[str]:
    """The names of all samples."""
    sources = (path.read_text() for path in ROOT.glob("*/metrics.py"))
    return {name for text in sources for name in re.findall(r'"(whetstone_\w+)"', text)}


def rules() -> list[dict[str, Any]]:
    [content] = read(DOCS / "alerts.yaml")
    return [rule for group in content["groups"] for rule in group["rules"]]


def test_every_variable_is_in_the_guide_and_none_that_is_not_read() -> None:
    table = GUIDE.split("## Variables")[1].split("## Back up")[0]
    cells = [row.split("|")[1] for row in table.splitlines() if row.startswith("| `")]
    assert set(re.findall(r"`([A-Z_]+)`", " ".join(cells))) == variables()


def test_links_of_the_guide_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", GUIDE)
    assert len(links) > 5
    assert [link for link in links if not (DOCS / link).exists()] == []


def test_every_manifest_is_in_the_guide() -> None:
    assert {f"kubernetes/{path.name}" for path in MANIFESTS} == set(
        re.findall(r"\((kubernetes/[^)]+)\)", GUIDE)
    )


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_manifests_are_whole(path: Path) -> None:
    for part in read(path):
        assert {"apiVersion", "kind", "metadata"} <= set(part)
        assert part["metadata"].get("namespace", "whetstone") == "whetstone"


def test_selectors_choose_the_pods_they_stand_over() -> None:
    pods = [part["spec"]["template"]["metadata"]["labels"] for part in manifests("Deployment")]
    chosen = [part["spec"]["selector"]["matchLabels"] for part in manifests("Deployment")]
    assert chosen == pods
    assert manifests("Service")[0]["spec"]["selector"] in pods
    assert manifests("PodDisruptionBudget")[0]["spec"]["selector"]["matchLabels"] in pods


@pytest.mark.parametrize("name", ["migrate", "worker", "model-worker", "beat"])
def test_the_manifests_run_what_compose_runs(name: str) -> None:
    [compose] = read(ROOT / "compose.yaml")
    assert container(name)["command"] == compose["services"][name]["command"]


@pytest.mark.parametrize("name", ["migrate", "web", "worker", "model-worker", "beat"])
def test_every_process_reads_settings_and_secrets(name: str) -> None:
    sources = [next(iter(source.values()))["name"] for source in container(name)["envFrom"]]
    assert sources == ["whetstone", "whetstone"]
    assert {entry["name"] for entry in container(name).get("env", [])} <= variables()


def test_the_settings_of_the_manifests_are_read() -> None:
    [config] = manifests("ConfigMap")
    named = re.findall(r"from-literal=([A-Z_]+)=", (DOCS / "kubernetes/settings.yaml").read_text())
    assert {"SECRET_KEY", "DATABASE_URL", "REDIS_URL"} <= set(named)
    assert {*config["data"], *named} <= variables()
    assert not set(config["data"]) & set(named)
    assert all(isinstance(value, str) for value in config["data"].values())


def test_probes_ask_what_is_served_by_a_name_that_is_allowed() -> None:
    [config] = manifests("ConfigMap")
    web = container("web")
    for probe in (web["livenessProbe"], web["readinessProbe"]):
        asked = probe["httpGet"]
        assert resolve(asked["path"]).url_name == asked["path"].strip("/")
        assert asked["httpHeaders"][0]["value"] in config["data"]["ALLOWED_HOSTS"].split(",")


def test_there_is_one_beat() -> None:
    [beat] = [
        part for part in manifests("Deployment") if part["metadata"]["name"] == "whetstone-beat"
    ]
    assert (beat["spec"]["replicas"], beat["spec"]["strategy"]["type"]) == (1, "Recreate")


def test_alerts_read_gauges_that_exist() -> None:
    used = {name for rule in rules() for name in re.findall(r"\bwhetstone_\w+", rule["expr"])}
    assert len(used) >= 8
    assert used <= gauges()


def test_alerts_name_tiers_and_stages_that_exist() -> None:
    text = "".join(rule["expr"] for rule in rules())
    assert set(re.findall(r'tier!?="(\w+)"', text)) <= set(Tier.values)
    assert set(re.findall(r'stage!?="(\w+)"', text)) <= set(Stage.values)


def test_every_alert_says_what_to_do_and_how_urgent_it_is() -> None:
    names = [rule["alert"] for rule in rules()]
    assert len(set(names)) == len(names)
    for rule in rules():
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert set(rule["annotations"]) == {"summary", "what_to_do"}
        assert rule["expr"].count("(") == rule["expr"].count(")")


@pytest.mark.django_db
def test_the_guides_sql_moves_a_month_out_of_the_default_partition() -> None:
    [block] = re.findall(r"```sql\n(.*?)```", GUIDE, re.DOTALL)
    statements = block.replace("BEGIN;", "").replace("COMMIT;", "")
    put = (
        "INSERT INTO routing_payload (trace_id, started_at, output, content)"
        " VALUES (1, %s, '', '{}')"
    )
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS routing_payload_202610, routing_payload_202611")
        cursor.execute(put, [datetime(2026, 11, 5, tzinfo=UTC)])
        cursor.execute(put, [datetime(2026, 10, 5, tzinfo=UTC)])
        cursor.execute(statements)
        cursor.execute("SELECT tableoid::regclass::text FROM routing_payload ORDER BY started_at")
        assert cursor.fetchall() == [("routing_payload_default",), ("routing_payload_202611",)]
