from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from pytest_django import Settings

from annotation.demo.simulator import Simulator
from annotation.demo.texts.prompts import MENDS, TERSE
from core import clock
from core.access import SYSTEM
from core.db import IllegalTransition, WrongPlace, opened
from core.models import AuditEntry, Environment, Project, User
from registry import gate, prompts, release
from registry.gate import Outcome, cases, decide
from registry.gate import conversation as talk
from registry.gate import runs as gate_runs
from registry.gate.conversation import Unanswerable
from registry.gate.trial import Answer, Trial, left_out
from registry.gate.trial import outcomes as outcomes_of
from registry.models import GateCaseResult, GateRun, GoldenCase, PromptVersion
from registry.models.gate import GateState
from tests import factories
from tests.llm import Script
from tests.registry.bank import add_rule, make_bank, make_cases
from tests.registry.test_golden import add

MODE = "citation_missing"
JUDGED = '{"verdict": "acceptable", "risk": 0.1, "findings": [], "explanation": "Fine."}'


@pytest.fixture
def bank(project: Project) -> PromptVersion:
    return make_bank(project)


def hold(version: PromptVersion, target: str = "") -> GateRun:
    asked = gate.request(version=version, target_mode=target, actor=SYSTEM)
    return gate.run(asked.pk)


# The verdict, from outcomes


def outcomes(
    both_fail: int = 0, mended: int = 0, spoilt: int = 0, fine: int = 0, mode: str = "m"
) -> list[Outcome]:
    bad, good = frozenset({mode}), frozenset[str]()
    kinds = [(bad, bad)] * both_fail + [(bad, good)] * mended
    kinds += [(good, bad)] * spoilt + [(good, good)] * fine
    return [Outcome(pk, False, True, was, now) for pk, (was, now) in enumerate(kinds)]


def test_better_on_the_target_and_not_worse_overall_passes() -> None:
    verdict = decide(outcomes(5, 30, 2, 63), target="m", label="Wrong")
    assert verdict.state == GateState.PASSED
    assert verdict.reason == (
        "It is not worse than today's version on 100 cases (93% acceptable against 65%)"
        " and shows “Wrong” less often (7 of 100 cases against 35)."
    )
    assert verdict.result["overall"]["only_baseline_fails"] == 30
    assert verdict.result["target"]["p_better"] < 0.001


def test_without_a_target_it_need_only_not_be_worse() -> None:
    assert decide(outcomes(10, 0, 0, 90)).state == GateState.PASSED


def test_significantly_worse_is_blocked() -> None:
    verdict = decide(outcomes(0, 1, 12, 87), target="m")
    assert verdict.state == GateState.BLOCKED
    assert verdict.reason == "It is worse than today's version: 88% acceptable against 99%."


def test_a_broken_must_pass_case_blocks_whatever_the_rest_says() -> None:
    broken = Outcome(900, True, False, frozenset(), frozenset({"m"}))
    verdict = decide([*outcomes(5, 30, 0, 65), broken], target="m")
    assert verdict.state == GateState.BLOCKED
    assert verdict.reason == "It fails 1 case that must pass and that today's version passes."
    assert verdict.result["must_pass_broken"] == [900]


def test_a_must_pass_case_that_failed_before_too_does_not_block() -> None:
    old = Outcome(900, True, False, frozenset({"m"}), frozenset({"m"}))
    assert decide([*outcomes(0, 0, 0, 100), old]).state == GateState.PASSED


def test_few_cases_are_not_a_pass_and_say_how_many_more_would_tell() -> None:
    verdict = decide(outcomes(1, 2, 2, 15), target="m")
    assert verdict.state == GateState.INCONCLUSIVE
    assert verdict.result["needed"] == verdict.result["not_worse"]["needed"] - 20
    assert f"about {verdict.result['needed']} more would tell" in verdict.reason


