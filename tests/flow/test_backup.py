"""A backup, restored into an empty database, is the same installation."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from django.db import connection
from psycopg import sql

from annotation.consensus import settle_due
from annotation.labels import Submission, submit
from core.embedded import postgres_server
from core.models import Environment, Project, User
from registry.models import PromptVersion, RubricVersion
from registry.rubrics import Finding, Scorecard
from routing.retention import make_partitions
from tests.traces import enrol, queued, take

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).resolve().parents[2]
RESTORED = f"restored_{os.getpid()}"


def database_url(name: str) -> str:
    """Of that database on the server of the tests."""
    head, _, query = os.environ["DATABASE_URL"].partition("?")
    return f"{head.rpartition('/')[0]}/{name}?{query}"


@pytest.fixture
def filled(
    environment: Environment,
    project: Project,
    ann: User,
    rubric_version: RubricVersion,
    prompt_version: PromptVersion,
) -> Iterator[None]:
    """Rows on all floors; in default partitions and in one that is dropped again."""
    queued(environment, 2, started_at=datetime(2034, 6, 1, tzinfo=UTC))
    made = partitions()
    make_partitions()
    enrol(project, ann)
    queued(environment, 3)
    card = Scorecard("defective", (Finding("tone", severity="major", cause="prompt"),))
    submit(
        [Submission(lease.slot_id, lease.token, card) for lease in take(project, ann, 2)],
        rubric_version=rubric_version,
        source="test",
        actor=ann,
    )
    settle_due()
    yield
    with connection.cursor() as cursor:
        for name in partitions() - made:
            cursor.execute(f"DROP TABLE {name}")


def partitions() -> set[str]:
    query = "SELECT inhrelid::regclass::text FROM pg_inherits"
    with connection.cursor() as cursor:
        cursor.execute(query)
        return {name for (name,) in cursor.fetchall() if re.search(r"_\d{6}$", name)}


@pytest.fixture
def restored(filled: None, tmp_path: Path) -> Iterator[str]:
    """The address of a new database that a dump of the filled one was restored into."""
    run("pg_dump", "--format=custom", "--no-owner", f"--file={tmp_path / 'whetstone.dump'}",
        f"--dbname={database_url(connection.settings_dict['NAME'])}")  # fmt: skip
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as line:
        line.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(RESTORED)))
    try:
        run("pg_restore", "--no-owner", "--exit-on-error", "--single-transaction",
            f"--dbname={database_url(RESTORED)}", str(tmp_path / "whetstone.dump"))  # fmt: skip
        yield database_url(RESTORED)
    finally:
        with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as line:
            line.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(RESTORED)))


def run(program: str, *words: str) -> None:
    """One of the programs that come with the embedded server, as the guide has it."""
    path = Path(postgres_server._programs()) / program
    done = subprocess.run([path, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def counts(url: str) -> dict[str, int]:
    with psycopg.connect(url) as line:
        names = line.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        return {
            name: count
            for (name,) in names.fetchall()
            for (count,) in line.execute(
                sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(name))
            )
        }


def triggers(url: str) -> list[tuple[str, str]]:
    with psycopg.connect(url) as line:
        query = "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal"
        return sorted(line.execute(query).fetchall())


def append_only(url: str) -> list[str]:
    return [table for table, name in triggers(url) if name == f"{table}_append_only"]


def refused(url: str, statement: str) -> bool:
    """Whether the database says that the table is append-only."""
    with psycopg.connect(url) as line, pytest.raises(psycopg.errors.RestrictViolation) as raised:
        line.execute(statement)
    return "append-only" in str(raised.value)


def test_every_row_comes_back_and_history_stays_closed(restored: str) -> None:
    before = counts(database_url(connection.settings_dict["NAME"]))
    assert counts(restored) == before
    floors = ("core_project", "registry_promptversion", "routing_payload_default",
              "routing_decision", "annotation_label", "annotation_consensus")  # fmt: skip
    assert min(before[table] for table in floors) > 0
    assert triggers(restored) == triggers(database_url(connection.settings_dict["NAME"]))

    tables = [table for table in append_only(restored) if before[table]]
    assert {"core_auditentry", "annotation_label", "routing_decision"} <= set(tables)
    assert all(refused(restored, f"DELETE FROM {table}") for table in tables)
    assert refused(restored, "UPDATE annotation_label SET verdict = 'acceptable'")


def test_new_rows_take_numbers_of_their_own(restored: str) -> None:
    with psycopg.connect(restored) as line:
        new = (
            "INSERT INTO core_environment (project_id, name, created_at)"
            " SELECT project_id, 'new', created_at FROM core_environment LIMIT 1 RETURNING id"
        )
        last = line.execute("SELECT max(id) FROM core_environment").fetchone()
        made = line.execute(new).fetchone()
    assert made is not None
    assert last is not None
    assert made[0] > last[0]


def test_the_doctor_finds_the_restored_tables_whole(restored: str) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "doctor", "--json"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": restored},
        capture_output=True,
        text=True,
        check=False,
    )
    found = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
    assert found["database"]["state"] == found["migrations"]["state"] == "ok"
    assert "3 outputs wait" in found["review"]["sentence"]
