"""The rules of the house that a machine can check."""

from __future__ import annotations

import ast
import importlib.util
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import models
from django.db.migrations.loader import MigrationLoader

from config.celery import app as celery

ROOT = Path(__file__).resolve().parents[2]
FLOORS = ["core", "registry", "routing", "annotation"]
OURS = [*FLOORS, "config"]


def sources(*packages: str) -> Iterator[tuple[Path, ast.Module]]:
    for package in packages:
        for path in sorted((ROOT / package).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path.relative_to(ROOT), ast.parse(path.read_text())


def own_models() -> list[type[models.Model]]:
    return [model for model in apps.get_models() if model._meta.app_label in FLOORS]


def run(*command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_imports_go_down_only() -> None:
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_the_code_is_formatted_and_linted() -> None:
    run("ruff", "check", "--quiet", ".")
    run("ruff", "format", "--check", "--quiet", ".")


def test_templates_are_linted() -> None:
    run("djlint", "--lint", "--quiet", "templates")


@pytest.mark.django_db
def test_no_migration_is_missing() -> None:
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


@pytest.mark.parametrize("app", FLOORS)
def test_migrations_are_linear_named_and_reversible(app: str) -> None:
    loader = MigrationLoader(None, ignore_no_migrations=True)
    assert len(loader.graph.leaf_nodes(app)) == 1
    for (label, name), migration in loader.disk_migrations.items():
        if label == app:
            assert not re.search(r"auto|merge|initial$", name), name
            assert all(operation.reversible for operation in migration.operations), name


def test_no_signal_receiver_and_no_save_override() -> None:
    for path, tree in sources(*OURS):
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                decorators = {ast.unparse(each) for each in node.decorator_list}
                assert not any("receiver" in each for each in decorators), (path, node.name)
                assert not (node.name == "save" and "models" in path.parts), (path, node.name)


def test_foreign_keys_across_floors_have_no_way_back() -> None:
    """An upper floor may hang on a lower one; the lower must not know."""
    for model in own_models():
        for field in model._meta.get_fields():
            if isinstance(field, models.ForeignKey) and field.related_model is not None:
                above = FLOORS.index(model._meta.app_label)
                label = field.related_model._meta.app_label
                below = FLOORS.index(label) if label in FLOORS else 0
                assert below <= above, f"{model.__name__}.{field.name} points up"


def test_no_import_hides_in_a_function() -> None:
    hidden = [
        f"{path}:{node.lineno}"
        for path, tree in sources(*OURS)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
        and any(part in FLOORS for part in _modules(node))
    ]
    assert hidden == []


def _modules(node: ast.Import | ast.ImportFrom) -> list[str]:
    if isinstance(node, ast.ImportFrom):
        return [(node.module or "").split(".")[0]]
    return [alias.name.split(".")[0] for alias in node.names]


def test_rooms_know_no_http() -> None:
    """import-linter knows outside packages by their first name only; the rest is looked up here."""
    doors = {"web", "api", "templatetags", "management", "embedded", "supervision"}
    files = {"web.py", "api.py", "urls.py", "admin.py", "probes.py"}
    for path, tree in sources(*FLOORS):
        if doors & set(path.parts) or path.name in files:
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                assert node.module not in {"django.http", "django.shortcuts"}, path


def test_types_are_strict() -> None:
    run("mypy", *OURS, "manage.py")


def test_time_has_one_source() -> None:
    for path, tree in sources(*OURS):
        if str(path) == "core/clock.py":
            continue
        for node in ast.walk(tree):
            text = ast.unparse(node) if isinstance(node, ast.Call) else ""
            assert text not in {"timezone.now()", "datetime.now()", "datetime.utcnow()"}, path
            assert "auto_now" not in text, path


def test_every_task_is_named_after_its_room_and_swept() -> None:
    for floor in FLOORS:
        importlib.import_module(f"{floor}.tasks")
    mine = {name for name in celery.tasks if name.split(".")[0] in FLOORS}
    assert mine
    for name in mine:
        floor, room = name.split(".")[:2]
        assert importlib.util.find_spec(f"{floor}.{room}"), name
    swept = {name for floor in FLOORS for name in importlib.import_module(f"{floor}.tasks").SWEEPS}
    assert mine == swept


def test_tenancy_is_one_method() -> None:
    """Every model that leads to a project can say what an actor may see of it."""
    for model in own_models():
        names = {field.name for field in model._meta.get_fields() if not field.auto_created}
        tenant = "project" in names and model._meta.app_label != "core"
        assert not tenant or hasattr(model.objects, "visible_to"), model.__name__


def test_upper_floors_write_lower_tables_through_rooms_only() -> None:
    """No `Model.objects.create` and the like on a model of a lower floor."""
    writers = {"create", "bulk_create", "update", "delete", "bulk_update", "get_or_create"}
    for floor in ("routing", "annotation"):
        lower = FLOORS[: FLOORS.index(floor)]
        names = {m.__name__ for m in own_models() if m._meta.app_label in lower} - {"User"}
        for path, tree in sources(floor):
            for node in ast.walk(tree):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                    text = ast.unparse(node.func)
                    bad = node.func.attr in writers and text.split(".objects")[0] in names
                    assert not bad, f"{path}:{node.lineno} {text}"


def test_nothing_is_left_undone() -> None:
    marks = re.compile(r"\b(TODO|FIXME|XXX|NotImplementedError)\b")
    for path in [p for package in OURS for p in (ROOT / package).rglob("*.py")]:
        assert not marks.search(path.read_text()), path


def test_no_file_outgrows_its_room() -> None:
    """At 400 lines a room becomes a package."""
    for package in OURS:
        for path in (ROOT / package).rglob("*.py"):
            if "migrations" not in path.parts:
                assert len(path.read_text().splitlines()) <= 400, path