def test_no_worse_but_no_better_on_the_target_is_no_pass() -> None:
    verdict = decide(outcomes(10, 0, 0, 190), target="m", label="Wrong")
    assert verdict.state == GateState.INCONCLUSIVE
    assert "“Wrong” is not shown to be rarer (10 of 200 cases against 10)" in verdict.reason
    assert "needed" not in verdict.result


def test_a_gain_too_small_to_tell_says_how_many_more_cases_would() -> None:
    verdict = decide(outcomes(10, 4, 0, 186), target="m")
    assert verdict.state == GateState.INCONCLUSIVE
    assert verdict.result["needed"] > 0


def test_only_one_case_of_a_cluster_is_counted() -> None:
    same = [Outcome(500 + n, False, False, frozenset({"m"}), frozenset()) for n in range(50)]
    verdict = decide([*outcomes(0, 0, 0, 100), *same], target="m")
    assert (verdict.state, verdict.result["n"]) == (GateState.INCONCLUSIVE, 100)


def test_too_many_cases_left_out_are_no_pass() -> None:
    assert decide(outcomes(0, 0, 0, 100), left_out=20).state == GateState.PASSED
    verdict = decide(outcomes(0, 0, 0, 100), left_out=30)
    assert verdict.state == GateState.INCONCLUSIVE
    assert verdict.reason.startswith("30 of 130 cases could not be compared")


def test_a_must_pass_case_that_could_not_be_seen_is_no_pass() -> None:
    verdict = decide(outcomes(0, 0, 0, 100), left_out=1, must_pass_left_out=1)
    assert verdict.state == GateState.INCONCLUSIVE


# What the task model is sent


def test_what_a_template_made_gives_way_to_what_the_candidate_makes_of_it(
    bank: PromptVersion,
) -> None:
    make_cases(bank, 1)
    case = GoldenCase.objects.get()
    candidate = add_rule(bank, "Be brief.")
    chat = talk.compose(candidate, case, (bank, candidate))
    assert chat == prompts.compile(candidate, case.variables)


def test_a_question_kept_bare_is_put_into_the_template(bank: PromptVersion) -> None:
    make_cases(bank, 1, messages=[{"role": "user", "content": "How?"}], variables=VALUES)
    case = GoldenCase.objects.get()
    assert talk.compose(bank, case, (bank,)) == prompts.compile(bank, VALUES)


VALUES = {"question": "How?", "documents": "none"}


def test_what_was_said_before_stays_before(bank: PromptVersion) -> None:
    last = prompts.compile(bank, VALUES)[-1]
    told = [
        {"role": "user", "content": "Hello."},
        {"role": "assistant", "content": "Good morning."},
    ]
    make_cases(bank, 1, messages=[*told, last], variables=VALUES)
    chat = talk.compose(bank, GoldenCase.objects.get(), (bank,))
    assert [each["role"] for each in chat] == ["system", "user", "assistant", "user"]
    assert chat[-1] == last


def test_a_case_without_values_serves_while_the_template_is_the_same(bank: PromptVersion) -> None:
    asked = [{"role": "user", "content": "Documents: none. Question: how?"}]
    make_cases(bank, 1, messages=asked, variables={})
    case = GoldenCase.objects.get()
    same = add_rule(bank, "Be brief.")
    assert talk.compose(same, case, (bank, same))[-1] == asked[-1]
    blocks = [
        prompts.Block(**{**block, "text": f"{block['text']}!", "locked": False})
        if block["key"] == "question"
        else prompts.Block(**block)
        for block in bank.blocks
    ]
    other = prompts.add_version(prompt=bank.prompt, blocks=blocks, parent=bank, actor=SYSTEM)
    with pytest.raises(Unanswerable, match="documents, question"):
        talk.compose(other, case, (bank, other))


def test_a_system_block_without_its_value_cannot_be_asked(prompt_version: PromptVersion) -> None:
    case = GoldenCase(messages=[{"role": "user", "content": "How?"}], variables={})
    with pytest.raises(Unanswerable, match="bank"):
        talk.compose(prompt_version, case, (prompt_version,))


