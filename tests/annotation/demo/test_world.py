"""The demo world in its small size: made once, through the rooms, with the story it must tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.core.management import call_command
from django.db import transaction
from django.db.models import Count, F, Max, Min, Model, Q, Sum
from django.test import Client
from pytest_django import Settings

from annotation.demo.world import QUICK, fill, logins, simulated_model
from annotation.management.commands.demo import EXAMPLE
from annotation.models import CalibrationSession, Consensus, Label, LabelFinding
from core import clock
from core.access import Role, Verb
from core.keys import find_key
from core.models import AuditEntry, LlmCall, Membership, Project
from registry.models import (
    Approval,
    Citation,
    Evidence,
    GateRun,
    GoldenCase,
    Observation,
    PromptVersion,
    Release,
    SurfaceFinding,
)
from registry.models.release import ReleaseState
from routing.models import AutoApproval, Decision, Item, Score, SlaEvent, Slot, Trace
from routing.models.decision import Action
from routing.models.queue import ItemState, Purpose, SlotState
from routing.models.trace import Stage

NOW = datetime(2026, 3, 18, 14, 20, tzinfo=UTC)
TABLES: tuple[type[Model], ...] = (
    AuditEntry, LlmCall, Membership, Trace, Score, Decision, Item, Slot, SlaEvent, Label,
    LabelFinding, Consensus, CalibrationSession, Evidence, GoldenCase, SurfaceFinding,
    PromptVersion, Citation, GateRun, Approval, Release, Observation, AutoApproval,
)  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder of our own for the text of the key."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("home")
        patch.setattr("core.embedded.home", lambda: folder)
        yield folder


@pytest.fixture(scope="module")
def filled(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """One world for all tests that only look; it goes with the module's transaction."""
    with django_db_blocker.unblock():
        whole = transaction.atomic()
        whole._from_testcase = True  # type: ignore[attr-defined]  # durable blocks may stand in it
        with whole:
            with simulated_model(), clock.at(NOW):
                fill(QUICK)
            yield
            transaction.set_rollback(True)


@pytest.fixture
def world(filled: None, db: None) -> Project:
    return Project.objects.get(slug="meridale")


def counts() -> dict[str, int]:
    return {table.__name__: table._default_manager.count() for table in TABLES}


def audited(verb: str) -> int:
    return AuditEntry.objects.filter(verb=verb).count()


def test_every_trace_is_decided_and_every_decision_has_its_consequence(world: Project) -> None:
    traces = Trace.objects.filter(project=world)
    assert traces.count() == traces.filter(stage=Stage.DECIDED).count() == QUICK.traces
    actions = Counter(Decision.objects.values_list("action", flat=True))
    assert actions.total() == QUICK.traces
    assert min(actions[action] for action in Action.values) > 0
    assert Item.objects.count() == actions[Action.REVIEW] + actions[Action.AUDIT]
    judged = Score.objects.filter(evaluator="model_judge", failed__isnull=False)
    assert judged.count() == QUICK.traces


def test_labels_slots_and_consensus_add_up(world: Project) -> None:
    work = Label.objects.filter(purpose__in=[Purpose.WORK, Purpose.AUDIT])
    assert work.count() == Slot.objects.filter(state=SlotState.DONE).count() > 150
    done = set(Item.objects.filter(state=ItemState.DONE).values_list("pk", flat=True))
    assert set(Consensus.objects.current().values_list("item_id", flat=True)) == done
    assert Slot.objects.filter(state=SlotState.LEASED).count() == 0
    found = LabelFinding.objects.filter(label__purpose__in=[Purpose.WORK, Purpose.AUDIT])
    assert set(found.values_list("label__verdict", flat=True)) == {"defective"}


def test_a_canary_went_live_by_its_own_figures(world: Project) -> None:
    [live] = Release.objects.filter(prompt__slug="support-answer", state=ReleaseState.LIVE)
    assert live.version.origin == "optimizer"
    assert live.promoted_at is not None
    assert live.monitor["verdict"] == "promote"
    assert Citation.objects.filter(version=live.version).count() > 0
    [entry] = AuditEntry.objects.filter(verb="registry.release_promoted")
    assert (entry.actor_label, entry.target_id) == ("system", str(live.pk))
    assert GateRun.objects.filter(candidate=live.version, finished_at__isnull=False).count() == 1


def test_a_canary_was_rolled_back_by_itself(world: Project) -> None:
    [gone] = Release.objects.filter(state=ReleaseState.ROLLED_BACK)
    assert gone.version.note.startswith("Spring campaign")
    assert gone.monitor["verdict"] == "rollback"
    assert gone.end_reason.startswith("Worse than its control")
    [entry] = AuditEntry.objects.filter(verb="registry.release_rolled_back")
    assert (entry.actor_label, entry.target_id) == ("system", str(gone.pk))
    [gate] = GateRun.objects.filter(candidate=gone.version)
    assert gate.state == "blocked"


def test_nobody_approved_what_he_or_she_wrote(world: Project) -> None:
    approvals = Approval.objects.select_related("version")
    assert approvals.count() == Release.objects.exclude(version__number=1).count() >= 2
    assert all(each.approved_by_id != each.version.created_by_id for each in approvals)
    assert approvals.filter(version__note__startswith="Spring").get().reason


def test_an_admin_let_low_risk_outputs_pass_and_said_why(world: Project) -> None:
    [grant] = AutoApproval.objects.filter(project=world)
    assert grant.kind == "override"
    assert grant.granted_by is not None
    assert Verb.GRANT_AUTO_APPROVAL in grant.granted_by.verbs_in(world)
    assert len(grant.reason) > 80
    before = Decision.objects.filter(at__lt=grant.granted_at)
    assert set(before.values_list("action", flat=True)) == {Action.REVIEW}
    passed = Decision.objects.filter(action=Action.AUTO_APPROVE)
    assert passed.filter(auto_approval=grant).count() == passed.count() > 0


