"""The main job on real input: every count of the report equals one made from the file alone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from annotation.replay.world import slug_of
from core.access import SYSTEM, Role
from core.projects import add_member
from tests.annotation.replay.play import EXTRACTS, assert_counts, replay
from tests.annotation.replay.tally import tally
from tests.factories import make_project, make_user

SHARED = Path(__file__).parents[4] / "shared" / "data"
FULL = (
    "dices350", "expertqa", "gsm8k_solutions", "lamp", "mast", "squality_heval", "tau_airline",
    "tofueval", "ttcw", "whowhen", "wmt23_mqm_zhen", "xstest", "xsum_hallu",
)  # fmt: skip

pytestmark = pytest.mark.django_db


def full(name: str) -> Path:
    """The whole file; a checkout without the data says so, a CI that has them must find them."""
    path = SHARED / f"{name}.jsonl"
    required = SHARED.is_dir() and "WHETSTONE_CI" in os.environ
    if not path.is_file() and not required:
        pytest.skip(f"The whole of {name} is not beside this checkout; its extract is replayed.")
    return path


@pytest.mark.parametrize("path", EXTRACTS, ids=lambda path: path.stem)
def test_an_extract_comes_to_what_it_holds(path: Path, tmp_path: Path) -> None:
    assert_counts(replay(path, tmp_path), tally(path, slug_of(path.stem)))


@pytest.mark.parametrize("path", EXTRACTS, ids=lambda path: path.stem)
def test_without_auto_approval_everybody_says_everything(path: Path, tmp_path: Path) -> None:
    project = owned()
    report = replay(path, tmp_path, project=project)
    expected = tally(path, project)
    assert_counts(report, expected)
    assert report["judged"]["labels"] == expected.annotations


@pytest.mark.parametrize("name", FULL)
def test_a_whole_file_comes_to_what_it_holds(name: str, tmp_path: Path) -> None:
    path = full(name)
    assert_counts(replay(path, tmp_path), tally(path, slug_of(name)))


@pytest.mark.soak
@pytest.mark.parametrize("name", FULL)
def test_every_output_of_a_whole_file_is_reviewed(name: str, tmp_path: Path) -> None:
    path, project = full(name), owned()
    assert_counts(replay(path, tmp_path, project=project), tally(path, project))


def owned() -> str:
    """The slug of a project that belongs to people, who have granted no auto-approval."""
    project = make_project()
    add_member(project=project, user=make_user("Lee"), role=Role.LEAD, actor=SYSTEM)
    return project.slug
