from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from annotation import consensus, labels
from annotation.consensus import Outcome, Voice, facts, majority, settling
from annotation.models import Consensus, ConsensusFinding
from core import clock
from core.db import opened
from core.models import AuditEntry, Environment, User
from core.models.project import Project
from core.sweeps import PAUSE
from registry import release, serving
from registry.models import Evidence, GoldenCase, Observation, PromptVersion, RubricVersion
from registry.rubrics import Finding, Mode, Scorecard, Span
from routing.models import Decision, Item, RiskPolicy
from routing.models.queue import Purpose
from tests import factories
from tests.annotation import world
from tests.annotation.world import FINE, LOST, SILENT, Desk, bad, make_items, make_traces


@pytest.fixture
def desk(environment: Environment, rubric_version: RubricVersion, ann: User, bo: User) -> Desk:
    world.enrol(ann, bo, environment=environment)
    return Desk(environment, rubric_version)


def said(*cards: str | tuple[str, ...]) -> list[Voice]:
    """Voices: a word is a verdict, a tuple the modes of a defective one."""
    return [
        Voice(n, card)
        if isinstance(card, str)
        else Voice(n, "defective", findings=dict.fromkeys(card, ("major", "prompt")))
        for n, card in enumerate(cards)
    ]


@pytest.mark.parametrize(
    ("voices", "verdict", "state", "share", "votes", "modes"),
    [
        (said("acceptable"), "acceptable", "final", 0.0, 1, ()),
        (said(("a",)), "defective", "final", 1.0, 1, ("a",)),
        (said("acceptable", ("a",)), "defective", "disputed", 0.5, 2, ()),
        (said("acceptable", ("a",), ("a", "b")), "defective", "final", 2 / 3, 3, ("a",)),
        (said(("a",), ("a", "b")), "defective", "disputed", 1.0, 2, ("a",)),
        (said(("a",), ("b",), ("c",)), "defective", "disputed", 1.0, 3, ()),
        (said("defective", "defective"), "defective", "final", 1.0, 2, ()),
        (said("cannot_judge", "cannot_judge", ("a",)), "cannot_judge", "final", 1 / 3, 3, ()),
        (said("cannot_judge", "acceptable", ("a",)), "defective", "disputed", 1 / 3, 3, ()),
        (said("cannot_judge", "acceptable"), "cannot_judge", "disputed", 0.0, 2, ()),
        (said("cannot_judge", ("a",), ("a",)), "defective", "final", 2 / 3, 3, ("a",)),
        (said("unstated", "unstated", "acceptable"), "acceptable", "final", 0.0, 1, ()),
        (said("unstated"), "unstated", "final", None, 0, ()),
    ],
)
def test_majority(
    voices: list[Voice], verdict: str, state: str, share: float | None, votes: int,
    modes: tuple[str, ...],
) -> None:  # fmt: skip
    found = majority(voices)
    assert (found.verdict, found.state, found.share, found.votes) == (verdict, state, share, votes)
    assert tuple(each.mode for each in found.findings) == modes


def test_more_than_half_of_those_who_could_judge_name_a_mode() -> None:
    found = majority(said(("a", "b"), ("a", "b"), ("a",), "acceptable", "unstated"))
    assert [(each.mode, each.votes, each.share) for each in found.findings] == [("a", 3, 0.75)]
    assert found.state == "disputed"  # b divides the four evenly


def rated(*said: tuple[str, str, int | None]) -> tuple[str, str]:
    voices = [
        Voice(n, "defective", confidence, {"a": (severity, cause)})
        for n, (severity, cause, confidence) in enumerate(said)
    ]
    [agreed] = majority(voices).findings
    return agreed.severity, agreed.cause


@pytest.mark.parametrize(
    ("voices", "severity", "cause"),
    [
        ([("minor", "tool", None)], "minor", "tool"),
        ([("minor", "prompt", None), ("critical", "tool", None)], "critical", "prompt"),
        (
            [("minor", "tool", None), ("major", "tool", None), ("critical", "model", None)],
            "major",
            "tool",
        ),
        ([("minor", "tool", 5), ("critical", "model", 1)], "minor", "tool"),
        ([("minor", "unknown", 3), ("minor", "data", None)], "minor", "data"),
    ],
)
def test_severity_is_the_weighted_median_and_cause_the_plurality(
    voices: list[tuple[str, str, int | None]], severity: str, cause: str
) -> None:
    assert rated(*voices) == (severity, cause)