# Which cases


def test_all_that_must_pass_and_one_of_each_cluster_newest_first(
    bank: PromptVersion, project: Project
) -> None:
    rubric = factories.make_rubric(project)
    rows = [
        add(bank, rubric, source=f"s{n}", cluster=f"c{n % 3}", must_pass=n < 2) for n in range(9)
    ]
    GoldenCase.objects.filter(pk=rows[8].pk).update(retired_at=clock.now())
    assert cases.choose(bank) == [rows[1], rows[0], rows[5]]


def test_no_more_cases_than_the_bound(bank: PromptVersion, monkeypatch: pytest.MonkeyPatch) -> None:
    make_cases(bank, 8)
    monkeypatch.setattr(cases, "MOST", 5)
    assert len(cases.choose(bank)) == 5


# The run


def test_a_good_edit_passes_and_both_arms_are_kept(bank: PromptVersion, model: Simulator) -> None:
    make_cases(bank, 120)
    done = hold(add_rule(bank, MENDS[MODE]), MODE)
    assert done.state == GateState.PASSED, done.reason
    assert done.result["n"] == 120
    assert done.result["target"]["only_baseline_fails"] > 10
    assert done.result["models"] == {"task": ["simulated-1"], "judge": ["simulated-1"]}
    assert done.result["judge_version"].startswith("1-")
    assert GateCaseResult.objects.filter(run=done, passed__isnull=False).count() == 240
    assert set(GoldenCase.objects.values_list("times_used", flat=True)) == {1}
    finished = AuditEntry.objects.get(verb="registry.gate_finished")
    assert finished.after == {"run": done.pk, "state": "passed", "cases": 120}


def test_a_bad_edit_is_blocked(bank: PromptVersion, model: Simulator) -> None:
    make_cases(bank, 60)
    done = hold(add_rule(bank, TERSE))
    assert done.state == GateState.BLOCKED, done.reason


def test_an_edit_that_says_nothing_does_not_pass_for_its_target(
    bank: PromptVersion, model: Simulator
) -> None:
    make_cases(bank, 60)
    done = hold(add_rule(bank, "The bank opened in 1890."), MODE)
    assert done.state == GateState.INCONCLUSIVE
    assert done.reason.endswith(".")


def test_an_edit_that_breaks_a_case_that_must_pass_is_blocked(
    bank: PromptVersion, model: Simulator
) -> None:
    make_cases(bank, 30, must_pass=True)
    done = hold(add_rule(bank, TERSE))
    assert "that must pass" in done.reason
    assert done.state == GateState.BLOCKED


def test_the_judge_cannot_tell_the_arms_apart(bank: PromptVersion, script: Script) -> None:
    script.say("Seven pounds.").say("Eight pounds.").say(JUDGED)
    make_cases(bank, 1)
    done = hold(add_rule(bank, "Be brief."))
    assert done.result["n"] == 1
    task = [each["messages"][0]["content"] for each in script.asked[:2]]
    assert ["Be brief." in each for each in task] == [False, True]
    judged = [each["messages"][-1]["content"] for each in script.asked[2:]]
    assert len(judged) == 2
    assert not any("Be brief." in each for each in judged)


def test_equal_answers_are_judged_once(bank: PromptVersion, script: Script) -> None:
    script.say("Seven pounds.").say("Seven pounds.").say(JUDGED)
    make_cases(bank, 1)
    hold(add_rule(bank, "Be brief."))
    assert len(script.asked) == 3


def test_each_version_is_asked_at_its_own_temperature(bank: PromptVersion, script: Script) -> None:
    script.say("Seven pounds.").say("Seven pounds.").say(JUDGED)
    make_cases(bank, 1)
    blocks = prompts.blocks_of(bank)
    warm = prompts.add_version(
        prompt=bank.prompt, blocks=blocks, params={"temperature": 0.9}, actor=SYSTEM
    )
    hold(warm)
    assert [each["temperature"] for each in script.asked[:2]] == [0.2, 0.9]


