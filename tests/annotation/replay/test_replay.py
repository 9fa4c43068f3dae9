"""A replay goes on where it was stopped, doubles nothing, and touches nobody else's work."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django import Settings

from annotation import consensus, replay
from annotation.models import Consensus, Label
from annotation.replay import labelling, stages
from annotation.replay.world import REASON
from core import clock
from core.access import SYSTEM, Role
from core.models import AuditEntry, Project, User
from core.projects import add_member, create_project
from registry import rubrics
from registry.models import GateRun, PromptVersion, Release
from routing import decide, queue
from routing.models import AutoApproval, Decision, Item, Slot, Trace
from routing.models.queue import SlotState
from tests.annotation.replay.lines import row, said, write
from tests.annotation.replay.play import EXTRACT, assert_counts
from tests.annotation.replay.play import replay as play
from tests.annotation.replay.tally import tally
from tests.factories import make_user

pytestmark = pytest.mark.django_db

MODES = ["extrinsic"]


def some(count: int = 6, **more: Any) -> list[dict[str, Any]]:
    """Outputs that three people judge: the odd ones are defective."""
    return [
        row(
            number,
            annotations=[said(name, MODES if number % 2 else []) for name in ("a", "b", "c")],
            **more,
        )
        for number in range(count)
    ]


def counts() -> dict[str, int]:
    models = [Trace, Decision, Item, Slot, Label, Consensus, User, PromptVersion, AuditEntry]
    return {model.__name__: model.objects.count() for model in models}


@pytest.fixture
def people(db: None) -> Project:
    """A project that belongs to somebody, so that nothing passes unseen."""
    project = create_project(slug="theirs", name="Theirs", actor=SYSTEM)
    add_member(project=project, user=make_user("Lee"), role=Role.LEAD, actor=SYSTEM)
    return project


@pytest.mark.parametrize("name", ["xsum_hallu", "wmt23_mqm_zhen", "tau_airline", "expertqa"])
def test_a_second_run_doubles_nothing(name: str, tmp_path: Path) -> None:
    first = play(EXTRACT / f"{name}.jsonl", tmp_path)
    before = counts()
    second = play(EXTRACT / f"{name}.jsonl", tmp_path)
    assert (second["run"]["created"], second["run"]["known"]) == (0, second["source"]["kept"])
    assert counts() == before
    del first["run"], second["run"]
    assert second == first


def test_a_larger_limit_goes_on_from_a_smaller_one(tmp_path: Path, people: Project) -> None:
    path = EXTRACT / "xsum_hallu.jsonl"
    play(path, tmp_path, project="theirs", limit=7)
    in_two = play(path, tmp_path, project="theirs")
    assert (in_two["run"]["created"], in_two["run"]["known"]) == (43, 7)
    whole = play(path, tmp_path, project="theirs-too")
    assert in_two["judged"]["labels"] > whole["judged"]["labels"]
    assert in_two["source"] == whole["source"]


def test_broken_lines_are_told_and_the_good_ones_replayed(tmp_path: Path) -> None:
    path = write(tmp_path / "f.jsonl", [*some(2), "{", row(7, task="cooking"), *some(4)[2:]])
    errors, out = StringIO(), StringIO()
    with pytest.raises(CommandError, match="2 of 6 lines are broken"):
        call_command("replay", path, stdout=out, stderr=errors)
    assert "f.jsonl:3: not JSON" in errors.getvalue()
    assert "f.jsonl:4: task: 'cooking' is not one of" in errors.getvalue()
    assert "f.jsonl:4: task:" in out.getvalue()
    assert Trace.objects.count() == 4


def test_a_file_without_a_good_line_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no line of it can be used"):
        call_command("replay", write(tmp_path / "f.jsonl", ["{"]), stderr=StringIO())
    with pytest.raises(CommandError, match="No such file"):
        call_command("replay", tmp_path / "absent.jsonl", stderr=StringIO())
    assert not Project.objects.exists()


def test_an_impossible_slug_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="slug"):
        call_command(
            "replay", write(tmp_path / "f.jsonl", some(1)), project="no slug!", stderr=StringIO()
        )


def test_auto_approval_is_granted_by_record_in_a_project_of_its_own(tmp_path: Path) -> None:
    report = play(write(tmp_path / "f.jsonl", some()), tmp_path)
    grant = AutoApproval.objects.get()
    assert (grant.kind, grant.reason) == ("override", REASON)
    assert REASON in report["routed"]["granted"]


def test_in_a_project_of_people_nothing_passes_unseen(tmp_path: Path, people: Project) -> None:
    report = play(write(tmp_path / "f.jsonl", some()), tmp_path, project="theirs")
    assert not AutoApproval.objects.exists()
    assert report["routed"]["saved"] == 0
    assert any("none of them has granted" in each for each in report["not_taken"])


def test_what_nobody_judged_stays_open_and_unassigned(tmp_path: Path, people: Project) -> None:
    rows = [*some(2), row(8), row(9)]
    report = play(write(tmp_path / "f.jsonl", rows), tmp_path, project="theirs")
    assert report["routed"]["items"] == {"done": 2, "open": 2}
    assert report["routed"]["unasked"] == 2
    free = Slot.objects.filter(item__state="open")
    assert {(slot.state, slot.reserved_for_id) for slot in free} == {("open", None)}


def test_everybody_gets_what_he_or_she_judged_and_nothing_else(
    tmp_path: Path, people: Project
) -> None:
    rows = [row(1, annotations=[said("a", [])]), row(2, annotations=[said("b", MODES)])]
    play(write(tmp_path / "f.jsonl", rows), tmp_path, project="theirs")
    found = Label.objects.values_list("annotator__name", "trace__trace_id", "verdict", "source")
    assert set(found) == {
        ("a", "tiny:1", "acceptable", "replay"),
        ("b", "tiny:2", "defective", "replay"),
    }


def test_what_a_killed_run_had_claimed_is_finished(tmp_path: Path, people: Project) -> None:
    path = write(tmp_path / "f.jsonl", some(4))
    reading = replay.read(path)
    world = replay.prepare(reading, slug="theirs")
    people_of = _until_assigned(reading, world)
    queue.claim(project=people, actor=people_of["a"], limit=3)
    with clock.at(clock.now() + timedelta(hours=2)):  # the leases have run out
        report = play(path, tmp_path, project="theirs")
    assert report["judged"]["labels"] == 12
    assert not Slot.objects.exclude(state=SlotState.DONE).exists()


def test_what_lies_beyond_a_smaller_limit_is_handed_back(tmp_path: Path, people: Project) -> None:
    path = write(tmp_path / "f.jsonl", some(4))
    reading = replay.read(path)
    _until_assigned(reading, replay.prepare(reading, slug="theirs"))
    report = play(path, tmp_path, project="theirs", limit=2)
    assert report["judged"]["labels"] == 6
    left = Slot.objects.exclude(state=SlotState.DONE)
    assert {(slot.state, slot.holder_id) for slot in left} == {(SlotState.OPEN, None)}
    assert play(path, tmp_path, project="theirs")["judged"]["labels"] == 12


def _until_assigned(reading: replay.Reading, world: replay.World) -> dict[str, User]:
    show, lines = replay.Silent(), reading.lines
    done = stages.take_in(lines, world, show)
    stages._work_off("", Trace.objects.on_the_way(), stages._PIPELINE, show)
    people = stages.cast.gather(world.project, reading.dataset, {"a", "b", "c"})
    stages.assign(lines, done.traces, people, world, show)
    return people


@pytest.mark.parametrize("stage", ["score", "decide", "assign", "label", "settle", "weigh"])
def test_stopped_at_any_stage_it_ends_with_the_same_counts(
    stage: str, tmp_path: Path, people: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = EXTRACT / "wmt23_mqm_zhen.jsonl"
    with monkeypatch.context() as patch:
        _break(patch, stage)
        with pytest.raises(KeyboardInterrupt):
            play(path, tmp_path, project="theirs")
    report = play(path, tmp_path, project="theirs")
    assert_counts(report, tally(path, "theirs"))
    assert report["judged"]["labels"] == 90


def _break(patch: pytest.MonkeyPatch, stage: str) -> None:
    def stop(*_: Any, **__: Any) -> Iterator[None]:
        raise KeyboardInterrupt

    places: dict[str, tuple[Any, str]] = {
        "score": (stages, "_PIPELINE"),
        "decide": (stages, "_PIPELINE"),
        "assign": (stages.queue, "assign"),
        "label": (labelling.labels, "submit"),
        "settle": (stages.consensus, "settle_due"),
        "weigh": (stages.surfaces, "weigh"),
    }
    place, name = places[stage]
    pipelines = {"score": (stop,), "decide": (stages.scoring.score_due, stop)}
    patch.setattr(place, name, pipelines.get(stage, stop))


def test_it_waits_for_a_worker_and_gives_up_on_a_dead_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stages, "PATIENCE", 0.2)
    monkeypatch.setattr(stages, "PAUSE", 0.05)
    monkeypatch.setattr(stages, "_PIPELINE", (lambda: 0,))
    path = write(tmp_path / "f.jsonl", some(2))
    with pytest.raises(CommandError, match="another process holds the last 2"):
        call_command("replay", path, stdout=StringIO(), stderr=StringIO())


def test_a_shared_system_message_is_the_prompt(tmp_path: Path) -> None:
    play(EXTRACT / "tau_airline.jsonl", tmp_path)
    version = PromptVersion.objects.get()
    assert [(block["role"], block["locked"]) for block in version.blocks] == [("system", False)]
    assert set(Trace.objects.values_list("prompt_version", flat=True)) == {version.pk}
    assert Release.objects.get().state == "live"


def test_without_a_system_message_the_input_is_locked_and_guidance_is_proposed(
    tmp_path: Path, people: Project, settings: Settings
) -> None:
    settings.MODELS = {"task": "", "judge": "", "optimizer": ""}
    report = play(write(tmp_path / "f.jsonl", some(8)), tmp_path, project="theirs")
    first, second = PromptVersion.objects.order_by("number")
    assert [(b["text"], b["locked"]) for b in first.blocks] == [("{{input}}", True)]
    assert second.origin == "optimizer"
    (proposal,) = report["learned"]["proposals"]
    assert (proposal["mode"], proposal["citations"]) == ("extrinsic", 4)
    (gate,) = report["learned"]["gates"]
    assert gate["state"] == GateRun.objects.get().state == "not_run"
    assert "TASK_MODEL" in gate["reason"]


def test_lines_of_another_prompt_are_not_tied_to_it(tmp_path: Path) -> None:
    system = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
    path = write(tmp_path / "f.jsonl", [row(1, prompt=system), row(2), row(3, prompt=[])])
    reading = replay.read(path, limit=1)
    replay.prepare(reading)
    play(path, tmp_path)
    tied = dict(Trace.objects.values_list("trace_id", "prompt__slug"))
    assert tied == {"tiny:1": "replayed", "tiny:2": None, "tiny:3": None}


def test_without_a_prompt_the_report_says_what_could_not_be_done(
    tmp_path: Path, people: Project
) -> None:
    report = play(write(tmp_path / "f.jsonl", some(8, prompt=[])), tmp_path, project="theirs")
    assert not PromptVersion.objects.exists()
    assert report["learned"]["proposals"] == []
    assert report["learned"]["evidence"] == {"prompt": 4}
    assert any("there is nothing to revise" in each for each in report["not_taken"])


def test_more_lines_with_more_modes_publish_another_edition(tmp_path: Path) -> None:
    rows = [row(1, annotations=[said("a", ["x"])]), row(2, annotations=[said("a", ["y", "x"])])]
    path = write(tmp_path / "f.jsonl", rows)
    play(path, tmp_path, limit=1)
    play(path, tmp_path)
    play(path, tmp_path)
    edition = rubrics.current(Project.objects.get())
    assert edition is not None
    assert (edition.number, list(rubrics.modes_of(edition))) == (2, ["x", "y"])


def test_labels_of_what_passed_are_held_back(tmp_path: Path) -> None:
    report = play(EXTRACT / "xsum_hallu.jsonl", tmp_path)
    passed = Decision.objects.filter(action="auto_approve").values("trace")
    assert passed.count() == report["escape"]["passed"] > 0
    assert not Label.objects.filter(trace__in=passed).exists()


def test_annotators_cannot_sign_in(tmp_path: Path) -> None:
    play(EXTRACT / "xsum_hallu.jsonl", tmp_path)
    users = list(User.objects.all())
    assert users
    assert not any(user.has_usable_password() for user in users)
    assert all(user.email.endswith("@replay.invalid") for user in users)


def test_nothing_is_left_due(tmp_path: Path, people: Project) -> None:
    play(write(tmp_path / "f.jsonl", some()), tmp_path, project="theirs")
    assert not consensus.due().exists()
    assert decide.decide_due() == 0


def test_statistics_from_when_the_tables_were_empty_do_not_stop_it(
    tmp_path: Path, people: Project
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    began = time.monotonic()
    play(EXTRACT / "dices350.jsonl", tmp_path, project="theirs")
    # With plans made for empty tables it took more than ten minutes.
    assert time.monotonic() - began < 60


def test_the_report_can_be_read(tmp_path: Path, people: Project) -> None:
    out = StringIO()
    call_command("replay", EXTRACT / "lamp.jsonl", project="theirs", stdout=out, stderr=StringIO())
    text = out.getvalue()
    for heading in (
        "lines read", "Tiers and actions", "review share saved", "truth held back", "Labels",
        "Consensus", "Agreement on", "Failure modes by consensus", "Default causes used",
        "Findings", "Proposed: version 2", "Gate", "Steps not taken, and why", "Stored 6 new",
    ):  # fmt: skip
        assert heading in text
