"""Scored, decided on the record, and queued."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction
from pytest_django import DjangoAssertNumQueries

from core.models import Environment, Project
from routing.decide import decide_due, draw, seed_of
from routing.models import Decision, Item, Score, SlaEvent, Slot, Trace
from routing.models.decision import Action, Tier
from routing.models.sla import SlaEventKind
from routing.models.trace import Stage
from routing.scoring import score_due
from tests.traces import RISKY, let_pass, queued, run, send, trace_in


def test_without_a_grant_every_output_is_reviewed(environment: Environment) -> None:
    (item,) = queued(environment)
    decision = item.decision
    assert (decision.tier, decision.action, decision.probability) == (Tier.LOW, Action.REVIEW, 1.0)
    assert "nobody has granted auto-approval" in decision.reason


def test_low_risk_passes_under_a_grant_and_a_share_is_audited(
    project: Project, environment: Environment
) -> None:
    let_pass(project)
    send(environment, *(trace_in() for _ in range(300)))
    run()
    actions = list(Decision.objects.values_list("action", flat=True))
    audited = actions.count(Action.AUDIT)
    assert actions.count(Action.AUTO_APPROVE) + audited == 300
    assert 3 <= audited <= 35
    assert set(Decision.objects.values_list("probability", flat=True)) == {0.05}
    assert set(Slot.objects.values_list("purpose", flat=True)) == {"audit"}


def test_a_guardrail_hit_goes_to_people_in_spite_of_the_grant(
    project: Project, environment: Environment
) -> None:
    let_pass(project)
    (item,) = queued(environment, **RISKY)
    assert item.decision.action == Action.REVIEW
    assert item.decision.auto_approval is not None


def test_the_draw_can_be_repeated(project: Project, environment: Environment) -> None:
    let_pass(project)
    send(environment)
    run()
    decision = Decision.objects.get()
    assert draw(decision.seed) == decision.draw
    assert 0 <= decision.draw < 1


def test_a_long_trace_id_under_a_long_slug_is_decided_too() -> None:
    seed = seed_of("s" * 60, "t" * 64, 12)
    assert len(seed) == 64
    assert seed != seed_of("s" * 60, "t" * 64, 13)
    assert seed_of("short", "id", 1) == "short/id/policy 1"


def test_draws_are_uniform() -> None:
    drawn = [draw(str(number)) for number in range(4000)]
    assert abs(sum(drawn) / 4000 - 0.5) < 0.02
    assert abs(sum(value < 0.05 for value in drawn) / 4000 - 0.05) < 0.015


def test_high_risk_wants_two_opinions_in_the_first_lane(environment: Environment) -> None:
    (item,) = queued(environment, **RISKY, status="error", language="de")
    slots = Slot.objects.filter(item=item)
    expected = {Tier.HIGH: (2, 0), Tier.MEDIUM: (1, 1)}[Tier(item.tier)]
    assert (slots.count(), slots[0].lane) == expected


def test_the_clock_starts_with_a_snapshot(environment: Environment) -> None:
    (item,) = queued(environment)
    event = SlaEvent.objects.get(item=item)
    assert (event.kind, event.due_at) == (SlaEventKind.APPLIED, item.due_at)
    assert event.snapshot["minutes"] == 4320


def test_signals_that_came_along_are_kept_beside_our_own(environment: Environment) -> None:
    send(environment, trace_in(scores={"entailment": 0.25, "grade": "B+", "ok": True}))
    score_due()
    sent = Score.objects.filter(evaluator__startswith="sent:").order_by("evaluator")
    assert [(row.evaluator, row.value, row.explanation) for row in sent] == [
        ("sent:entailment", 0.25, "0.25"),
        ("sent:grade", None, "B+"),
        ("sent:ok", 1.0, "True"),
    ]


def test_deciding_a_batch_costs_few_statements(
    environment: Environment, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    send(environment, *(trace_in() for _ in range(100)))
    score_due()
    with django_assert_max_num_queries(28):
        decide_due()
    assert Item.objects.count() == 100


def test_a_decision_is_never_changed(environment: Environment) -> None:
    queued(environment)
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        Decision.objects.update(tier=Tier.HIGH)
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        Decision.objects.all()._raw_delete("default")


def test_doing_it_again_does_nothing(environment: Environment) -> None:
    queued(environment, 3)
    run()
    assert (Decision.objects.count(), Item.objects.count()) == (3, 3)
    assert set(Trace.objects.values_list("stage", flat=True)) == {Stage.DECIDED}