def test_a_case_that_goes_wrong_in_one_arm_is_left_out_and_counted(
    bank: PromptVersion, script: Script
) -> None:
    script.say("Seven pounds.").fail(400, "too long").say(JUDGED)
    make_cases(bank, 1)
    done = hold(add_rule(bank, "Be brief."))
    assert done.state == GateState.NOT_RUN
    assert "too long" in done.reason
    kept = GateCaseResult.objects.get(run=done, arm="candidate")
    assert (kept.passed, "too long" in kept.error) == (None, True)


def test_the_cases_that_went_right_are_compared_without_the_others(bank: PromptVersion) -> None:
    make_cases(bank, 3)
    first, second, third = GoldenCase.objects.order_by("pk")
    answers = [
        Answer(first, "baseline", modes=("tone",)),
        Answer(second, "baseline", error="task model: no"),
        Answer(third, "baseline"),
        Answer(first, "candidate"),
        Answer(second, "candidate"),
        Answer(third, "candidate", error="judge: no"),
    ]
    held = Trial(answers)
    (seen,) = outcomes_of(held)
    assert seen == Outcome(first.pk, False, True, frozenset({"tone"}), frozenset())
    assert left_out(held) == [second, third]


def test_a_judge_that_cannot_say_leaves_the_case_out(bank: PromptVersion, script: Script) -> None:
    script.say("Seven pounds.").say("Eight pounds.").say("I do not know.")
    make_cases(bank, 1)
    done = hold(add_rule(bank, "Be brief."))
    assert done.state == GateState.NOT_RUN
    assert "judge:" in done.reason


def test_a_server_that_is_down_ends_it_at_the_first_batch(
    bank: PromptVersion, script: Script
) -> None:
    script.fail(503, "closed")
    make_cases(bank, 60)
    done = hold(add_rule(bank, "Be brief."))
    assert done.state == GateState.NOT_RUN
    assert "closed" in done.reason
    assert len(script.asked) <= 40
    assert GoldenCase.objects.filter(times_used=1).count() == 25


# Why it did not run


def test_without_models_it_says_what_to_set(bank: PromptVersion, settings: Settings) -> None:
    settings.MODELS, settings.OPENAI_API_KEY, settings.OPENAI_BASE_URL = {}, "", ""
    make_cases(bank, 1)
    done = hold(add_rule(bank, "Be brief."))
    assert done.state == GateState.NOT_RUN
    assert "No task model is configured: set TASK_MODEL" in done.reason
    assert "No judge model is configured: set JUDGE_MODEL" in done.reason


def test_without_golden_cases_it_says_so(bank: PromptVersion, model: Simulator) -> None:
    done = hold(add_rule(bank, "Be brief."))
    assert (done.state, "no golden case" in done.reason) == (GateState.NOT_RUN, True)


def test_a_first_version_has_nothing_to_be_compared_with(
    bank: PromptVersion, model: Simulator
) -> None:
    make_cases(bank, 1)
    done = hold(bank)
    assert (done.baseline, done.state) == (None, GateState.NOT_RUN)
    assert done.reason == "There is no other version to compare it with."


def test_without_a_rubric_nothing_can_be_judged(
    prompt_version: PromptVersion, model: Simulator
) -> None:
    done = hold(factories.make_version(prompt_version))
    assert (done.state, "no rubric" in done.reason) == (GateState.NOT_RUN, True)


def test_a_target_that_the_rubric_does_not_know_is_named(
    bank: PromptVersion, model: Simulator
) -> None:
    make_cases(bank, 1)
    done = hold(add_rule(bank, "Be brief."), "ghost")
    assert (done.state, "'ghost'" in done.reason) == (GateState.NOT_RUN, True)


# Asking, claiming, finishing


