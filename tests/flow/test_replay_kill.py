"""SIGKILL during a replay: run again, it ends with the counts that the file dictates."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection

from annotation.demo.simulator import Simulator
from annotation.models import Consensus, Label
from core import embedded
from core.access import SYSTEM, Role
from core.embedded import postgres_server, redis_server
from core.projects import add_member, create_project
from routing.models import Decision, Slot, Trace
from tests.annotation.replay.play import EXTRACT, assert_counts
from tests.annotation.replay.tally import rows_of, tally
from tests.factories import make_user
from tests.flow.stage import staged, wait_for

ROOT = Path(__file__).resolve().parents[2]
# Five outputs with 123 annotators each: hundreds of small transactions to be killed between.
FILE = EXTRACT / "dices350.jsonl"
SLUG = "theirs"
NO_MODELS = dict.fromkeys(
    ["TASK_MODEL", "JUDGE_MODEL", "OPTIMIZER_MODEL", "OPENAI_BASE_URL", "OPENAI_API_KEY"], ""
)


def launch(out: Path, environment: Mapping[str, str], *words: str) -> subprocess.Popen[bytes]:
    """`manage.py replay`, its words in a log beside the report."""
    with out.with_suffix(".log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "manage.py", "replay", FILE, "--json", out, *words],
            cwd=ROOT, env=dict(environment), stdout=log, stderr=log,
        )  # fmt: skip


def finish(out: Path, environment: Mapping[str, str], *words: str) -> dict[str, Any]:
    """The report of a replay that nobody disturbs."""
    process = launch(out, environment, *words)
    assert process.wait(120) == 0, out.with_suffix(".log").read_text(encoding="utf-8")
    report: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    return report


def kill_when(process: subprocess.Popen[bytes], holds: Callable[[], object]) -> None:
    """SIGKILL as soon as it holds, in the middle of whatever comes next."""
    while process.poll() is None and not holds():
        time.sleep(0.002)
    process.kill()
    assert process.wait() == -signal.SIGKILL, "it ended before it could be killed"


def database_of_tests() -> str:
    head, _, query = os.environ["DATABASE_URL"].partition("?")
    return f"{head.rpartition('/')[0]}/{connection.settings_dict['NAME']}?{query}"


@pytest.fixture
def slug(transactional_db: None) -> str:
    """A project of people, so that every output is reviewed."""
    project = create_project(slug=SLUG, name="Theirs", actor=SYSTEM)
    add_member(project=project, user=make_user("Lee"), role=Role.LEAD, actor=SYSTEM)
    return SLUG


@pytest.mark.django_db(transaction=True)
def test_the_replay_is_killed_at_every_stage(tmp_path: Path, slug: str) -> None:
    environment = {**os.environ, **NO_MODELS, "DATABASE_URL": database_of_tests()}
    marks: list[Callable[[], object]] = [
        Trace.objects.exists,
        Decision.objects.exists,
        Slot.objects.filter(reserved_for__isnull=False).exists,
        lambda: Label.objects.count() >= 50,
        lambda: Slot.objects.filter(state="leased").exists() and Label.objects.count() >= 200,
        lambda: Label.objects.count() >= 400,
    ]
    for mark in marks:
        kill_when(launch(tmp_path / "r.json", environment, "--project", slug), mark)
    report = finish(tmp_path / "r.json", environment, "--project", slug)
    assert_counts(report, tally(FILE, slug))
    assert report["judged"]["labels"] == 615
    again = finish(tmp_path / "again.json", environment, "--project", slug)
    del report["run"], again["run"]
    assert again == report


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("victim", ["worker", "beat"])
def test_a_worker_that_shares_the_work_is_killed(
    victim: str, tmp_path: Path, slug: str, simulator: Simulator
) -> None:
    with staged(tmp_path, simulator) as stage:
        environment = {
            **os.environ, **NO_MODELS, "DATABASE_URL": database_of_tests(),
            "REDIS_URL": redis_server.url(tmp_path),
        }  # fmt: skip
        process = launch(tmp_path / "r.json", environment, "--project", slug)
        wait_for(lambda: Label.objects.count() >= 100, "labels")
        stage.kill(victim)
        assert process.wait(180) == 0
    report = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    assert_counts(report, tally(FILE, slug))
    assert Consensus.objects.current().count() == 5


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A PostgreSQL and a Redis of its own, as the first command on a fresh machine starts them."""
    where = tmp_path_factory.mktemp("h")
    yield where
    embedded.stop(where)


def test_postgresql_and_redis_are_killed(home: Path, tmp_path: Path) -> None:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("WHETSTONE_", "DATABASE_"))}
    environment = {**kept, **NO_MODELS, "REDIS_URL": "", "WHETSTONE_HOME": str(home)}
    for words in (["migrate", "-v0"], ["shell", "-v0", "-c", PEOPLE]):
        subprocess.run([sys.executable, "manage.py", *words], cwd=ROOT, env=environment, check=True)
    out = tmp_path / "r.json"

    process = launch(out, environment, "--project", SLUG)
    wait_for(lambda: labels_in(home) >= 50, "labels")
    os.kill(postgres_server.pid(home) or 0, signal.SIGKILL)
    assert process.wait(120) == 1
    assert "Run the same command again" in out.with_suffix(".log").read_text(encoding="utf-8")

    embedded.start(home)
    before = labels_in(home)
    assert before < 615
    process = launch(out, environment, "--project", SLUG)
    wait_for(lambda: labels_in(home) > before, "more labels")
    os.kill(redis_server.pid(home) or 0, signal.SIGKILL)
    assert process.wait(120) == 0

    report = json.loads(out.read_text(encoding="utf-8"))
    assert report["judged"]["labels"] == labels_in(home) == 615
    assert report["judged"]["verdicts"] == verdicts_of(FILE)
    assert report["routed"]["items"] == {"done": 5}


PEOPLE = f"""
from core.access import SYSTEM, Role
from core.models import User
from core.projects import add_member, create_project
project = create_project(slug={SLUG!r}, name="Theirs", actor=SYSTEM)
lee = User.objects.create_user("lee@example.com")
add_member(project=project, user=lee, role=Role.LEAD, actor=SYSTEM)
"""


def labels_in(home: Path) -> int:
    """How many slots have a label by now; a slot with two would be a fault."""
    with psycopg.connect(postgres_server.url(home)) as link:
        row = link.execute(
            "SELECT count(*), count(DISTINCT slot_id) FROM annotation_label"
        ).fetchone()
    assert row is not None
    assert row[0] == row[1]
    return int(row[0])


def verdicts_of(path: Path) -> Counter[str]:
    return Counter(
        "unstated" if "failure_modes" not in said
        else "defective" if said["failure_modes"] else "acceptable"
        for row in rows_of(path) for said in row["annotations"]
    )  # fmt: skip
