"""Is the process alive, and can it do its work?"""

from __future__ import annotations

from django.core.cache import cache
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET


@require_GET
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers. Nothing else is asked, so that a slow database restarts nobody."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_GET
def readyz(request: HttpRequest) -> HttpResponse:
    """200 where the database answers, else 503. Redis is named, but work goes on without it."""
    found = {"database": _database(), "redis": _redis()}
    return JsonResponse(found, status=200 if found["database"] == "ok" else 503)


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
