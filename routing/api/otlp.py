"""OTLP over HTTP. Plain Django views: DRF and `request.body` read chunked bodies as empty."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, DataError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from core.access import Verb, require
from core.api import key_text
from core.keys import find_key
from core.models import ApiKey
from routing import otlp
from routing.ingest import store_spans

log = logging.getLogger(__name__)
PIECE = 65536
# Clients give up after ten seconds in all: a longer wait drops the batch at once.
RETRY_SECONDS = "2"


class Unauthorised(otlp.Refused):
    """No key, or one that is not known here."""

    status = 401


class Forbidden(otlp.Refused):
    """The key is known, but not for this."""

    status = 403


class NoLength(otlp.Refused):
    """A chunked body behind a server that hides it: read as empty it would be lost behind a 200."""

    status = 411


@csrf_exempt
@require_POST
def receive_traces(request: HttpRequest) -> HttpResponse:
    """Spans, protobuf or JSON. 200 only after the commit; 503 when the database is at fault,
    and 400 when a value is: clients send again what got a 503."""
    media = request.headers.get("Content-Type", "")
    try:
        key = _key(request)
        otlp.media_of(media)
        parsed = otlp.parse(_body(request), content_type=media)
        store_spans(parsed.spans, environment=key.environment, actor=key)
    except otlp.Refused as refusal:
        return _refuse(media, refusal.status, str(refusal))
    except DataError:
        log.exception("spans hold a value that no column takes; they are refused")
        return _refuse(media, 400, "A value in the spans cannot be stored; do not send them again.")
    except DatabaseError:
        log.exception("spans were not stored; the client is asked to send them again")
        return _refuse(media, 503, "The spans could not be stored; send them again.")
    reason = "; ".join(parsed.reasons[:5])
    return _answer(media, 200, otlp.encode_success(media, parsed.rejected, reason))


@csrf_exempt
@require_POST
def receive_logs(request: HttpRequest) -> HttpResponse:
    """Log records are not kept yet, and the answer says so: nothing is lost behind a plain 200."""
    media = request.headers.get("Content-Type", "")
    try:
        _key(request)
        parsed = otlp.parse_logs(_body(request), content_type=media)
    except otlp.Refused as refusal:
        return _refuse(media, refusal.status, str(refusal))
    rejected = parsed.rejected + len(parsed.logs)
    reason = "Log records are not kept; send message content on spans." if rejected else ""
    return _answer(media, 200, otlp.encode_success(media, rejected, reason, signal="logs"))


@csrf_exempt
@require_POST
def drop_metrics(request: HttpRequest) -> HttpResponse:
    """One endpoint variable makes SDKs post metrics too: a 404 would fill their logs."""
    media = request.headers.get("Content-Type", "")
    return _answer(media, 200, otlp.encode_success(media))


def _key(request: HttpRequest) -> ApiKey:
    key = find_key(key_text(request))
    if key is None:
        raise Unauthorised("Send an API key, for example as Authorization: Bearer.")
    try:
        require(key, Verb.INGEST, project=key.project)
    except PermissionDenied as error:
        raise Forbidden("This key may not send traces; it lacks the scope ingest.") from error
    return key


def _body(request: HttpRequest) -> bytes:
    encoding = request.headers.get("Content-Encoding", "")
    return otlp.inflate(_pieces(request), encoding=encoding, limit=settings.OTLP_MAX_BYTES)


def _pieces(request: HttpRequest) -> Iterator[bytes]:
    """The body as it comes. Under WSGI Django shows a chunked body as empty; the server's own
    stream holds it, where the server says that it ends by itself."""
    stream = request
    if request.headers.get("Transfer-Encoding", "").lower() == "chunked":
        environ = getattr(request, "environ", {})
        if not environ.get("wsgi.input_terminated"):
            raise NoLength("This server cannot read chunked bodies; send Content-Length.")
        stream = environ["wsgi.input"]
    while piece := stream.read(PIECE):
        yield piece


def _refuse(media: str, status: int, message: str) -> HttpResponse:
    response = _answer(media, status, otlp.encode_error(media, message))
    if status == 401:
        response["WWW-Authenticate"] = "Bearer"
    if status in {429, 503}:
        response["Retry-After"] = RETRY_SECONDS
    # What is unread of the body would be taken for the next request.
    response["Connection"] = "close"
    return response


def _answer(media: str, status: int, body: bytes) -> HttpResponse:
    json = "json" in media.lower() or "protobuf" not in media.lower()
    content_type = "application/json" if json else "application/x-protobuf"
    return HttpResponse(body, status=status, content_type=content_type)
