"""The loop at a glance: a handful of counted numbers, each from one indexed query."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from django.db.models import (
    Count,
    DateTimeField,
    DurationField,
    ExpressionWrapper,
    F,
    FloatField,
    Min,
    Q,
    Sum,
    Value,
)
from django.db.models.functions import TruncDate
from django.urls import reverse

from annotation.consensus import COUNTED
from annotation.models import Label
from core import charts, clock
from core.access import Verb
from core.charts import BarChart, LineChart
from core.figures import left, percent, plain
from core.levers import Lever
from core.models import Project
from registry import rubrics
from registry.models import Evidence, GateRun, PromptVersion, Release, SurfaceFinding
from registry.models.gate import GateState
from registry.models.release import ReleaseState
from registry.models.surface import FindingState
from routing.models import Decision, Item, Trace
from routing.models.decision import Action
from routing.sla import WARN_AT

DAY = timedelta(days=1)
WEEKS = timedelta(days=28)
SHOWN_DAYS = 14
OPEN_STATES = (FindingState.OPEN, FindingState.PROPOSED)


def clocks(project: Project) -> dict[str, Any]:
    """How many items wait, and how their clocks stand. At risk: three quarters of the time gone."""
    now = clock.now()
    spent = ExpressionWrapper(
        (F("due_at") - F("created_at")) * Value(WARN_AT), output_field=DurationField()
    )
    warned = ExpressionWrapper(F("created_at") + spent, output_field=DateTimeField())
    in_time = Q(due_at__gt=now)
    return (
        Item.objects.in_project(project)
        .waiting()
        .annotate(warned_at=warned)
        .aggregate(
            waiting=Count("pk"),
            due_today=Count("pk", filter=in_time & Q(due_at__lte=now + DAY)),
            at_risk=Count("pk", filter=in_time & Q(warned_at__lte=now)),
            overdue=Count("pk", filter=~in_time),
            next_due=Min("due_at", filter=in_time),
            oldest_due=Min("due_at"),
        )
    )


def tiles(project: Project, found: dict[str, Any]) -> list[dict[str, Any]]:
    """Due, at risk and overdue, each leading to the SLA board."""
    now = clock.now()
    board = reverse("sla_board", args=[project.slug])
    upcoming: datetime | None = found["next_due"]
    oldest: datetime | None = found["oldest_due"]
    late = bool(found["overdue"] and oldest)
    return [
        {"label": "Due in 24 h", "value": plain(found["due_today"]), "url": board,
         "note": f"next: {left(upcoming, now)}" if upcoming else "nothing is due"},
        {"label": "At risk", "value": plain(found["at_risk"]), "url": board,
         "tone": "warn" if found["at_risk"] else "", "note": "three quarters of the time gone"},
        {"label": "Overdue", "value": plain(found["overdue"]), "url": board,
         "tone": "danger" if found["overdue"] else "",
         "note": f"oldest: {left(oldest, now)}" if late and oldest else "nothing is late"},
    ]  # fmt: skip


def loop(project: Project, found: dict[str, Any], verbs: Collection[Verb]) -> dict[str, Any]:
    """The stages of the loop with the numbers of the last 24 hours."""

    def link(name: str, *needs: Verb) -> str:
        return reverse(name, args=[project.slug]) if not needs or set(needs) & set(verbs) else ""

    traces, passed = _arrived(project)
    given = _labelled(project)
    findings = _findings(project)
    versions, in_gate = _versions(project)
    live, canaries = _serving(project)
    return {
        "back": "Live versions answer, and their answers arrive as traces",
        "stages": [
            _stage(_node("Arriving", traces, "arrive", "traces in 24 h",
                         url=link("trace_list", Verb.SEE_TRACES))),
            _stage(
                _node("Auto-approved", passed, "check", _share(passed, traces), tone="quiet"),
                _node("Waiting", found["waiting"], "queue", _due(found),
                      strong=_pressing(found), tone="alert" if _pressing(found) else "",
                      url=link("queue", Verb.REVIEW, Verb.MANAGE_QUEUE)),
                edge="fork",
            ),
            _stage(_node("Labelled", given["labels"], "person",
                         f"in 24 h, by {_number(given['people'], 'person', 'people')}"),
                   edge="join", edge_text="audit"),
            _stage(_node("Findings", findings["open"], "evidence", "open",
                         strong=f"{findings['new']} new" if findings["new"] else "",
                         url=link("evidence", Verb.SEE_DECISIONS)), edge="one"),
            _stage(_node("Proposed", versions, "prompt", f"versions, {plain(in_gate)} in the gate",
                         url=link("prompt_list", Verb.READ_PROMPTS)), edge="one"),
            _stage(_node("Live", live, "release", _number(canaries, "canary", "canaries"),
                         tone="here", url=link("releases", Verb.READ_PROMPTS)), edge="one"),
        ],
    }  # fmt: skip


def _node(label: str, value: int, icon: str, note: str, **more: str) -> dict[str, Any]:
    return {"label": label, "value": plain(value), "icon": icon, "note": note, **more}


def _stage(*nodes: dict[str, Any], **more: str) -> dict[str, Any]:
    return {"nodes": list(nodes), **more}


def _number(count: int, one: str, many: str) -> str:
    return f"{plain(count)} {one if count == 1 else many}"


def _share(part: int, whole: int) -> str:
    return f"{percent(part / whole)} in 24 h" if whole else "in 24 h"


def _due(found: dict[str, Any]) -> str:
    return f"{plain(found['due_today'])} due in 24 h"


def _pressing(found: dict[str, Any]) -> str:
    if found["overdue"]:
        return f"{plain(found['overdue'])} overdue"
    return f"{plain(found['at_risk'])} at risk" if found["at_risk"] else ""


def _arrived(project: Project) -> tuple[int, int]:
    """Traces that began in the last day, and those of them that nobody had to see."""
    since = clock.now() - DAY
    traces = Trace.objects.in_project(project).filter(started_at__gte=since)
    decided = Decision.objects.in_project(project).filter(trace__started_at__gte=since)
    return traces.count(), decided.filter(action=Action.AUTO_APPROVE).count()


def _labelled(project: Project) -> dict[str, int]:
    recent = Label.objects.in_project(project).filter(
        created_at__gte=clock.now() - DAY, purpose__in=COUNTED
    )
    return recent.aggregate(labels=Count("pk"), people=Count("annotator", distinct=True))


def _findings(project: Project) -> dict[str, int]:
    standing = SurfaceFinding.objects.in_project(project).filter(state__in=OPEN_STATES)
    recent = Q(opened_at__gte=clock.now() - 7 * DAY)
    return standing.aggregate(open=Count("pk"), new=Count("pk", filter=recent))


def _versions(project: Project) -> tuple[int, int]:
    """Versions of the last weeks that were never released, and those in the gate now."""
    recent = PromptVersion.objects.in_project(project).filter(
        created_at__gte=clock.now() - WEEKS, releases=None
    )
    gate = GateRun.objects.in_project(project)
    return recent.count(), gate.filter(state__in=[GateState.PENDING, GateState.RUNNING]).count()


def _serving(project: Project) -> tuple[int, int]:
    serving = Release.objects.in_project(project).serving()
    counts = serving.aggregate(
        live=Count("pk", filter=Q(state=ReleaseState.LIVE)),
        canary=Count("pk", filter=Q(state=ReleaseState.CANARY)),
    )
    return counts["live"], counts["canary"]


def releases(project: Project) -> list[Release]:
    """What serves now; canaries first."""
    serving = Release.objects.in_project(project).serving()
    return list(
        serving.select_related("prompt", "version", "environment").order_by("state", "-started_at")[
            :6
        ]
    )


def findings(project: Project) -> list[dict[str, Any]]:
    """The five open findings with most outputs behind them."""
    names = mode_names(project)
    rows = SurfaceFinding.objects.in_project(project).filter(state__in=OPEN_STATES)
    return [
        {
            "mode": names.get(row.mode, row.mode),
            "lever": Lever(row.lever).label.partition(":")[0],
            "weight": row.weight,
            "evidence": row.evidence_count,
            "prompt": row.prompt,
            "proposed": row.state == FindingState.PROPOSED,
        }
        for row in rows.select_related("prompt").order_by("-weight")[:5]
    ]


def mode_names(project: Project) -> dict[str, str]:
    version = rubrics.current(project)
    return {mode.code: mode.label for mode in version.modes.all()} if version else {}


def throughput(project: Project) -> LineChart:
    """Labels a day over two weeks."""
    today = clock.now().date()
    days = [today - timedelta(days=back) for back in range(SHOWN_DAYS - 1, -1, -1)]
    since = clock.now().replace(hour=0, minute=0, second=0, microsecond=0) - (SHOWN_DAYS - 1) * DAY
    recent = Label.objects.in_project(project).filter(created_at__gte=since, purpose__in=COUNTED)
    counted = dict(
        recent.annotate(day=TruncDate("created_at"))
        .order_by()
        .values("day")
        .annotate(number=Count("pk"))
        .values_list("day", "number")
    )
    return charts.line(
        "throughput",
        "Labels a day",
        [charts.Point(f"{day:%-d %b}", counted.get(day, 0)) for day in days]
        if counted
        else [charts.Point(f"{day:%-d %b}", None) for day in days],
        desc="Work and audits of the last 14 days, days in UTC",
        value_name="Labels",
        floor=0,
    )


def pareto(project: Project) -> BarChart:
    """What goes wrong, as often as it happens: each agreed failure counts 1 / probability."""
    names = mode_names(project)
    weight = ExpressionWrapper(Value(1.0) / F("probability"), output_field=FloatField())
    standing = Evidence.objects.standing().in_project(project)
    recent = standing.filter(created_at__gte=clock.now() - WEEKS)
    rows = (
        recent.values("mode")
        .annotate(number=Count("pk"), weight=Sum(weight))
        .order_by("-weight")[:8]
    )
    return charts.bars(
        "pareto",
        "What goes wrong",
        [
            charts.Bar(names.get(row["mode"], row["mode"]), row["weight"],
                       note=f"n = {plain(row['number'])}")
            for row in rows
        ],
        desc="Agreed failures of the last 28 days, each weighted by 1 / its chance to be reviewed",
        pareto=True,
        value_name="Outputs",
    )  # fmt: skip