def test_nothing_is_settled_before_the_last_opinion(desk: Desk, ann: User, bo: User) -> None:
    make_items(make_traces(desk.environment), opinions=2)
    desk.judge(ann)
    assert consensus.settle_due() == 0
    desk.judge(bo)
    assert consensus.due().count() == 1
    assert consensus.settle_due() == 1
    assert consensus.settle_due() == 0
    assert not consensus.due().exists()


def test_a_consensus_names_its_method_and_its_labels(desk: Desk, ann: User, bo: User) -> None:
    [item] = make_items(make_traces(desk.environment), opinions=2)
    first, second = desk.judge(ann, bad("tone"))[0], desk.judge(bo, bad("tone"))[0]
    consensus.settle_due()
    row = Consensus.objects.get()
    assert (row.trace_id, row.item, row.rubric_version) == (
        item.trace_id,
        item,
        desk.rubric_version,
    )
    assert (row.state, row.verdict, row.share, row.votes) == ("final", "defective", 1.0, 2)
    assert (row.method, row.method_version) == ("majority", "1")
    assert row.inputs == {"labels": [first.pk, second.pk]}
    finding = ConsensusFinding.objects.get()
    assert (finding.mode, finding.votes, finding.share) == ("tone", 2, 1.0)
    entry = AuditEntry.objects.get(verb="annotation.consensus_settled")
    assert (entry.after, entry.actor_label) == ({"defective, final": 1}, "system")


def test_gold_repeats_and_calibration_do_not_judge_an_output(desk: Desk, ann: User) -> None:
    for purpose in (Purpose.GOLD, Purpose.REPEAT, Purpose.CALIBRATION):
        make_items(make_traces(desk.environment), purpose=purpose)
    assert len(desk.judge(ann, limit=3)) == 3
    assert consensus.settle_due() == 0
    make_items(make_traces(desk.environment), purpose=Purpose.AUDIT)
    desk.judge(ann)
    assert consensus.settle_due() == 1


def test_ratings_alone_give_an_answer_without_a_verdict(desk: Desk, ann: User) -> None:
    make_items(make_traces(desk.environment))
    desk.judge(ann, SILENT)
    consensus.settle_due()
    row = Consensus.objects.get()
    assert (row.verdict, row.votes, row.share) == ("unstated", 0, None)
    assert not Evidence.objects.exists()


def test_a_changed_label_makes_a_new_consensus(desk: Desk, ann: User) -> None:
    make_items(make_traces(desk.environment))
    [old] = desk.judge(ann, FINE)
    consensus.settle_due()
    new = labels.supersede(
        label=old, scorecard=bad("tone"), rubric_version=desk.rubric_version, saw_judge=True,
        source="page", actor=ann,
    )  # fmt: skip
    assert not Consensus.objects.current().exists()
    assert consensus.settle_due() == 1
    before, after = Consensus.objects.order_by("pk")
    assert (before.verdict, before.superseded_at) == ("acceptable", new.created_at)
    assert (after.verdict, after.superseded_at, after.inputs) == (
        "defective", None, {"labels": [new.pk]},
    )  # fmt: skip
    assert Evidence.objects.get().source == f"consensus:{after.pk}:tone"


def test_a_second_review_of_an_output_supersedes_the_first(desk: Desk, ann: User, bo: User) -> None:
    [trace] = make_traces(desk.environment)
    make_items([trace])
    desk.judge(ann, FINE)
    consensus.settle_due()
    [later] = make_items([trace], opinions=2)
    desk.judge(ann, bad("tone"))
    desk.judge(bo, bad("tone"))
    assert consensus.settle_due() == 1
    row = Consensus.objects.current().get()
    # Ann is one voice, and her last word counts.
    assert (row.item, row.verdict, row.votes) == (later, "defective", 2)


def test_evidence_tells_what_people_wrote(
    desk: Desk, ann: User, bo: User, prompt_version: PromptVersion
) -> None:
    [trace] = make_traces(desk.environment, version=prompt_version)
    make_items([trace], opinions=2, probability=0.25)
    span = Span("output", 0, 3, "Yes")
    one = Finding("tone", "minor", "prompt", (span, Span("trace", 0, 3, "Yes", step=2)), "curt")
    other = Finding("tone", "critical", "model", (span,))
    desk.judge(ann, Scorecard("defective", (one,)), comment="rude")
    desk.judge(bo, Scorecard("defective", (other,)), comment="rude", corrected_output="Gladly.")
    consensus.settle_due()
    row = Evidence.objects.get()
    assert row.source == f"consensus:{Consensus.objects.get().pk}:tone"
    assert (row.prompt, row.prompt_version) == (prompt_version.prompt, prompt_version)
    assert (row.trace_ref, row.mode, row.severity, row.cause) == (
        trace.pk, "tone", "critical", "prompt",
    )  # fmt: skip
    assert (row.share, row.votes, row.probability) == (1.0, 2, 0.25)
    assert row.quotes == [
        {"where": "output", "text": "Yes"}, {"where": "trace, step 2", "text": "Yes"},
    ]  # fmt: skip
    assert row.comments == ["curt", "rude"]
    assert row.correction == "Gladly."


