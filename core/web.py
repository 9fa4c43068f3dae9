"""What every page shares: the request id, and rooms' errors told to people."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.utils.cache import patch_cache_control
from django_htmx.middleware import HtmxDetails

from core.audit import request_id
from core.db import IllegalTransition
from core.models import Project, User

Respond = Callable[[HttpRequest], HttpResponse]
KNOWN_ID = re.compile(r"[\w.:-]{1,64}")


class HtmxRequest(HttpRequest):
    """A request of a signed-in person, as typed by our views."""

    htmx: HtmxDetails
    user: User


class RequestIdMiddleware:
    """Takes `X-Request-ID` where it is sane, else makes one; audit rows carry it."""

    def __init__(self, get_response: Respond) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        token = request_id.set(given if KNOWN_ID.fullmatch(given) else uuid.uuid4().hex)
        try:
            response = self.get_response(request)
            response["X-Request-ID"] = request_id.get()
            return response
        finally:
            request_id.reset(token)


class NoStoreMiddleware:
    """No page of a signed-in person stays in a cache: the next one at the browser may be another.

    Static files never come here; what is no HTML, as the API's prompts, says itself how long it
    may be kept.
    """

    def __init__(self, get_response: Respond) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        # The kind first: to ask who it is reads the session, and the answer then varies by cookie.
        if response.get("Content-Type", "").startswith("text/html") and (
            request.user.is_authenticated
        ):
            patch_cache_control(response, no_store=True)
        return response


class RoomErrorsMiddleware:
    """A refused transition becomes a message and the page again, not a fault."""

    def __init__(self, get_response: Respond) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, Http404):
            # In development too: whoever asks for what is not his or hers sees the same page.
            return not_found(request, error)
        if not isinstance(error, IllegalTransition | ValidationError):
            return None
        if request.path.startswith(("/api/", "/v1/")):
            return None
        text = "; ".join(error.messages) if isinstance(error, ValidationError) else str(error)
        back = request.META.get("HTTP_REFERER", "")
        if request.method == "POST" and back.startswith(
            f"{request.scheme}://{request.get_host()}/"
        ):
            messages.error(request, text)
            return HttpResponseRedirect(back)
        status = 409 if isinstance(error, IllegalTransition) else 400
        return render(request, "error.html", {"status": status, "text": text}, status=status)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404 in the form in which it was asked: JSON for the API, a page for people."""
    if request.path.startswith(("/api/", "/v1/")):
        body = {"detail": "Not found.", "code": "not_found", "fields": {}}
        return JsonResponse(body, status=404)
    return render(request, "404.html", status=404)


def project_of(request: HtmxRequest, slug: str) -> Project:
    """The project that the signed-in person may know of; anything else is a 404."""
    return get_object_or_404(Project.objects.visible_to(request.user), slug=slug)
