"""The style guide: every part of the interface with realistic values, to be looked at."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from config.style_guide import numbers, parts
from config.style_guide.task import CAUSES, task


class VersionForm(forms.Form):
    """A form with every kind of field and, as filled in here, an error."""

    name = forms.CharField(help_text="Lower case, shown in addresses.")
    share = forms.IntegerField(min_value=1, max_value=100, label="Canary share, percent")
    lever = forms.ChoiceField(choices=CAUSES, required=False)
    note = forms.CharField(widget=forms.Textarea(attrs={"rows": 2}), required=False)
    hold = forms.BooleanField(label="Hold until approved", required=False)


def style_guide(request: HttpRequest) -> HttpResponse:
    """The page; mounted only where DEBUG is on."""
    return render(request, "style_guide.html", context())


def context() -> dict[str, Any]:
    """Everything that `templates/style_guide.html` shows."""
    return {
        "stats": numbers.stats(),
        "diff": parts.PROMPT_DIFF,
        "talk": parts.MESSAGES,
        "steps": parts.STEPS,
        "documents": parts.DOCUMENTS,
        "events": parts.events(),
        "loop": numbers.loop(),
        "task": task(),
        "rows": parts.rows(),
        "charts": numbers.drawings(),
        "form": VersionForm({"name": "answer-question", "share": "900"}),
        "tabs": [
            {"label": "Waiting", "url": "#", "count": 146, "active": True},
            {"label": "Mine", "url": "#", "count": 3},
            {"label": "Done", "url": "#", "count": 12480},
        ],
        "payload": {"gen_ai.request.model": "small-2", "temperature": 0.2, "documents": [1, 2]},
    }