def test_one_session_is_finished_and_one_waits_for_votes(world: Project) -> None:
    finished = CalibrationSession.objects.get(state="finished")
    assert {row["voters"] for row in finished.report["items"]} == {6}
    assert finished.report["verdict"]["alpha"]["value"] is not None
    waiting = CalibrationSession.objects.get(state="open")
    votes = Label.objects.filter(calibration_item__session=waiting).count()
    seats = waiting.items.count() * waiting.members.count()
    assert 0 < votes < seats


def test_work_is_left_for_whoever_looks(world: Project) -> None:
    waiting = Item.objects.filter(state=ItemState.OPEN)
    assert 5 <= waiting.count() <= 40
    held = Slot.objects.filter(reserved_for__email="priya@meridale.example", state=SlotState.OPEN)
    assert held.count() > 0
    closed = Item.objects.filter(state=ItemState.DONE)
    assert closed.filter(closed_at__lte=F("due_at")).count() / closed.count() > 0.8


def test_every_row_has_a_believable_time(world: Project) -> None:
    start = world.created_at
    assert timedelta(days=QUICK.days) == NOW - start
    assert not Trace.objects.exclude(received_at__gte=F("started_at")).exists()
    assert not Decision.objects.exclude(at__gte=F("trace__received_at")).exists()
    assert not Label.objects.filter(slot__claimed_at__gt=F("created_at")).exists()
    assert not Label.objects.filter(created_at__lt=F("trace__received_at")).exists()
    assert not Item.objects.filter(closed_at__lt=F("created_at")).exists()
    for table, column in (
        (Trace, "started_at"), (Decision, "at"), (Score, "at"), (Label, "created_at"),
        (Consensus, "created_at"), (Evidence, "created_at"), (AuditEntry, "at"), (LlmCall, "at"),
        (PromptVersion, "created_at"), (Release, "started_at"), (Observation, "at"),
    ):  # fmt: skip
        span = table._default_manager.aggregate(first=Min(column), last=Max(column))
        assert start <= span["first"] <= span["last"] <= NOW, table


def test_every_row_came_through_a_room(world: Project) -> None:
    given = [
        pk
        for entry in AuditEntry.objects.filter(verb="annotation.labels_submitted")
        for pk in entry.after["labels"]
    ]
    voted = Label.objects.filter(purpose=Purpose.CALIBRATION)
    assert (
        len(given) + voted.count()
        == Label.objects.count()
        == len(set(given)) + audited("annotation.calibration_voted")
    )
    settled = AuditEntry.objects.filter(verb="annotation.consensus_settled")
    assert sum(sum(entry.after.values()) for entry in settled) == Consensus.objects.count()
    assert audited("registry.version_added") + 2 == PromptVersion.objects.count()
    assert audited("registry.version_approved") == Approval.objects.count()
    assert (
        audited("registry.canary_started") + audited("registry.went_live")
        == Release.objects.count()
    )
    assert audited("registry.finding_opened") == SurfaceFinding.objects.count() > 0
    assert audited("registry.gate_finished") == GateRun.objects.count()
    assert audited("core.member_added") == Membership.objects.count() == 9


def test_the_model_was_asked_over_http_and_is_called_simulated(world: Project) -> None:
    calls = LlmCall.objects.values("purpose").annotate(
        count=Count("pk"), good=Count("pk", filter=Q(status="ok")), out=Sum("tokens_out")
    )
    assert {row["purpose"] for row in calls} == {"task", "judge", "optimizer"}
    assert all(row["good"] == row["count"] and row["out"] > 0 for row in calls)
    assert set(LlmCall.objects.values_list("model", flat=True)) == {"simulated-1"}
    assert set(Trace.objects.values_list("model", flat=True)) == {"simulated-1"}


def test_a_second_run_changes_nothing(world: Project, settings: Settings) -> None:
    before, shown = counts(), logins()
    settings.DEBUG = True
    fill(QUICK)
    call_command("demo", "--quick")
    assert counts() == before
    assert logins() == shown


def test_everybody_can_sign_in(world: Project) -> None:
    shown = logins()
    users = [authenticate(username=each.email, password=shown.password) for each in shown.people]
    assert all(users)
    roles = Counter(Membership.objects.filter(project=world).values_list("role", flat=True))
    assert roles == {
        Role.REVIEWER: 5, Role.LEAD: 1, Role.ENGINEER: 1, Role.ADMIN: 1, Role.VIEWER: 1,
    }  # fmt: skip


def test_the_key_opens_the_door(world: Project) -> None:
    key = find_key(logins().key)
    assert key is not None
    assert (key.project_id, key.name) == (world.pk, "first trace")


def test_the_first_trace_that_is_shown_is_taken(world: Project, client: Client) -> None:
    answer = client.post(
        "/api/v1/traces", EXAMPLE, content_type="application/json",
        headers={"Authorization": f"Bearer {logins().key}"},
    )  # fmt: skip
    assert (answer.status_code, answer.json()["created"]) == (202, ["my-first"])


def test_a_key_whose_text_is_lost_is_replaced(world: Project, home: Path) -> None:
    kept = (home / "demo-key").read_text()
    (home / "demo-key").unlink()
    fresh = logins().key
    assert find_key(fresh) is not None
    assert find_key(kept) is None
    (home / "demo-key").write_text(kept)
