"""The report of a finished calibration session, in words and numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from annotation.models.label import Verdict
from core.figures import DASH, interval, percent, plain
from core.models import User


def told_report(
    report: Mapping[str, Any],
    rows: Sequence[Mapping[str, Any]],
    members: Sequence[User],
    names: Mapping[str, str],
) -> dict[str, Any]:
    """What `annotation.calibration.close` kept, with titles and names put in.

    Rulings that are hidden from the reader are left out, and with them the sums in which he or
    she could read them.
    """
    hidden = {row["item"].pk for row in rows if row["hidden"]}
    titles = {row["item"].pk: row for row in rows}
    people = {user.pk: str(user) for user in members}
    return {
        "hidden": len(hidden),
        "numbers": [] if hidden else _numbers(report),
        "items": [
            {
                **each,
                "title": titles[each["item"]]["title"] if each["item"] in titles else "",
                "url": titles[each["item"]]["url"] if each["item"] in titles else "",
                "ruling_label": Verdict(each["ruling"]).label,
                "mode_labels": [names.get(mode, mode) for mode in each["ruling_modes"]],
                "share": percent(each["as_ruled"] / each["voters"], 0) if each["voters"] else DASH,
            }
            for each in report["items"]
            if each["item"] not in hidden
        ],
        "members": []
        if hidden
        else [
            {
                **each,
                "name": people.get(each["user"], f"person {each['user']}"),
                "share": percent(each["as_ruled"] / each["votes"], 0) if each["votes"] else DASH,
            }
            for each in report["members"]
        ],
    }


def _numbers(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Agreement on the verdict; why a number is missing stands in its place."""
    verdict = report["verdict"]
    as_ruled = sum(each["as_ruled"] for each in report["items"])
    votes = sum(each["voters"] for each in report["items"])
    return [
        {"label": "Voted as ruled", "value": percent(as_ruled / votes, 0) if votes else DASH,
         "note": f"{plain(as_ruled)} of {plain(votes)} votes"},
        _estimate("Agreement on the verdict", verdict["percent"], verdict, share=True),
        _estimate("Krippendorff's alpha", verdict["alpha"], verdict),
        _estimate("Gwet's AC1", verdict["ac1"], verdict),
    ]  # fmt: skip


def _estimate(
    label: str, estimate: Mapping[str, Any], of: Mapping[str, Any], *, share: bool = False
) -> dict[str, Any]:
    value, low, high = (estimate.get(name) for name in ("value", "low", "high"))
    if value is None:
        return {"label": label, "value": DASH, "note": f"{of['items']} items are too few to say"}
    number = percent(value, 0) if share else f"{value:.2f}"
    spread = interval(low, high, 0) if share else _range(low, high)
    note = f"{plain(of['items'])} items, {plain(of['labels'])} votes"
    return {"label": label, "value": number, "interval": spread, "note": note}


def _range(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{low:.2f} to {high:.2f}"
