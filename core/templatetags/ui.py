"""Small parts of pages: `{% load ui %}`. What a tag draws is in `templates/ui/`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from django import template
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from core import charts, clock, figures
from core.icons import drawing

register = template.Library()


@register.simple_tag
def icon(name: str, label: str = "", size: str = "") -> SafeString:
    """An icon; hidden from screen readers unless it has a `label`. `size`: `s` or `l`."""
    shape = mark_safe(drawing(name))  # noqa: S308 - our own drawings
    classes = f"icon icon--{size}" if size else "icon"
    if label:
        return format_html(
            '<svg class="{}" viewBox="0 0 16 16" role="img" aria-label="{}">{}</svg>',
            classes,
            label,
            shape,
        )
    return format_html(
        '<svg class="{}" viewBox="0 0 16 16" aria-hidden="true">{}</svg>', classes, shape
    )


@register.simple_tag
def badge(value: object, kind: str = "", label: str = "") -> SafeString:
    """A word in a pill, coloured by what it is: `kind` tier and `value` high: `badge--tier-high`.

    Without `kind` the tone is neutral. `label` is shown in place of the value.
    """
    text = label or str(value).replace("_", " ").capitalize()
    tone = f"badge--{kind}-{value}" if kind else "badge--plain"
    return format_html('<span class="badge {}">{}</span>', tone, text)


@register.simple_tag
def pill(text: object, tone: str = "plain") -> SafeString:
    """A badge whose tone is named outright: plain, accent, ok, warn, danger or info."""
    return format_html('<span class="badge badge--{}">{}</span>', tone, text)


@register.simple_tag
def due(moment: datetime | None, risk: str = "") -> SafeString:
    """A clock chip with the time left. `risk`: on_time, at_risk, overdue or done."""
    if moment is None:
        return format_html('<span class="chip">{}</span>', "no due date")
    now = clock.now()
    state = risk or ("overdue" if moment < now else "on_time")
    return format_html(
        '<time class="chip chip--{}" datetime="{}" title="due {}">{}{}</time>',
        state,
        moment.isoformat(),
        moment_text(moment),
        icon("clock", size="s"),
        figures.left(moment, now),
    )


@register.simple_tag
def since(moment: datetime | None) -> SafeString:
    """How long ago, with the full moment as title."""
    if moment is None:
        return format_html('<span class="muted">{}</span>', figures.DASH)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        moment.isoformat(),
        moment_text(moment),
        figures.ago(moment, clock.now()),
    )


@register.simple_tag
def chart(value: charts.Chart) -> SafeString:
    """A chart from `core.charts`, with its numbers as a table beneath."""
    return render_to_string(value.template, {"chart": value})


@register.simple_tag
def sparkline(
    values: Sequence[float] | charts.Spark, inline: bool = False, floor: float | None = None
) -> SafeString:
    """A word-sized line of numbers, oldest first (or of a Spark that is made already)."""
    shown = values if isinstance(values, charts.Spark) else charts.spark(values, floor=floor)
    return render_to_string("ui/charts/spark.html", {"spark": shown, "inline": inline})


@register.filter
def percent(value: float | None, digits: int = 1) -> str:
    """A share from 0 to 1 as percent."""
    return figures.percent(value, digits)


@register.filter
def plain(value: float | None, digits: int = 0) -> str:
    """A number with thousands separators."""
    return figures.plain(value, digits)


@register.filter
def compact(value: float | None) -> str:
    """A large number in four characters or so."""
    return figures.compact(value)


@register.filter
def span(seconds: float | None) -> str:
    """Seconds as a duration."""
    return figures.DASH if seconds is None else figures.span(seconds)


@register.filter
def initials(name: object) -> str:
    """The first letters of the first and the last word, for an avatar."""
    words = str(name).replace("@", " ").replace(".", " ").split()
    words = [word for word in words if word[0].isalnum()] or ["?"]
    return (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper()


@register.filter
def pretty(value: object) -> str:
    """JSON with two spaces of indent; text that holds JSON is parsed first, other text stays."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return str(value)
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


@register.filter
def moment_text(moment: datetime) -> str:
    """Date and time to the minute, with its zone."""
    return f"{moment:%-d %b %Y, %H:%M} {moment.tzname() or ''}".strip()
