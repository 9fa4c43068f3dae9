"""From a line to a trace, an opinion, a rubric: pure, and nothing that was said is lost."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from annotation.replay import causes
from annotation.replay.cast import address_of
from annotation.replay.line import Line
from annotation.replay.opinions import opinion_of
from annotation.replay.traces import asked, trace_of
from annotation.replay.world import slug_of
from core.levers import Lever
from core.models.project import Severity
from registry.rubrics import STARTER, Finding, Span
from tests.annotation.replay.lines import line, said

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def only(line: Line) -> Finding:
    (finding,) = opinion_of(line.annotations[0], line).scorecard.findings
    return finding


@pytest.mark.parametrize(
    ("modes", "verdict"), [(None, "unstated"), ([], "acceptable"), (["a"], "defective")]
)
def test_verdicts_follow_what_was_asked(modes: list[str] | None, verdict: str) -> None:
    given = line(annotations=[said("ann", modes)])
    assert opinion_of(given.annotations[0], given).scorecard.verdict == verdict


def test_a_finding_takes_its_own_marks_and_their_gravest_severity() -> None:
    marks = [
        {"target": "output", "start": 0, "end": 3, "text": "All", "failure_mode": "a",
         "severity": "Minor", "comment": "not all"},
        {"target": "output", "start": 4, "end": 8, "text": "went", "failure_mode": "a",
         "severity": "Major", "corrected_text": "goes"},
        {"target": "output", "start": 9, "end": 13, "text": "well", "failure_mode": "b"},
    ]  # fmt: skip
    given = line(annotations=[said("ann", ["a", "b"], spans=marks)])
    first, second = opinion_of(given.annotations[0], given).scorecard.findings
    assert first.severity == "major"
    assert first.spans == (Span("output", 0, 3, "All"), Span("output", 4, 8, "went"))
    assert first.comment == "not all\n“went” → “goes”"
    assert (second.severity, second.cause) == ("", "")


def test_a_quotation_without_a_place_stands_in_the_comment() -> None:
    mark = {"target": "output", "text": "Al", "failure_mode": "a", "comment": "hm"}
    assert only(line(annotations=[said("ann", ["a"], spans=[mark])])).comment == "“Al”: hm"


def test_a_quotation_of_a_step_is_found_there() -> None:
    mark = {"target": "trace", "text": "bad", "failure_mode": "a", "step": 1}
    steps = [{"role": "user", "content": "bad?"}, {"role": "assistant", "content": "so bad"}]
    finding = only(line(trace=steps, annotations=[said("ann", ["a"], spans=[mark])]))
    assert finding.spans == (Span("trace", 3, 6, "bad", 1),)


def test_remarks_and_foreign_scales_stand_in_the_comment() -> None:
    marks = [{"target": "output", "start": 0, "end": 3, "text": "All", "comment": "why?"}]
    given = line(
        annotations=[
            said("ann", ["a"], spans=marks, comment=" So-so. ", ratings={"worth": 40},
                 rating_comments={"a": "no", "worth": "little"}, revised_output="Better.",
                 duration_ms=12.6)
        ]
    )  # fmt: skip
    opinion = opinion_of(given.annotations[0], given)
    assert opinion.comment == "So-so.\n“All”: why?\nworth: little\nworth = 40"
    assert opinion.scorecard.findings[0].comment == "no"
    assert (opinion.corrected_output, opinion.active_ms) == ("Better.", 13)


def test_an_unchanged_output_is_no_correction() -> None:
    given = line(annotations=[said("ann", [], revised_output="All went well.")])
    assert opinion_of(given.annotations[0], given).corrected_output is None


def test_no_word_of_the_truth_enters_the_trace() -> None:
    given = line(
        annotations=[said("ann", ["secret-mode"], comment="secret-comment")],
        reference={"kind": "answer", "value": "secret-answer", "failed": True},
        meta={"published": "secret-score"},
    )
    assert "secret" not in repr(trace_of(given, at=NOW))


def test_a_trace_holds_what_the_application_knew() -> None:
    given = line(
        created_at="2024-05-01T10:00:00Z", context=[{"id": "d1", "url": "u"}],
        signals={"rouge": 0.4, "judges": {"x": "Yes"}, "list": [1]},
    )  # fmt: skip
    trace = trace_of(given, at=NOW, prompt_name="p", version=1)
    assert trace.started_at == datetime(2024, 5, 1, 10, tzinfo=UTC)
    assert trace.scores == {"rouge": 0.4, "judges.x": "Yes"}
    assert trace.documents[0]["metadata"] == {"url": "u"}
    assert (trace.prompt_version, trace.variables) == ("1", {"input": "Sum this up."})
    assert trace_of(given, at=NOW).variables == {}


def test_steps_keep_the_index_that_marks_use() -> None:
    steps = [
        {"role": "assistant", "content": "", "tool_calls": [{"name": "f", "arguments": "{}"}]},
        {"role": "tool", "name": "f", "content": "42"},
    ]
    first, second = trace_of(line(trace=steps), at=NOW).steps
    assert (first["kind"], first["output"]) == ("LLM", "f({})")
    assert (second["kind"], second["input"], second["output"]) == ("TOOL", "{}", "42")


def test_a_conversation_is_asked_as_a_transcript() -> None:
    said_so_far = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yes?"}]
    assert asked(line(prompt=said_so_far)) == "User: Hi\n\nAssistant: Yes?"


def test_long_ids_are_cut_to_distinct_trace_ids() -> None:
    one, other = line(id="x" * 70 + "1").trace_id, line(id="x" * 70 + "2").trace_id
    assert len(one) == len(other) == 64
    assert one != other
    assert line(id="short").trace_id == "short"


def test_addresses_are_valid_distinct_and_of_nobody() -> None:
    names = ["rater1", "Rater1", "rater 1", "r" * 90, "r" * 91, "Ünal"]
    found = {address_of(name, "data_set") for name in names}
    assert len(found) == len(names)
    assert address_of("rater1", "data_set") == "rater1.data_set@replay.invalid"
    assert all(len(each.partition("@")[0]) <= 64 for each in found)


def test_a_slug_fits_whatever_the_dataset_is_called() -> None:
    assert slug_of("wmt23_mqm_zhen") == "replay-wmt23-mqm-zhen"
    assert len(slug_of("x" * 100)) == 60


def test_modes_that_mean_one_of_ours_get_its_cause_and_the_rest_none() -> None:
    assert causes.mode_of("extrinsic").default_cause == Lever.PROMPT
    assert causes.mode_of("intrinsic").default_severity == Severity.CRITICAL
    assert causes.starter_of("over_refusal_partial") == "over_refusal"
    unknown = causes.mode_of("narrative_pacing", label="Pacing", definition="Is it even?")
    assert (unknown.default_cause, unknown.remedy) == (Lever.UNKNOWN, "")
    assert (unknown.label, unknown.definition) == ("Pacing", "Is it even?")


def test_every_row_of_the_table_names_a_mode_of_the_starter() -> None:
    assert {row.mode for row in causes.TABLE} <= {mode.code for mode in STARTER}


def test_modes_come_from_the_catalogue_and_from_the_lines(tmp_path: Path) -> None:
    entry = {"tiny": {"failure_modes": [{"code": "b", "label": "Bee"}, {"code": "a"}]}}
    (tmp_path / "datasets.json").write_text(json.dumps(entry))
    found = causes.modes_for(tmp_path / "f.jsonl", "tiny", {"c", "a"})
    assert [(mode.code, mode.label) for mode in found] == [("b", "Bee"), ("a", "a"), ("c", "c")]
    assert causes.modes_for(tmp_path / "f.jsonl", "other", {"c"})[0].code == "c"


def test_a_catalogue_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "datasets.json").write_text("[]")
    with pytest.raises(ValueError, match=r"datasets\.json: tiny cannot be read"):
        causes.modes_for(tmp_path / "f.jsonl", "tiny", ())