def test_a_dispute_tells_nothing(
    desk: Desk, ann: User, bo: User, prompt_version: PromptVersion
) -> None:
    make_items(make_traces(desk.environment, version=prompt_version), opinions=2)
    desk.judge(ann, FINE)
    desk.judge(bo, bad("tone"))
    consensus.settle_due()
    assert Consensus.objects.get().state == "disputed"
    assert not Evidence.objects.exists()
    assert not GoldenCase.objects.exists()


def test_a_mode_with_a_long_code_still_has_a_source_of_its_own() -> None:
    one, other = facts.key_of(7, "m" * 79), facts.key_of(7, "m" * 80)
    assert one != other
    assert max(len(one), len(other)) <= 80


def test_a_clear_answer_becomes_a_golden_case(
    desk: Desk, ann: User, prompt_version: PromptVersion
) -> None:
    [trace] = make_traces(desk.environment, version=prompt_version, session="s-1")
    make_items([trace])
    desk.judge(ann, bad("tone"))
    consensus.settle_due()
    case = GoldenCase.objects.get()
    assert case.source == f"consensus:{Consensus.objects.get().pk}"
    assert (case.prompt, case.trace_ref, case.cluster) == (prompt_version.prompt, trace.pk, "s-1")
    assert case.messages == [{"role": "user", "content": "Is my deposit insured?"}]
    assert case.variables == {"bank": "Harbour Bank", "question": "Is my deposit insured?"}
    assert case.documents == [{"id": "d1", "title": "Insurance", "text": "Up to 100,000."}]
    assert (case.recorded_output, case.modes) == ("Yes, without any limit.", ["tone"])


@pytest.mark.parametrize("second", [bad("incomplete", "tone"), FINE, LOST, SILENT])
def test_an_answer_that_somebody_does_not_share_is_no_golden_case(
    desk: Desk, ann: User, bo: User, prompt_version: PromptVersion, second: Scorecard
) -> None:
    make_items(make_traces(desk.environment, version=prompt_version), opinions=2)
    desk.judge(ann, bad("tone"))
    desk.judge(bo, second)
    consensus.settle_due()
    assert Consensus.objects.count() == 1
    assert not GoldenCase.objects.exists()


def test_without_a_prompt_there_is_no_golden_case(desk: Desk, ann: User) -> None:
    make_items(make_traces(desk.environment))
    desk.judge(ann)
    consensus.settle_due()
    assert not GoldenCase.objects.exists()


def test_what_was_only_the_prompt_is_no_golden_case(
    desk: Desk, ann: User, prompt_version: PromptVersion
) -> None:
    make_items(
        make_traces(desk.environment, version=prompt_version, messages=world.CONVERSATION[:1])
    )
    desk.judge(ann)
    assert consensus.settle_due() == 1
    assert not GoldenCase.objects.exists()