def test_the_baseline_is_the_version_that_is_live(
    bank: PromptVersion, environment: Environment
) -> None:
    release.go_live(version=bank, environment=environment, reason="first", actor=SYSTEM)
    second = add_rule(bank, "Be brief.")
    third = add_rule(second, "Be kind.")
    assert gate.request(version=third, actor=SYSTEM).baseline == bank


def test_without_a_live_version_the_parent_is_the_baseline(bank: PromptVersion) -> None:
    assert gate.request(version=add_rule(bank, "Be brief."), actor=SYSTEM).baseline == bank


def test_one_run_of_a_version_at_a_time(bank: PromptVersion, settings: Settings) -> None:
    settings.MODELS = {}
    first = gate.request(version=bank, actor=SYSTEM)
    with pytest.raises(IllegalTransition):
        gate.request(version=bank, actor=SYSTEM)
    gate.run(first.pk)
    assert gate.request(version=bank, actor=SYSTEM).pk != first.pk


def test_asking_needs_the_right_to_edit_prompts(
    bank: PromptVersion, eve: User, ann: User, cy: User
) -> None:
    for stranger in (ann, cy):
        with pytest.raises(PermissionDenied):
            gate.request(version=bank, actor=stranger)
    run = gate.request(version=bank, actor=eve)
    assert run.requested_by == eve
    assert not GateRun.objects.visible_to(cy).exists()


def test_a_run_that_is_under_way_is_not_held_twice(bank: PromptVersion, settings: Settings) -> None:
    settings.MODELS = {}
    asked = gate.request(version=bank, actor=SYSTEM)
    assert gate_runs._claim(asked.pk) is not None
    assert gate.run_due() == 0
    with pytest.raises(IllegalTransition):
        gate.run(asked.pk)
    assert gate.run(asked.pk, lease=timedelta(0)).state == GateState.NOT_RUN


def test_a_run_whose_worker_died_is_held_again_and_the_dead_one_writes_nothing(
    bank: PromptVersion, model: Simulator
) -> None:
    make_cases(bank, 2)
    asked = gate.request(version=add_rule(bank, "Be brief."), actor=SYSTEM)
    dead = gate_runs._claim(asked.pk)
    assert dead is not None
    with clock.at(clock.now() + gate.LEASE + timedelta(seconds=1)):
        assert gate.run_due() == 1
    late = gate.Verdict(GateState.PASSED, "Too late.", {})
    gate_runs._finish(dead, Trial(), late, actor=SYSTEM)
    asked.refresh_from_db()
    assert asked.reason != "Too late."
    assert GateCaseResult.objects.filter(run=asked).count() == 4
    assert set(GoldenCase.objects.values_list("times_used", flat=True)) == {1}


def test_a_run_that_is_taken_over_half_way_stops(bank: PromptVersion, model: Simulator) -> None:
    make_cases(bank, 1)
    asked = gate.request(version=add_rule(bank, "Be brief."), actor=SYSTEM)
    claimed = gate_runs._claim(asked.pk)
    assert claimed is not None
    GateRun.objects.filter(pk=asked.pk).update(started_at=clock.now() + timedelta(minutes=1))
    gate_runs._hold(claimed)
    asked.refresh_from_db()
    assert asked.state == GateState.RUNNING


def test_the_bell_holds_all_that_wait(bank: PromptVersion, settings: Settings) -> None:
    settings.MODELS = {}
    gate.request(version=bank, actor=SYSTEM)
    gate.request(version=add_rule(bank, "Be brief."), actor=SYSTEM)
    gate.run_task()
    assert set(GateRun.objects.values_list("state", flat=True)) == {GateState.NOT_RUN}


def test_a_run_waits_for_models_and_may_not_be_held_inside_a_command(bank: PromptVersion) -> None:
    asked = gate.request(version=bank, actor=SYSTEM)
    with pytest.raises(WrongPlace), opened("test"):
        gate.run(asked.pk)
