"""Agreement on labels as rooms hold them, and on public data with independently computed figures.

The figures of the data come from plain Python checked against other libraries; the files lie
beside the repository, not in it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Hashable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from annotation.agreement import (
    AgreementReport,
    Labels,
    Settings,
    ValueAgreement,
    assess,
    assess_values,
)
from core.stats.coders import cohen_kappa

SHARED = Path(__file__).parents[3] / "shared"
FAST = Settings(reps=50)
NO_FAILURE: frozenset[str] = frozenset()


def marks(*rows: tuple[str, ...]) -> Labels:
    """One row per item, one entry per annotator: "" none found, "a b" two modes, "-" not asked."""
    return {
        number: {f"r{who}": frozenset(cell.split()) for who, cell in enumerate(row) if cell != "-"}
        for number, row in enumerate(rows)
    }


def test_a_report_by_hand() -> None:
    labels = marks(*[("tone", "tone")] * 6, *[("tone", "")] * 4, *[("", "")] * 10)
    report = assess(labels, settings=FAST)
    tone = report.mode("tone")
    assert (report.items, report.labels) == (20, 40)
    assert (tone.items, tone.labels, tone.positives) == (20, 40, 16)
    # 16 of 40 marks: observed disagreement 4/20, expected 2 * 16 * 24 / (40 * 39)
    assert tone.alpha.value == pytest.approx(1 - (4 / 20) / (2 * 16 * 24 / (40 * 39)))
    # pi = .4: chance 2 * .4 * .6 = .48
    assert tone.ac1.value == pytest.approx((0.8 - 0.48) / (1 - 0.48))
    assert tone.positive_agreement.value == pytest.approx(2 * 6 / (2 * 6 + 4))
    assert tone.percent.value == pytest.approx(0.8)
    assert report.verdict.alpha.value == tone.alpha.value
    assert report.sets.value == pytest.approx(tone.alpha.value)  # one mode: MASI is nominal
    assert tone.alpha.low is not None
    assert tone.alpha.high is not None
    assert tone.alpha.low < tone.alpha.value < tone.alpha.high


def test_masi_gives_credit_for_overlap_that_the_verdict_cannot_see() -> None:
    rows = [("tone", "tone format"), ("tone", "tone"), ("", ""), ("format", "tone")] * 5
    report = assess(marks(*rows), settings=FAST)
    assert report.verdict.alpha.value == 1
    assert report.sets.value is not None
    assert 0 < report.sets.value < 1


def test_a_rare_mode_shows_its_counts_and_no_number() -> None:
    labels = marks(*[("tone", "tone")] * 4, *[("", "")] * 40)
    tone = assess(labels, modes=["tone", "format"], settings=FAST).mode("tone")
    assert (tone.items, tone.positives) == (44, 8)
    for found in (tone.alpha, tone.ac1, tone.positive_agreement, tone.percent):
        assert (found.value, found.low, found.high, found.n) == (None, None, None, 44)
    lenient = assess(labels, settings=Settings(positives=8, reps=50)).mode("tone")
    assert lenient.alpha.value == 1


def test_too_few_items_show_no_number() -> None:
    labels = marks(*[("a b", "a")] * 9, *[("b",)] * 30)
    report = assess(labels, settings=FAST)
    assert report.mode("a").items == 9
    assert report.mode("a").alpha.value is None
    assert (report.sets.value, report.sets.n) == (None, 9)
    assert (report.items, report.labels) == (39, 48)


def test_a_mode_nobody_marked_is_still_reported() -> None:
    report = assess(marks(("", ""), ("", "")), modes=["tone"], settings=FAST)
    assert report.mode("tone").positives == 0
    with pytest.raises(KeyError):
        report.mode("format")


def test_no_labels_make_an_empty_report() -> None:
    report = assess({}, modes=["tone"], settings=FAST)
    assert (report.items, report.labels, report.pairs) == (0, 0, ())
    assert report.mode("tone").alpha.n == 0


def test_labels_with_unknown_modes_or_bare_strings_are_refused() -> None:
    with pytest.raises(ValueError, match="not asked: format"):
        assess(marks(("tone", "format")), modes=["tone"])
    with pytest.raises(TypeError, match="'ann' must be a set"):
        assess({1: {"ann": "tone"}})  # type: ignore[dict-item]


def test_pairs_compare_the_items_both_labelled() -> None:
    rows = [("x", "x", "-"), ("x", "", "-"), ("", "", "-"), ("", "", "")] * 4
    pairs = {(p.first, p.second): p for p in assess(marks(*rows), settings=FAST).pairs}
    assert set(pairs) == {("r0", "r1"), ("r0", "r2"), ("r1", "r2")}
    close = pairs["r0", "r1"]
    assert (close.items, close.both) == (16, 4)
    assert close.agreement.value == pytest.approx(0.75)
    assert close.kappa == pytest.approx(cohen_kappa([1, 1, 0, 0], [1, 0, 0, 0]))
    assert (pairs["r0", "r2"].items, pairs["r0", "r2"].agreement.value) == (4, None)
    assert pairs["r0", "r2"].kappa is None


def test_values_in_order_forgive_near_misses() -> None:
    grades = ["low", "medium", "high"]
    near = {
        n: {"a": g, "b": grades[min(i + 1, 2)]}
        for n, (i, g) in enumerate(list(enumerate(grades)) * 8)
    }
    far = {n: {"a": g, "b": grades[2 - i]} for n, (i, g) in enumerate(list(enumerate(grades)) * 8)}

    def severity(values: dict[int, dict[str, str]]) -> float:
        found = assess_values("severity", values, metric="ordinal", order=grades, settings=FAST)
        assert found.alpha.value is not None
        return found.alpha.value

    assert severity(near) > 0.3 > 0 > severity(far)


def test_answers_outside_the_order_are_refused() -> None:
    with pytest.raises(ValueError, match="severity: answers outside"):
        assess_values("severity", {1: {"a": "huge"}}, order=["low"])
    with pytest.raises(ValueError, match="needs numbers"):
        assess_values("severity", {1: {"a": "huge"}}, metric="interval")


def test_a_report_is_json() -> None:
    severity = assess_values("severity", {n: {"a": 1, "b": 2} for n in range(12)}, settings=FAST)
    report = assess(marks(*[("x", ""), ("", ""), ("x", "x")] * 5), values=[severity], settings=FAST)
    data = json.loads(json.dumps(report.to_json(), allow_nan=False))
    assert data["modes"][0]["mode"] == "x"
    assert data["values"][0]["question"] == "severity"
    assert data["settings"]["items"] == 10
    assert data["pairs"][0]["agreement"]["n"] == 15


# ------------------------------------------------------------------ public data


@cache
def lines(name: str) -> tuple[dict[str, Any], ...]:
    """All outputs of a public file. Skips where the files are not beside the repository."""
    path = SHARED / "data" / f"{name}.jsonl"
    if not path.exists():
        if os.environ.get("WHETSTONE_CI") and SHARED.exists():
            pytest.fail(f"{path} is missing although the shared folder is there")
        pytest.skip(
            f"{name}.jsonl is not here: put the public data into ../shared/data to check it"
        )
    with path.open(encoding="utf-8") as file:
        return tuple(json.loads(line) for line in file)


def mode_sets(
    name: str, keep: Callable[[dict[str, Any]], bool] = lambda output: True
) -> dict[Hashable, dict[Hashable, frozenset[str]]]:
    return {
        output["id"]: {
            given["annotator"]: frozenset(given["failure_modes"])
            for given in output["annotations"]
            if "failure_modes" in given
        }
        for output in lines(name)
        if keep(output)
    }


def ratings(
    name: str, criterion: str, keep: Callable[[dict[str, Any]], bool] = lambda output: True
) -> dict[Hashable, dict[Hashable, Hashable]]:
    return {
        output["id"]: {
            given["annotator"]: given["ratings"][criterion]
            for given in output["annotations"]
            if criterion in given.get("ratings", {})
        }
        for output in lines(name)
        if keep(output)
    }


def report_of(name: str) -> AgreementReport:
    return assess(mode_sets(name), settings=FAST)


def test_dices350_alpha_and_size() -> None:
    found = assess_values("safe", ratings("dices350", "safe"), settings=FAST)
    assert found.alpha.value == pytest.approx(0.1504, abs=5e-5)
    assert (found.items, found.labels) == (245, 30135)
    assert found.alpha.low is not None
    assert found.alpha.high is not None
    assert 0.1 < found.alpha.low < 0.1504 < found.alpha.high < 0.2


def test_dices350_has_every_pair_of_its_123_annotators() -> None:
    assert len(report_of("dices350").pairs) == 123 * 122 // 2


def test_dices350_crowd_against_the_expert() -> None:
    crowd, expert = [], []
    for output in lines("dices350"):
        given = [a["ratings"]["safe"] for a in output["annotations"]]
        crowd.append(given.count("No") >= given.count("Yes"))  # the figures count a tie as No
        expert.append(output["reference"]["value"] == "No")
    assert sum(crowd) / len(crowd) == pytest.approx(0.7837, abs=5e-5)
    accuracy = sum(a == b for a, b in zip(crowd, expert, strict=True)) / len(crowd)
    assert accuracy == pytest.approx(0.6531, abs=5e-5)
    assert cohen_kappa(crowd, expert) == pytest.approx(0.3109, abs=5e-5)


def test_xsum_modes() -> None:
    report = report_of("xsum_hallu")
    assert report.mode("intrinsic").alpha.value == pytest.approx(0.6854, abs=5e-5)
    assert report.mode("extrinsic").alpha.value == pytest.approx(0.7624, abs=5e-5)


def test_xsum_is_factual() -> None:
    three = {
        item: row for item, row in ratings("xsum_hallu", "is_factual").items() if len(row) == 3
    }
    found = assess_values("is_factual", three, settings=FAST)
    assert found.fleiss.value == pytest.approx(0.7781, abs=5e-5)


@pytest.mark.parametrize(
    ("model", "raw", "fleiss", "judge", "string"),
    [
        ("GPT-4", 0.9841, 0.9694, 0.8936, 0.8261),
        ("Llama2 (new)", 0.9651, 0.9393, 0.6632, 0.7150),
        ("Llama2 (orig)", 0.9683, 0.9373, 0.5962, 0.5771),
        ("Mistral (guard)", 0.9460, 0.9067, 0.5975, 0.5732),
        ("Mistral (instruct)", 0.9714, 0.8977, 0.0395, 0.1836),
    ],
)
def test_xstest(model: str, raw: float, fleiss: float, judge: float, string: float) -> None:
    found = assess_values(
        "response_type",
        ratings("xstest", "response_type", lambda output: output["model"] == model),
        settings=FAST,
    )
    assert found.percent.value == pytest.approx(raw, abs=5e-5)
    assert found.fleiss.value == pytest.approx(fleiss, abs=5e-5)
    outputs = [output for output in lines("xstest") if output["model"] == model]
    final = [output["reference"]["value"] for output in outputs]
    for signal, kappa in (("judge_gpt4", judge), ("string_match", string)):
        machine = [output["signals"][signal] for output in outputs]
        assert cohen_kappa(machine, final) == pytest.approx(kappa, abs=5e-5)


@pytest.mark.parametrize(
    ("criterion", "by_score", "by_rank"),
    [("correctness", 0.4835, 0.6696), ("coverage", 0.7585, 0.7861), ("overall", 0.7733, 0.7861)],
)
def test_squality(criterion: str, by_score: float, by_rank: float) -> None:
    def alpha_of(question: str, metric: Any) -> ValueAgreement:
        given = ratings("squality_heval", question)
        return assess_values(question, given, metric=metric, settings=FAST)

    assert alpha_of(criterion, "interval").alpha.value == pytest.approx(by_score, abs=5e-5)
    rank = alpha_of(f"{criterion}_rank", "ordinal")
    assert rank.alpha.value == pytest.approx(by_rank, abs=5e-5)


def test_wmt23_modes() -> None:
    report = report_of("wmt23_mqm_zhen")
    assert report.verdict.alpha.value == pytest.approx(0.2311, abs=5e-5)
    for mode, prevalence, alpha in (
        ("accuracy/mistranslation", 0.4126, 0.2895),
        ("style/unnatural_or_awkward", 0.2539, 0.0624),
        ("fluency/punctuation", 0.1205, 0.0968),
        ("fluency/grammar", 0.1205, 0.0920),
    ):
        found = report.mode(mode)
        assert found.positives / found.labels == pytest.approx(prevalence, abs=5e-5)
        assert found.alpha.value == pytest.approx(alpha, abs=5e-5)
    assert sum(pair.items for pair in report.pairs) == 3 * 2640
