"""The audit: who did what, filters in the address, pages by key, rows to take away."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from django.apps import apps
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, QueryDict, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from annotation.verbs import AnnotationVerb
from core import clock
from core.access import Verb, require
from core.audit import log_export
from core.figures import plain
from core.models import AuditCheck, AuditEntry, AuditSeal, Project
from core.models.audit import ERASED, AuditQuerySet
from core.verbs import CoreVerb
from core.web import HtmxRequest, project_of
from registry.verbs import RegistryVerb
from routing.verbs import RoutingVerb

PAGE: Final = 50
CHUNK: Final = 1000
VERBS: Final = {
    "core": CoreVerb, "registry": RegistryVerb, "routing": RoutingVerb,
    "annotation": AnnotationVerb,
}  # fmt: skip
EXACT: Final = {
    "verb": "verb", "target": "target_type", "target_id": "target_id", "request": "request_id",
}  # fmt: skip
COLUMNS: Final = (
    "id", "at", "verb", "target_type", "target_id", "actor", "before", "after", "request_id",
)  # fmt: skip
KINDS: Final = {"csv": "text/csv", "jsonl": "application/jsonl"}
# What a spreadsheet takes for the start of a formula.
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


@require_GET
@login_required
def audit(request: HtmxRequest, slug: str) -> HttpResponse:
    """Newest first, for admins. What has no project is for the operator and not shown here."""
    project = project_of(request, slug)
    require(request.user, Verb.MANAGE_PEOPLE, project=project)
    wanted = _wanted(request.GET)
    entries, newer, older = _page(_filtered(project, wanted), request.GET)
    here, kinds = reverse("audit", args=[slug]), _kinds()
    context = {
        "wanted": wanted,
        "filtered": any(wanted.values()),
        "hidden": {name: wanted[name] for name in ("target_id", "request") if wanted[name]},
        "choices": _choices(),
        "rows": [_row(entry, here, kinds) for entry in entries],
        "seal": _seal_status(project),
        "clear_url": here,
        "text": f"{plain(len(entries))} shown",
        "newer_url": _link(here, wanted, after=newer),
        "older_url": _link(here, wanted, before=older),
    }
    return render(request, "annotation/audit.html", context)


@require_POST
@login_required
def export(request: HtmxRequest, slug: str) -> StreamingHttpResponse:
    """The filtered rows, oldest first, as CSV or JSON lines; what is written later stays out."""
    project = project_of(request, slug)
    wanted = _wanted(request.POST)
    form = request.POST.get("form", "")
    asked = {name: value for name, value in wanted.items() if value}
    last = log_export(project=project, form=form, filters=asked, actor=request.user)
    entries = _stream(_filtered(project, wanted).filter(pk__lte=last))
    lines = _csv(entries) if form == "csv" else _jsonl(entries)
    answer = StreamingHttpResponse(lines, content_type=f"{KINDS[form]}; charset=utf-8")
    name = f"audit-{project.slug}-{clock.now():%Y%m%d-%H%M%S}.{form}"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _wanted(data: QueryDict) -> dict[str, str]:
    found = {
        name: data.get(name, "").replace("\x00", "").strip()[:120] for name in (*EXACT, "actor")
    }
    days = {name: _day(data.get(name, "")) for name in ("from", "to")}
    return found | {name: day.isoformat() if day else "" for name, day in days.items()}


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text.isascii() and len(text) == 10 else None
    except ValueError:
        return None


def _filtered(project: Project, wanted: dict[str, str]) -> AuditQuerySet:
    exact = {column: wanted[name] for name, column in EXACT.items() if wanted[name]}
    found = AuditEntry.objects.in_project(project).filter(**exact)
    if wanted["actor"]:
        found = found.by(wanted["actor"])
    return found.between(_midnight(wanted["from"]), _midnight(wanted["to"], days=1))


def _midnight(text: str, days: int = 0) -> datetime | None:
    """The first instant, UTC, of the day (or so many days on); None where there is no such day."""
    day = _day(text)
    try:
        return datetime.combine(day + timedelta(days), time.min, UTC) if day else None
    except OverflowError:
        return None


def _choices() -> list[dict[str, Any]]:
    verbs = [
        (f"{floor}.{verb}", verb.replace("_", " ").capitalize())
        for floor, known in VERBS.items()
        for verb in known
    ]
    return [
        {
            "name": "verb",
            "label": "What was done",
            "any": "Every action",
            "options": _sorted(verbs),
        },
        {
            "name": "target",
            "label": "Kind of target",
            "any": "Every kind",
            "options": _sorted([*_kinds().items()]),
        },
    ]


def _kinds() -> dict[str, str]:
    """What people call the rows of each of our tables."""
    return {
        model._meta.label_lower: str(model._meta.verbose_name).capitalize()
        for model in apps.get_models()
        if model._meta.app_label in VERBS
    }


def _sorted(options: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return sorted(options, key=lambda option: option[1])


def _page(found: AuditQuerySet, data: QueryDict) -> tuple[list[AuditEntry], int | None, int | None]:
    """A page, and the keys from which the newer and the older one start."""
    found = found.select_related("actor")
    before, after = _key(data.get("before", "")), _key(data.get("after", ""))
    if after:
        rows = list(found.filter(pk__gt=after).order_by("pk")[: PAGE + 1])
        rest, shown = len(rows) > PAGE, rows[:PAGE][::-1]
        return shown, shown[0].pk if shown and rest else None, shown[-1].pk if shown else after + 1
    rows = list((found.filter(pk__lt=before) if before else found).order_by("-pk")[: PAGE + 1])
    rest, shown = len(rows) > PAGE, rows[:PAGE]
    newer = (shown[0].pk if shown else before - 1) if before else None
    return shown, newer, shown[-1].pk if rest else None


def _key(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 19 else 0


def _link(here: str, wanted: dict[str, str], **key: int | str | None) -> str:
    if None in key.values():
        return ""
    return f"{here}?{urlencode({**{k: v for k, v in wanted.items() if v}, **key})}"


def _row(entry: AuditEntry, here: str, kinds: dict[str, str]) -> dict[str, Any]:
    changes = {"before": entry.before, "after": entry.after}
    target = {"target": entry.target_type, "target_id": entry.target_id}
    return {
        "entry": entry,
        "words": entry.verb.partition(".")[2].replace("_", " ").capitalize(),
        "target": f"{kinds.get(entry.target_type, entry.target_type)} {entry.target_id}",
        "target_url": _link(here, target),
        "by": _by(entry),
        "request_url": _link(here, {"request": entry.request_id}) if entry.request_id else "",
        "changes": {name: value for name, value in changes.items() if value},
        "brief": json.dumps(entry.after or entry.before, ensure_ascii=False),
    }


def _by(entry: AuditEntry) -> str:
    if entry.actor is not None:
        return str(entry.actor)
    return {"system": "Whetstone", ERASED: "Erased person"}.get(
        entry.actor_label, entry.actor_label
    )


def _seal_status(project: Project) -> dict[str, Any]:
    """How far the chain has come over this project's rows, and what the last check said."""
    last = AuditSeal.objects.defer("ids", "leaves").order_by("number").last()
    mine = AuditEntry.objects.in_project(project)
    after = last.last_id if last else 0
    return {
        "last": last,
        "sealed": plain(mine.filter(pk__lte=after).count()),
        "waiting": plain(mine.filter(pk__gt=after).count()),
        "check": AuditCheck.objects.order_by("pk").last(),
    }


