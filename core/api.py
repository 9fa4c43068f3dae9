"""The API's door frame: keys, strict JSON, one shape of error."""

from __future__ import annotations

import base64
import binascii
import json
import logging
from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, DataError
from django.http import Http404, HttpRequest
from rest_framework import exceptions, parsers, status
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request
from rest_framework.response import Response

from core.db import IllegalTransition
from core.keys import find_key
from core.models import ApiKey

log = logging.getLogger(__name__)


def key_text(request: HttpRequest) -> str:
    """The key as a client sent it: Bearer, `X-API-Key`, `Api-Key`, or the password of Basic."""
    for name in ("X-API-Key", "Api-Key"):
        if value := request.headers.get(name):
            return value
    scheme, _, rest = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() in {"bearer", "api-key"}:
        return rest.strip()
    if scheme.lower() == "basic":
        return _password(rest)
    return ""


def _password(encoded: str) -> str:
    try:
        return base64.b64decode(encoded, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""


class KeyAuthentication(BaseAuthentication):
    """An API key; `request.user` is the key itself, which is an actor."""

    def authenticate(self, request: Request) -> tuple[ApiKey, None] | None:
        text = key_text(request._request)
        if not text:
            return None
        key = find_key(text)
        if key is None:
            raise exceptions.AuthenticationFailed("This API key is unknown, expired or revoked.")
        return key, None

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class TooLarge(exceptions.APIException):
    """The body is longer than one request may be."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "too_large"


def _whole(stream: IO[Any]) -> bytes:
    """Django bounds forms only: what a parser reads by itself is bounded here."""
    most: int = settings.REST_MAX_BYTES
    body: bytes = stream.read(most + 1)
    if len(body) > most:
        raise TooLarge(f"The body is longer than {most:,} bytes; send less at a time.")
    return body


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


class JSONParser(parsers.BaseParser):
    """JSON to RFC 8259: NaN, Infinity and NUL are refused with a sentence."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        try:
            text = _whole(stream).decode("utf-8")
            value = json.loads(text, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            raise exceptions.ParseError(f"The body is not JSON: {error}") from error
        if "\\u0000" in text or "\x00" in text:
            raise exceptions.ParseError("The body holds a NUL character, which cannot be stored.")
        return value


def explain(error: Exception, context: dict[str, Any]) -> Response | None:
    """Every error as `{"detail", "code", "fields"}`."""
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied(str(error) or None)
    elif isinstance(error, IllegalTransition):
        return _answer(status.HTTP_409_CONFLICT, str(error), "conflict", {})
    elif isinstance(error, ValidationError):
        fields = error.message_dict if hasattr(error, "error_dict") else {"": error.messages}
        return _answer(status.HTTP_400_BAD_REQUEST, "Some fields are wrong.", "invalid", fields)
    elif isinstance(error, DataError):
        # Sent again, it would be as wrong: to call it our fault makes clients repeat it for ever.
        log.warning("a value that cannot be stored was refused", exc_info=error)
        return _answer(400, "A value cannot be stored: too large, or no text.", "invalid", {})
    elif isinstance(error, DatabaseError):
        # The transaction is undone: the same request may simply be sent again.
        log.error("the database is at fault", exc_info=error)
        detail = "The database does not answer; send the request again."
        return _answer(503, detail, "unavailable", {}, {"Retry-After": "2"})
    if not isinstance(error, exceptions.APIException):
        return None
    return _known(error)


def _known(error: exceptions.APIException) -> Response:
    headers = {}
    if isinstance(error, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, exceptions.ValidationError):
        detail = error.detail
        fields = detail if isinstance(detail, dict) else {"": detail}
        return _answer(error.status_code, "Some fields are wrong.", "invalid", fields)
    return _answer(error.status_code, str(error.detail), str(error.default_code), {}, headers)


def _answer(
    code: int, detail: str, name: str, fields: Any, headers: dict[str, str] | None = None
) -> Response:
    body = {"detail": detail, "code": name, "fields": fields}
    return Response(body, status=code, headers=headers)
