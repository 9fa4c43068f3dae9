"""The report's numbers, asked of the database."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, QuerySet

from annotation import agreement
from annotation.models import Consensus, ConsensusFinding, Label, LabelFinding
from annotation.models.label import Verdict
from annotation.replay import causes, truth
from annotation.replay.line import Line
from annotation.replay.report import Agreement, Bar, Cause, Judged, Routed
from annotation.replay.world import World
from registry import rubrics
from routing.models import AutoApproval, Decision, Item, RiskPolicy, Trace
from routing.models.decision import Action, PolicyState

JUDGING = (Verdict.ACCEPTABLE.value, Verdict.DEFECTIVE.value)


@dataclass(frozen=True, slots=True)
class Scope:
    """The outputs that the report is about: those of the lines, and nothing else of the project."""

    world: World
    lines: Mapping[int, Line]

    @property
    def traces(self) -> list[int]:
        return list(self.lines)

    @property
    def decisions(self) -> QuerySet[Decision]:
        return Decision.objects.filter(trace__in=self.traces, sequence=1)

    @property
    def labels(self) -> QuerySet[Label]:
        return Label.objects.current().filter(trace__in=self.traces)

    @property
    def consensus(self) -> QuerySet[Consensus]:
        return Consensus.objects.current().filter(trace__in=self.traces)


def route(scope: Scope) -> Routed:
    """Tiers, actions, stages and what still waits."""
    actions: dict[str, dict[str, int]] = {}
    for tier, action, count in _counted(scope.decisions, "tier", "action"):
        actions.setdefault(tier, {})[action] = count
    decided = scope.decisions.count()
    passed = sum(each.get(Action.AUTO_APPROVE, 0) for each in actions.values())
    items = Item.objects.filter(trace__in=scope.traces)
    bare = [pk for pk, line in scope.lines.items() if not line.annotations]
    return Routed(
        outputs=len(scope.lines),
        stages=counts(Trace.objects.filter(pk__in=scope.traces), "stage"),
        actions=actions,
        saved=passed / decided if decided else None,
        items=counts(items, "state"),
        unasked=items.waiting().filter(trace__in=bare).count(),
        policy=_policy(scope),
        granted=_grant(scope),
    )


def _policy(scope: Scope) -> str:
    found = RiskPolicy.objects.filter(project=scope.world.project, state=PolicyState.PUBLISHED)
    policy = found.first()
    return f"version {policy.number} ({policy.note})" if policy else "none"


def _grant(scope: Scope) -> str:
    grant = AutoApproval.objects.in_force().filter(project=scope.world.project).first()
    return f"{grant.get_kind_display()}: {grant.reason}" if grant else ""


def counts(rows: QuerySet[Any], column: str) -> dict[str, int]:
    return dict(_counted(rows, column))


def _counted(rows: QuerySet[Any], *columns: str) -> list[Any]:
    return list(rows.order_by().values_list(*columns).annotate(Count("pk")).order_by(*columns))


def hold_back(scope: Scope, yardstick: truth.Yardstick) -> truth.Escape:
    """The escape rate among what was auto-approved, by the labels that nobody was given."""
    passed = scope.decisions.filter(action=Action.AUTO_APPROVE).order_by("trace_id")
    return truth.escape(
        (scope.lines[pk] for pk in passed.values_list("trace_id", flat=True)), yardstick
    )


def take_audit(scope: Scope, yardstick: truth.Yardstick) -> truth.Audit:
    """What the labels of the audited outputs say of all that were of low risk."""
    drawn = dict(scope.decisions.filter(action=Action.AUDIT).values_list("trace_id", "probability"))
    votes = _defect_votes(list(drawn), yardstick)
    judged = [
        (found, drawn[pk])
        for pk, said in sorted(votes.items())
        if (found := truth.majority(said)) is not None
    ]
    return truth.audit(len(drawn), judged)


def _defect_votes(traces: Sequence[int], yardstick: truth.Yardstick) -> dict[int, list[bool]]:
    labels = Label.objects.current().filter(trace__in=traces, verdict__in=JUDGING)
    bad = {
        pk
        for pk, severity in LabelFinding.objects.filter(label__in=labels).values_list(
            "label", "severity"
        )
        if yardstick.counts(severity)
    }
    votes: dict[int, list[bool]] = defaultdict(list)
    for pk, trace in labels.values_list("pk", "trace_id"):
        votes[trace].append(pk in bad)
    return votes


def judge(scope: Scope) -> Judged:
    """Labels by verdict and mode, consensus by verdict and state."""
    consensus: dict[str, dict[str, int]] = {}
    for verdict, state, count in _counted(scope.consensus, "verdict", "state"):
        consensus.setdefault(verdict, {})[state] = count
    return Judged(
        labels=scope.labels.count(),
        annotators=scope.labels.order_by().values("annotator").distinct().count(),
        verdicts=counts(scope.labels, "verdict"),
        consensus=consensus,
        modes=counts(LabelFinding.objects.filter(label__in=scope.labels), "mode"),
    )


def agree(scope: Scope) -> Agreement:
    """Between those who judged the same outputs, which were chosen by risk: hard ones prevail."""
    found: dict[int, set[str]] = defaultdict(set)
    judging = scope.labels.filter(verdict__in=JUDGING)
    for label, mode in LabelFinding.objects.filter(label__in=judging).values_list("label", "mode"):
        found[label].add(mode)
    given: dict[Any, dict[Any, frozenset[str]]] = defaultdict(dict)
    for pk, trace, annotator in judging.order_by("pk").values_list("pk", "trace", "annotator"):
        given[trace][annotator] = frozenset(found.get(pk, ()))
    shared = {trace: said for trace, said in given.items() if len(said) > 1}
    if not shared:
        return Agreement(0, 0, None, ())
    whole = agreement.assess(shared)
    return Agreement(whole.items, whole.labels, whole.verdict, whole.modes)


def rank(scope: Scope) -> tuple[Bar, ...]:
    """Agreed failure modes, the heaviest first."""
    labels = {code: mode.label for code, mode in rubrics.modes_of(scope.world.rubric).items()}
    count: Counter[str] = Counter()
    weight: Counter[str] = Counter()
    rows = ConsensusFinding.objects.filter(consensus__in=scope.consensus)
    for mode, probability in rows.values_list("mode", "consensus__item__decision__probability"):
        count[mode] += 1
        weight[mode] += 1 / probability  # type: ignore[assignment]
    total = sum(weight.values())
    bars: list[Bar] = []
    for mode in sorted(weight, key=lambda each: (-weight[each], each)):
        so_far = sum(bar.weight for bar in bars) + weight[mode]
        bars.append(
            Bar(mode, labels.get(mode, mode), count[mode], weight[mode],
                weight[mode] / total, so_far / total)
        )  # fmt: skip
    return tuple(bars)


def default(scope: Scope) -> tuple[Cause, ...]:
    """The defaults that were used: no file states root causes."""
    used = counts(LabelFinding.objects.filter(label__in=scope.labels), "mode")
    modes = rubrics.modes_of(scope.world.rubric)
    return tuple(
        Cause(
            code, causes.starter_of(code), modes[code].default_cause,
            modes[code].default_severity, findings,
        )
        for code, findings in sorted(used.items(), key=lambda pair: (-pair[1], pair[0]))
    )  # fmt: skip
