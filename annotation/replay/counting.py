"""The report's numbers, asked of the database."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, NamedTuple

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

JUDGING: Final = (Verdict.ACCEPTABLE.value, Verdict.DEFECTIVE.value)
PORTION: Final = 5_000


class Given(NamedTuple):
    """A label that stands: no later one of the same person supersedes it. `found` maps each
    failure mode that it names to the severity."""

    trace: int
    annotator: int
    verdict: str
    found: dict[str, str]


@dataclass(frozen=True)
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
    def consensus(self) -> QuerySet[Consensus]:
        return Consensus.objects.current().filter(trace__in=self.traces)

    @cached_property
    def labels(self) -> list[Given]:
        """Fetched by key and put together here: right after a flood of labels the statistics are
        old, and how the database would join tens of thousands of them is a matter of luck."""
        rows = Label.objects.filter(trace__in=self.traces).order_by("pk")
        labels = {
            pk: (Given(trace, annotator, verdict, {}), earlier)
            for pk, trace, annotator, verdict, earlier in rows.values_list(
                "pk", "trace_id", "annotator_id", "verdict", "supersedes_id"
            )
        }
        for part in _portions(list(labels)):
            named = LabelFinding.objects.filter(label__in=part)
            for pk, mode, severity in named.values_list("label_id", "mode", "severity"):
                labels[pk][0].found[mode] = severity
        superseded = {earlier for _, earlier in labels.values()}
        return [given for pk, (given, _) in labels.items() if pk not in superseded]


def _portions(keys: list[int]) -> Iterator[list[int]]:
    return (keys[start : start + PORTION] for start in range(0, len(keys), PORTION))


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
    votes: dict[int, list[bool]] = defaultdict(list)
    for given in scope.labels:
        if given.trace in drawn and given.verdict in JUDGING:
            votes[given.trace].append(any(map(yardstick.counts, given.found.values())))
    judged = [
        (found, drawn[pk])
        for pk, said in sorted(votes.items())
        if (found := truth.majority(said)) is not None
    ]
    return truth.audit(len(drawn), judged)


def judge(scope: Scope) -> Judged:
    """Labels by verdict and mode, consensus by verdict and state."""
    consensus: dict[str, dict[str, int]] = {}
    for verdict, state, count in _counted(scope.consensus, "verdict", "state"):
        consensus.setdefault(verdict, {})[state] = count
    return Judged(
        labels=len(scope.labels),
        annotators=len({given.annotator for given in scope.labels}),
        verdicts=dict(sorted(Counter(given.verdict for given in scope.labels).items())),
        consensus=consensus,
        modes=_named(scope),
    )


def _named(scope: Scope) -> dict[str, int]:
    """How many labels name each mode."""
    return dict(sorted(Counter(mode for given in scope.labels for mode in given.found).items()))


def agree(scope: Scope) -> Agreement:
    """Between those who judged the same outputs, which were chosen by risk: hard ones prevail."""
    said: dict[Any, dict[Any, frozenset[str]]] = defaultdict(dict)
    for given in scope.labels:
        if given.verdict in JUDGING:
            said[given.trace][given.annotator] = frozenset(given.found)
    shared = {trace: by_person for trace, by_person in said.items() if len(by_person) > 1}
    if not shared:
        return Agreement(0, 0, None, ())
    whole = agreement.assess(shared)
    return Agreement(whole.items, whole.labels, whole.verdict, whole.modes)


def rank(scope: Scope) -> tuple[Bar, ...]:
    """Agreed failure modes, the heaviest first."""
    labels = {code: mode.label for code, mode in rubrics.modes_of(scope.world.rubric).items()}
    count: Counter[str] = Counter()
    weight: Counter[str] = Counter()
    rows = ConsensusFinding.objects.filter(
        consensus__trace__in=scope.traces, consensus__superseded_at=None
    )
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
    used = _named(scope)
    modes = rubrics.modes_of(scope.world.rubric)
    return tuple(
        Cause(
            code, causes.starter_of(code), modes[code].default_cause,
            modes[code].default_severity, findings,
        )
        for code, findings in sorted(used.items(), key=lambda pair: (-pair[1], pair[0]))
    )  # fmt: skip
