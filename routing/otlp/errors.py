"""Why a request is refused. `status` is the HTTP status that OTLP clients understand."""

from __future__ import annotations


class Refused(ValueError):
    """A request that cannot be taken; the message is meant for the sender."""

    status = 400


class Malformed(Refused):
    """The body is not what its content type says."""


class BadEncoding(Malformed):
    """The body is not what its content encoding says, or it ends too early."""


class Unsupported(Refused):
    """A content type or content encoding that this receiver does not read."""

    status = 415


class TooLarge(Refused):
    """The body is larger than the limit after decompression."""

    status = 413
