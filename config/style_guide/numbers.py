"""Charts, tiles and the loop of the style guide."""

from __future__ import annotations

from typing import Any

from core import charts
from core.figures import percent


def stats() -> list[dict[str, Any]]:
    return [
        {"label": "Due today", "value": "38", "note": "next in 24 min", "url": "#"},
        {"label": "At risk", "value": "6", "tone": "warn", "note": "late at this pace", "url": "#"},
        {"label": "Overdue", "value": "2", "tone": "danger", "note": "both tier high", "url": "#"},
        {
            "label": "Escape rate",
            "value": percent(0.012),
            "interval": "0.6–2.1",
            "trend": "0.4",
            "trend_icon": "arrow-down",
            "trend_tone": "good",
            "note": "412 audited, 28 days",
        },
        {
            "label": "Review saved",
            "value": percent(0.714),
            "interval": "69.8–72.9",
            "spark": charts.spark([52, 55, 54, 61, 63, 66, 65, 70, 71]),
        },
    ]


def loop() -> dict[str, Any]:
    def node(label: str, value: str, icon: str, note: str, **more: str) -> dict[str, Any]:
        return {"label": label, "value": value, "icon": icon, "note": note, "url": "#", **more}

    return {
        "back": "Live versions answer customers, and their answers arrive as traces",
        "stages": [
            {"nodes": [node("Arriving", "1,284", "arrive", "traces in 24 h")]},
            {
                "edge": "fork",
                "nodes": [
                    node("Auto-approved", "917", "check", "71.4 % in 24 h", tone="quiet"),
                    node(
                        "Waiting", "146", "queue", "38 due today", tone="alert", strong="6 at risk"
                    ),
                ],
            },
            {
                "edge": "join",
                "edge_text": "5 % audit",
                "nodes": [node("Labelled", "221", "person", "in 24 h, by 5 people")],
            },
            {
                "edge": "one",
                "nodes": [node("Evidence", "4", "evidence", "open findings", strong="1 new")],
            },
            {"edge": "one", "nodes": [node("Versions", "2", "prompt", "1 draft, 1 in the gate")]},
            {
                "edge": "one",
                "nodes": [node("Live", "2", "release", "1 canary at 10 %", tone="here")],
            },
        ],
    }


def drawings() -> dict[str, charts.Chart]:
    weeks = [0.86, 0.84, 0.87, 0.88, None, 0.9, 0.91, 0.93, 0.92, 0.94]
    return {
        "pareto": charts.bars(
            "pareto",
            "What goes wrong",
            [
                charts.Bar("Citation missing or wrong", 31),
                charts.Bar("Poor context retrieval", 24),
                charts.Bar("Incomplete", 19),
                charts.Bar("Tone or style deviation", 11),
                charts.Bar("Domain or brand policy violated", 6, fill=4),
            ],
            desc="Confirmed findings of the last 28 days",
            pareto=True,
        ),
        "agreement": charts.bars(
            "agreement",
            "Agreement by failure mode",
            [
                charts.Bar("Citation missing or wrong", 0.81, 0.74, 0.88),
                charts.Bar("Tone or style deviation", 0.42, 0.3, 0.55, fill=3),
            ],
            desc="Gwet's AC1 with 95 % interval",
            value_name="AC1",
            full=1.0,
            form=lambda v: f"{v or 0:.2f}",
        ),
        "quality": charts.line(
            "quality",
            "Acceptable answers",
            [
                charts.Point(f"W{20 + i}", v, v and v - 0.03, v and min(1, v + 0.025))
                for i, v in enumerate(weeks)
            ],
            desc="By week, with 95 % interval; no labels in week 24",
            value_name="Share",
            form=lambda v: percent(v, 0),
            target=(0.9, "goal 90 %"),
        ),
        "tiers": charts.stacked(
            "tiers",
            "Where answers went",
            [("Auto-approved", 2), ("Medium", 3), ("High", 4)],
            [("answer-question", (2210, 410, 96)), ("summarise-call", (640, 60, 4))],
        ),
        "wait": charts.histogram(
            "wait",
            "Time to first opinion",
            [charts.Bin(i, i + 1, n) for i, n in enumerate((12, 41, 66, 58, 31, 16, 9, 3))],
            desc="Hours, tier high",
            value_name="Hours",
            mark=(4.0, "due"),
        ),
    }
