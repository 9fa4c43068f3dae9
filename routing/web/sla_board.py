"""The SLA board: the page that leads keep open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from core import charts, clock
from core.access import Verb, require
from core.figures import ago, percent, plain
from core.models import Project
from core.web import HtmxRequest, project_of
from registry.web.rates import Rate
from routing import sla_board as board
from routing.sla_board import Clock, Day

WINDOWS = {"1": "24 hours", "7": "7 days", "30": "30 days"}
DEFAULT = "7"


@dataclass(frozen=True, slots=True)
class Row:
    """A clock with its rate."""

    clock: Clock

    @property
    def rate(self) -> Rate:
        return Rate(self.clock.met, self.clock.judged)

    @property
    def tone(self) -> str:
        """Against the goal; nothing is claimed before the interval leaves it on one side."""
        found = self.rate.estimate
        if found.low is None or found.high is None:
            return "plain"
        if found.high < self.clock.goal:
            return "danger"
        return "ok" if found.low >= self.clock.goal else "warn"

    @property
    def verdict(self) -> str:
        words = {"danger": "below goal", "ok": "goal met", "warn": "too close to say"}
        return words.get(self.tone, "too few to say")


@require_GET
@login_required
def sla_board(request: HtmxRequest, slug: str) -> HttpResponse:
    """htmx asks for the same address every 15 seconds and gets the part that moves."""
    project = project_of(request, slug)
    require(request.user, Verb.SEE_DASHBOARDS, project=project)
    window = request.GET.get("days", DEFAULT)
    window = window if window in WINDOWS else DEFAULT
    is_live = request.GET.get("live", "1") != "0"
    since = clock.now() - timedelta(days=int(window))
    context = {**_moving(request, project, since), **_address(project, window, is_live=is_live)}
    if request.htmx:
        return render(request, "routing/sla_board.html#board", context)
    context |= {"spreads": board.spreads(project, since=since)}
    context |= {"late": _late(board.breaches(project))}
    return render(request, "routing/sla_board.html", context)


def _moving(request: HtmxRequest, project: Project, since: datetime) -> dict[str, Any]:
    """What is read again at every look.

    A reviewer sees neither tiers nor single items: that would say how risky an output is held to
    be. Names and loads are for those who run the queue.
    """
    verbs = request.user.verbs_in(project)
    sees_all = Verb.SEE_DECISIONS in verbs
    sees_tiers = sees_all or Verb.REVIEW not in verbs
    clocks = board.clocks(project, since=since)
    whole = board.total(clocks)
    loads = board.loads(project, since=since) if sees_tiers or Verb.REVIEW in verbs else []
    return {
        "tiles": _tiles(Row(whole)),
        "rows": [Row(each) for each in clocks] if sees_tiers else [Row(whole)],
        "sees_tiers": sees_tiers,
        "sees_all": sees_all,
        # Of a single item nobody sees it who may still get that item to judge.
        "sees_each_tier": sees_all and Verb.REVIEW not in verbs,
        "pressing": board.pressing(project) if sees_all else [],
        "loads": loads if sees_all else [each for each in loads if each.user == request.user],
        "now": clock.now(),
    }


def _tiles(row: Row) -> Sequence[dict[str, Any]]:
    whole, now = row.clock, clock.now()
    oldest = f"oldest arrived {ago(whole.oldest, now)}" if whole.oldest else "nothing waits"
    tone = row.tone if row.tone in ("danger", "warn", "ok") else ""
    return [
        {
            "label": "In time",
            "value": row.rate.text if row.rate.is_shown else "–",
            "interval": row.rate.interval,
            "note": f"n = {whole.judged}, goal {percent(whole.goal, 0)}"
            if row.rate.is_shown
            else f"not enough yet (n = {whole.judged})",
            "tone": tone,
        },
        {"label": "Waiting", "value": plain(whole.waiting), "note": oldest},
        {
            "label": "At risk",
            "value": plain(whole.at_risk),
            "note": "due within the hour, or most of the time gone",
            "tone": "warn" if whole.at_risk else "",
        },
        {
            "label": "Overdue",
            "value": plain(whole.overdue),
            "note": "past their due date and still waiting",
            "tone": "danger" if whole.overdue else "",
        },
    ]


def _late(days: Sequence[Day]) -> charts.LineChart:
    late, due = sum(day.late for day in days), sum(day.due for day in days)
    points = [charts.Point(f"{day.day:%-d %b}", day.late) for day in days]
    return charts.line(
        "late",
        "Breaches by day of the due date",
        points if due else [],
        desc=f"{plain(late)} of {plain(due)} items due in the last {len(days)} days were late.",
        value_name="Late",
        floor=0,
        roof=max(4.0, *(float(day.late) for day in days)),
    )


def _address(project: Project, window: str, *, is_live: bool) -> dict[str, Any]:
    base = reverse("sla_board", args=[project.slug])
    rest = "" if is_live else "&live=0"
    tabs = [
        {"label": label, "url": f"{base}?days={days}{rest}", "active": days == window}
        for days, label in WINDOWS.items()
    ]
    other = f"{base}?days={window}" + ("&live=0" if is_live else "")
    here = f"{base}?days={window}"
    return {
        "windows": tabs,
        "window": WINDOWS[window],
        "is_live": is_live,
        "here": here,
        "toggle": other,
    }
