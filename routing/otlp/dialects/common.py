"""What any OpenTelemetry span may say, whatever it is about."""

from __future__ import annotations

from routing.otlp.found import Found
from routing.otlp.values import as_label, as_text, first
from routing.otlp.wire import RawSpan

# What our own client puts on a span: which version it fetched, and with which key.
OWN = "whetstone."
_STATUS = {1: "ok", 2: "error"}


def read(span: RawSpan) -> Found:
    """Status, error, session, user, our own words, and the resource's environment and release."""
    attributes, resource = span.attributes, span.resource
    status = _STATUS.get(span.status, "")
    return Found(
        status=status,
        error=_error(span) if status == "error" else "",
        session=as_label(first(attributes, "session.id")),
        user=as_label(first(attributes, "user.id", "enduser.id")),
        environment=as_label(
            first(resource, "deployment.environment.name", "deployment.environment")
        ),
        release=as_label(resource.get("service.version")),
        metadata={name: value for name, value in attributes.items() if name.startswith(OWN)},
    )


def _error(span: RawSpan) -> str:
    """The best account there is: the status, else the exception, else the kind of error."""
    return span.status_text or _exception(span) or as_text(span.attributes.get("error.type"))


def _exception(span: RawSpan) -> str:
    for event in reversed(span.events):
        if event.name == "exception":
            kind = as_text(event.attributes.get("exception.type"))
            message = as_text(event.attributes.get("exception.message"))
            return ": ".join(part for part in (kind, message) if part)
    return ""
