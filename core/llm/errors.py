"""What can go wrong between us and a model, in four kinds that call for different answers."""

from __future__ import annotations

from core.text import storable


class LlmError(Exception):
    """Any failure of a model call. Its message, which may quote a server, can be stored."""

    def __init__(self, message: str) -> None:
        super().__init__(storable(message))


class NotConfigured(LlmError):
    """No model is named for this purpose. The message says which variables to set."""


class Unavailable(LlmError):
    """The server did not answer, or asks to be left alone: try again later.

    `retry_after` is in seconds; None where the server did not say.
    """

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Refused(LlmError):
    """The server will not do it (wrong key, unknown model, bad request), or the model declined.

    The same request will be refused again. `status` is the HTTP status, 200 where the model
    itself declined.
    """

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


class BadAnswer(LlmError):
    """An answer came and cannot be used: empty, cut off, or not of the wanted shape."""
