"""Is the process alive, and can it do its work?"""

from __future__ import annotations

from hmac import compare_digest
from itertools import chain
from types import ModuleType

from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET

import annotation.metrics
import registry.metrics
import routing.metrics
from core.metrics import exposition

FLOORS: tuple[ModuleType, ...] = (registry.metrics, routing.metrics, annotation.metrics)


@require_GET
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers. Nothing else is asked, so that a slow database restarts nobody."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_GET
def readyz(request: HttpRequest) -> HttpResponse:
    """200 where the database answers, else 503. Redis is named, but work goes on without it."""
    found = {"database": _database(), "redis": _redis()}
    return JsonResponse(found, status=200 if found["database"] == "ok" else 503)


@require_GET
def metrics(request: HttpRequest) -> HttpResponse:
    """Gauges of all floors. Needs `METRICS_TOKEN` as a bearer token where one is set; without
    one it answers only in development."""
    token = settings.METRICS_TOKEN
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not (compare_digest(given.encode(), token.encode()) if token else settings.DEBUG):
        return HttpResponse("Set METRICS_TOKEN and send it as a bearer token.\n", status=403)
    samples = chain.from_iterable(floor.samples() for floor in FLOORS)
    return HttpResponse(exposition(samples), content_type="text/plain; version=0.0.4")


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return "does not answer"
    return "ok"


def _redis() -> str:
    try:
        cache.get("readyz")
    except Exception:  # noqa: BLE001 - whatever the client raises, the probe must answer
        return "does not answer; bells wait for the next sweep"
    return "ok"