def test_golden_cases_stay_balanced_and_capped(
    desk: Desk, ann: User, prompt_version: PromptVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("annotation.consensus.cases.MOST_OF_EACH", 8)
    monkeypatch.setattr("annotation.consensus.cases.SLACK", 3)

    def live() -> tuple[int, int]:
        cases = list(GoldenCase.objects.values_list("modes", flat=True))
        return cases.count([]), len(cases) - cases.count([])

    def judge(scorecard: Scorecard, count: int) -> None:
        make_items(make_traces(desk.environment, count, version=prompt_version))
        desk.judge(ann, scorecard, limit=count)
        consensus.settle_due()

    judge(FINE, 5)
    assert live() == (3, 0)
    judge(bad(), 2)
    judge(FINE, 5)
    assert live() == (5, 2)
    judge(bad(), 9)
    judge(FINE, 9)
    assert live() == (8, 8)


def make_canary(
    version: PromptVersion, environment: Environment, eve: User, ada: User
) -> PromptVersion:
    release.go_live(version=version, environment=environment, reason="first", actor=eve)
    second = factories.make_version(version)
    release.approve(version=second, reason="try it", actor=ada)
    release.start_canary(
        version=second, environment=environment, share=0.5, reason="try it", actor=eve
    )
    return second


def keys_of(arm: str, version: PromptVersion, environment: Environment) -> Iterator[str]:
    """Users whom the release has drawn into the arm."""
    for number in range(10_000):
        found = serving.resolve(version.prompt, environment, f"user-{number}")
        if found and found.arm == arm:
            yield f"user-{number}"


def test_a_canary_learns_what_people_found(
    desk: Desk, ann: User, eve: User, ada: User, prompt_version: PromptVersion
) -> None:
    canary = make_canary(prompt_version, desk.environment, eve, ada)
    answers = [FINE, bad(severity="minor"), bad(severity="major"), LOST]
    expected = []
    for version, arm in ((canary, "canary"), (prompt_version, "control")):
        for user, card, defect in zip(
            keys_of(arm, prompt_version, desk.environment),
            answers,
            (False, False, True, True),
            strict=False,
        ):
            key = {"whetstone.key": user}
            make_items(make_traces(desk.environment, version=version, metadata=key))
            desk.judge(ann, card)
            expected.append((user, arm, defect, "human"))
    consensus.settle_due()
    rows = Observation.objects.values_list("unit", "arm", "defect", "source")
    assert len(expected) == 8
    assert sorted(rows) == sorted(expected)


def test_outside_a_canary_nothing_is_observed(
    desk: Desk, ann: User, eve: User, prompt_version: PromptVersion
) -> None:
    release.go_live(version=prompt_version, environment=desk.environment, reason="first", actor=eve)
    make_items(make_traces(desk.environment, version=prompt_version))
    desk.judge(ann, bad())
    consensus.settle_due()
    assert not Observation.objects.exists()


def test_five_hundred_outputs_cost_the_statements_of_one(
    desk: Desk, ann: User, eve: User, ada: User, prompt_version: PromptVersion,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:  # fmt: skip
    canary = make_canary(prompt_version, desk.environment, eve, ada)
    make_items(make_traces(desk.environment, 250, version=canary))
    desk.judge(ann, bad("tone", "incomplete"), limit=250)
    make_items(make_traces(desk.environment, 250, version=prompt_version))
    desk.judge(ann, limit=250)
    with django_assert_max_num_queries(20):
        assert consensus.settle_due() == 500
    assert Consensus.objects.count() == 500
    assert Evidence.objects.count() == 500


def test_a_bell_settles_only_what_it_names(desk: Desk, ann: User) -> None:
    one, other = make_traces(desk.environment, 2)
    make_items([one, other])
    desk.judge(ann, limit=2)
    assert consensus.settle_due(among=[one.pk]) == 1
    assert [item.trace_id for item in consensus.due()] == [other.pk]
    consensus.settle_task()
    assert not consensus.due().exists()


def test_an_output_that_breaks_its_batch_is_set_aside_and_the_others_are_settled(
    desk: Desk, ann: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    traces = make_traces(desk.environment, 5)
    make_items(traces)
    bad_label = desk.judge(ann, limit=5)[1]

    def picky(voices: Sequence[Voice]) -> Outcome:
        if voices[0].label == bad_label.pk:
            raise ValueError("this one")
        return majority(voices)

    monkeypatch.setattr(settling, "majority", picky)
    consensus.settle_task([trace.pk for trace in traces])
    assert Consensus.objects.count() == 4
    assert not consensus.due().exists()
    assert f"row {bad_label.trace_id} " in caplog.text
    monkeypatch.undo()
    with clock.at(clock.now() + PAUSE + timedelta(seconds=1)):
        consensus.settle_task()
    assert Consensus.objects.count() == 5


def test_a_batch_is_bounded(desk: Desk, ann: User) -> None:
    make_items(make_traces(desk.environment, 5))
    desk.judge(ann, limit=5)
    assert [consensus.settle_due(limit=2) for _ in range(4)] == [2, 2, 1, 0]


def test_an_item_closed_without_a_label_waits_for_nothing(desk: Desk) -> None:
    make_items(make_traces(desk.environment))
    with opened("tests"):
        Item.objects.update(state="done", closed_at="2026-01-01T00:00:00Z")
    assert not consensus.due().exists()
    assert consensus.settle_due() == 0


def test_facts_told_twice_count_once(desk: Desk, ann: User, prompt_version: PromptVersion) -> None:
    make_items(make_traces(desk.environment, version=prompt_version))
    desk.judge(ann, bad("tone"))
    consensus.settle_due()
    row = Consensus.objects.get()
    item = Item.objects.select_related("decision", "trace__project").get()
    outcome = majority(
        [Voice(row.inputs["labels"][0], "defective", None, {"tone": ("major", "prompt")})]
    )
    with opened("tests"):
        facts.push([facts.Settled(row, item, outcome, 1)], actor=ann)
    assert Evidence.objects.count() == 1
    assert GoldenCase.objects.count() == 1


def test_one_output_is_one_case_of_a_failure_however_often_people_change_their_minds(
    desk: Desk, ann: User, prompt_version: PromptVersion
) -> None:
    make_items(make_traces(desk.environment, version=prompt_version))
    [label] = desk.judge(ann, bad("tone"))
    consensus.settle_due()
    told = []
    for card in (FINE, bad("tone"), bad("tone", cause="tool"), bad("tone", "incomplete")):
        label = labels.supersede(
            label=label, scorecard=card, rubric_version=desk.rubric_version, saw_judge=False,
            source="page", actor=ann,
        )  # fmt: skip
        consensus.settle_due()
        standing = Evidence.objects.standing().order_by("mode")
        told.append(list(standing.values_list("mode", "cause")))
    assert Consensus.objects.count() == 5
    assert told == [
        [],
        [("tone", "prompt")],
        [("tone", "tool")],
        [("incomplete", "prompt"), ("tone", "prompt")],
    ]


def test_a_failure_that_people_still_hold_keeps_its_evidence(
    desk: Desk, ann: User, prompt_version: PromptVersion
) -> None:
    make_items(make_traces(desk.environment, version=prompt_version))
    [label] = desk.judge(ann, bad("tone"))
    consensus.settle_due()
    row = Evidence.objects.get()
    labels.supersede(
        label=label, scorecard=bad("tone", "incomplete"), rubric_version=desk.rubric_version,
        saw_judge=False, source="page", actor=ann,
    )  # fmt: skip
    consensus.settle_due()
    assert Evidence.objects.standing().count() == 2
    assert Evidence.objects.standing().get(mode="tone") == row


def test_the_golden_case_of_an_answer_that_fell_is_withdrawn(
    desk: Desk, ann: User, prompt_version: PromptVersion
) -> None:
    make_items(make_traces(desk.environment, version=prompt_version))
    [label] = desk.judge(ann, bad("tone"))
    consensus.settle_due()
    labels.supersede(
        label=label, scorecard=FINE, rubric_version=desk.rubric_version, saw_judge=False,
        source="page", actor=ann,
    )  # fmt: skip
    consensus.settle_due()
    fallen, live = GoldenCase.objects.order_by("pk")
    assert (fallen.modes, live.modes) == (["tone"], [])
    assert fallen.retired_at is not None
    assert live.retired_at is None


def test_a_rubric_without_modes_still_tells_good_from_bad(
    project: Project, environment: Environment, ann: User, prompt_version: PromptVersion
) -> None:
    world.enrol(ann, environment=environment)
    plain = Desk(environment, factories.make_rubric(project, modes=()))
    make_items(make_traces(environment, version=prompt_version))
    plain.judge(ann, Scorecard("defective"))
    consensus.settle_due()
    assert Consensus.objects.get().state == "final"
    # A failure without a name cannot be checked for by a gate.
    assert not GoldenCase.objects.exists()


def test_the_modes_of_a_rubric_may_have_codes_of_any_form(
    project: Project, environment: Environment, ann: User
) -> None:
    world.enrol(ann, environment=environment)
    code = "accuracy/" + "x" * 71
    desk = Desk(environment, factories.make_rubric(project, modes=[Mode(code, "Long")]))
    make_items(make_traces(environment))
    desk.judge(ann, bad(code))
    consensus.settle_due()
    assert Evidence.objects.get().mode == code


@pytest.mark.parametrize(
    ("grant", "draw", "random"), [(None, 0.9, True), (1, 0.04, True), (1, 0.06, False)]
)
def test_only_a_sample_that_risk_did_not_choose_compares_the_arms(
    grant: int | None, draw: float, random: bool
) -> None:
    policy = RiskPolicy(rules={"audit_share": 0.05})
    decision = Decision(auto_approval_id=grant, draw=draw, policy=policy)
    assert facts.is_random(decision) is random
