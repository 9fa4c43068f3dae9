"""What the receiver answers, in the encoding of the request."""

from __future__ import annotations

import json

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from routing.otlp.errors import Unsupported
from routing.otlp.transfer import Media, media_of

_REJECTED = {"traces": "rejectedSpans", "logs": "rejectedLogRecords"}


def encode_success(
    content_type: str, rejected: int = 0, reason: str = "", *, signal: str = "traces"
) -> bytes:
    """The body of a 200. `rejected` 0 with a reason is a warning; both empty, full success.

    `signal` is "traces" or "logs"; in protobuf their answers are the same bytes.
    """
    partial = bool(rejected or reason)
    if _media(content_type) == "protobuf":
        success = ExportTracePartialSuccess(rejected_spans=rejected, error_message=reason)
        answer = ExportTraceServiceResponse(partial_success=success if partial else None)
        return answer.SerializeToString()
    counts = {_REJECTED[signal]: str(rejected), "errorMessage": reason}
    return json.dumps({"partialSuccess": counts} if partial else {}).encode()


def encode_error(content_type: str, message: str) -> bytes:
    """The body of a 4xx or 5xx: a google.rpc.Status that holds a message."""
    if _media(content_type) == "protobuf":
        # google.rpc.Status has its message in field 2, as the status of a span has: the same
        # bytes, without one more dependency for one field.
        return Status(message=message).SerializeToString()
    return json.dumps({"message": message}).encode()


def _media(content_type: str) -> Media:
    try:
        return media_of(content_type)
    except Unsupported:
        return "json"
