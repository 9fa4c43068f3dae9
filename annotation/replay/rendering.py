"""The report for people, as rich renderables. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from annotation.agreement import ModeAgreement
from annotation.replay.report import Judged, Learned, Report, Routed
from annotation.replay.truth import Audit, Escape
from core.figures import DASH, interval, percent, plain
from core.stats.intervals import Estimate

ACTIONS = {"review": "review", "audit": "audit", "auto_approve": "auto-approved"}
TIERS = ("high", "medium", "low")
SIGNS = {"+": "green", "-": "red", " ": "dim"}
MOST_LINES = 12
MOST_FAULTS = 20


def render(report: Report) -> RenderableType:
    """All tables, in the order of the stages."""
    parts = [
        Text(f"Replay of {report.source.file} into project {report.project}", style="bold"),
        _source(report),
        *_routed(report.routed),
        _escape(report.escape, report.audit),
        *_judged(report.judged),
        _agreement(report),
        *_pareto(report),
        *_causes(report),
        *_learned(report.learned),
        *_not_taken(report),
    ]
    return Group(*(Padding(part, (0, 0, 1, 0)) for part in parts))


def _table(title: str, *columns: str) -> Table:
    """The first column is words, the others are numbers."""
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for index, column in enumerate(columns):
        table.add_column(column, justify="left" if index == 0 else "right", overflow="fold")
    return table


def _facts(title: str, facts: Mapping[str, str]) -> Table:
    table = _table(title, "", "")
    table.show_header = False
    table.columns[1].justify = "left"
    for name, value in facts.items():
        table.add_row(name, value)
    return table


def _source(report: Report) -> Table:
    source = report.source
    facts = {
        "lines read": plain(source.read),
        "kept": plain(source.kept),
        "broken": plain(source.broken),
        "annotations": f"{plain(source.annotations)} by {plain(source.annotators)} annotators",
    }
    for index, fault in enumerate(source.faults[:MOST_FAULTS], start=1):
        facts[f"fault {index}"] = fault
    if len(source.faults) > MOST_FAULTS:
        facts["more faults"] = plain(len(source.faults) - MOST_FAULTS)
    return _facts("File", facts)


def _routed(routed: Routed) -> Iterator[RenderableType]:
    table = _table("Tiers and actions", "tier", *ACTIONS.values(), "all")
    for tier in TIERS:
        given = routed.actions.get(tier, {})
        table.add_row(tier, *(plain(given.get(a, 0)) for a in ACTIONS), plain(sum(given.values())))
    yield table
    yield _facts(
        "Routing",
        {
            "outputs by stage": _listed(routed.stages),
            "items in review": _listed(routed.items),
            "review share saved": f"{percent(routed.saved)} of outputs were seen by nobody",
            "policy": routed.policy,
            "auto-approval": routed.granted or "not granted",
        },
    )


def _escape(escape: Escape, audit: Audit) -> Table:
    known = escape.by_people + escape.by_outcome
    return _facts(
        "Escape rate: auto-approved outputs that are truly defective",
        {
            "truth held back": f"{_estimate(escape.rate)}: {plain(escape.defective)} of"
            f" {plain(known)} ({plain(escape.by_people)} judged by people,"
            f" {plain(escape.by_outcome)} by a known outcome)",
            "without a truth": f"{plain(escape.undecided)} evenly divided,"
            f" {plain(escape.unknown)} unknown, of {plain(escape.passed)} auto-approved",
            "as the audit estimates it": f"{_estimate(audit.rate)}: {plain(audit.defective)} of"
            f" {plain(audit.judged)} judged, {plain(audit.drawn)} drawn; weighted by"
            " 1 / probability",
        },
    )


def _judged(judged: Judged) -> Iterator[RenderableType]:
    yield _facts(
        "Labels",
        {
            "labels": f"{plain(judged.labels)} by {plain(judged.annotators)} annotators",
            "by verdict": _listed(judged.verdicts),
        },
    )
    table = _table("Consensus", "verdict", "agreed", "disputed")
    for verdict, states in judged.consensus.items():
        table.add_row(verdict, plain(states.get("final", 0)), plain(states.get("disputed", 0)))
    if judged.consensus:
        yield table


def _agreement(report: Report) -> RenderableType:
    found = report.agreement
    if found.verdict is None:
        return Text("Agreement: no output has two judging labels.")
    table = _table(
        f"Agreement on {plain(found.items)} outputs with two judging labels or more"
        " (chosen by risk, so the hard ones prevail)",
        "question", "outputs", "marks", "alpha", "AC1", "positive agreement",
    )  # fmt: skip
    for each in (found.verdict, *found.modes):
        table.add_row(*_agreed(each))
    return table


def _agreed(each: ModeAgreement) -> tuple[str, ...]:
    return (
        each.mode, plain(each.items), plain(each.positives),
        _coefficient(each.alpha), _coefficient(each.ac1), _coefficient(each.positive_agreement),
    )  # fmt: skip


def _pareto(report: Report) -> Iterator[RenderableType]:
    table = _table(
        "Failure modes by consensus, weighted by 1 / probability of being seen",
        "failure mode", "outputs", "stand for", "share", "cumulative",
    )  # fmt: skip
    for bar in report.pareto:
        table.add_row(
            bar.label, plain(bar.count), plain(bar.weight, 1),
            percent(bar.share), percent(bar.cumulative),
        )  # fmt: skip
    if report.pareto:
        yield table


def _causes(report: Report) -> Iterator[RenderableType]:
    table = _table(
        "Default causes used: the file states none",
        "failure mode", "like our", "cause", "severity where none is stated", "findings",
    )  # fmt: skip
    for cause in report.causes:
        table.add_row(
            cause.mode, cause.like or DASH, cause.cause, cause.severity, plain(cause.findings)
        )
    if report.causes:
        yield table


def _learned(learned: Learned) -> Iterator[RenderableType]:
    yield _facts(
        "Learning",
        {
            "evidence by cause": _listed(learned.evidence),
            "golden cases": plain(learned.golden),
            "optimizer": _listed(learned.runs),
        },
    )
    table = _table("Findings", "failure mode", "lever", "state", "evidence", "outputs")
    for lesson in learned.lessons:
        table.add_row(
            lesson.mode, lesson.lever, lesson.state,
            plain(lesson.evidence), plain(lesson.weight, 1),
        )  # fmt: skip
    if learned.lessons:
        yield table
    for proposal in learned.proposals:
        title = f"Proposed: version {proposal.version} against {proposal.mode}"
        yield Text(f"{title}, citing {proposal.citations} pieces of evidence", style="bold")
        for block, lines in proposal.diff:
            yield _diff(block, lines)
    if learned.gates:
        names = (f"version {each.version} on {each.mode}" for each in learned.gates)
        said = (f"{each.state}: {each.reason}" for each in learned.gates)
        yield _facts("Gate", dict(zip(names, said, strict=True)))


def _diff(block: str, lines: tuple[tuple[str, str], ...]) -> Text:
    shown = Text(f"  {block}\n", style="italic")
    changed = [line for line in lines if line[0] != " "]
    for sign, text in changed[:MOST_LINES]:
        shown.append(f"  {sign} {text}\n", style=f"not italic {SIGNS[sign]}")
    if len(changed) > MOST_LINES:
        shown.append(f"  and {len(changed) - MOST_LINES} lines more\n", style="not italic")
    return shown


def _not_taken(report: Report) -> Iterator[RenderableType]:
    if report.not_taken:
        text = Text("Steps not taken, and why", style="bold")
        for sentence in report.not_taken:
            text.append(f"\n• {sentence}", style="not bold")
        yield text


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{plain(count)} {name}" for name, count in counts.items()) or "none"


def _estimate(found: Estimate) -> str:
    if found.value is None:
        return "not known"
    return f"{percent(found.value)} [{interval(found.low, found.high)}]"


def _coefficient(found: Estimate) -> str:
    """With its interval; below the minimum of outputs or marks nothing is shown."""
    if found.value is None:
        return "not shown"
    limits = "" if found.low is None else f" [{plain(found.low, 2)}, {plain(found.high, 2)}]"
    return f"{plain(found.value, 2)}{limits}"