def _stream(found: AuditQuerySet) -> Iterator[dict[str, Any]]:
    """Chunk by chunk, by key: no cursor and no transaction stays open while somebody downloads."""
    after = 0
    while rows := list(found.filter(pk__gt=after).order_by("pk")[:CHUNK]):
        after = rows[-1].pk
        yield from (_facts(entry) for entry in rows)


def _facts(entry: AuditEntry) -> dict[str, Any]:
    return {
        "id": entry.pk,
        "at": entry.at.astimezone(UTC).isoformat(),
        "verb": entry.verb,
        "target_type": entry.target_type,
        "target_id": entry.target_id,
        "actor": entry.actor_label,
        "before": entry.before,
        "after": entry.after,
        "request_id": entry.request_id,
    }


def _jsonl(entries: Iterator[dict[str, Any]]) -> Iterator[str]:
    return (json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries)


class _Line:
    """What `csv` writes to: it hands the line back."""

    def write(self, line: str) -> str:
        return line


def _csv(entries: Iterator[dict[str, Any]]) -> Iterator[str]:
    writer = csv.writer(_Line())
    yield writer.writerow(COLUMNS)
    for entry in entries:
        yield writer.writerow([_cell(entry[name]) for name in COLUMNS])


def _cell(value: object) -> str:
    """Text for a spreadsheet: JSON where there are parts, and nothing that it would compute."""
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)
    return f"'{text}" if text.startswith(FORMULA) else text
