"""OTLP over HTTP, read without a database: bytes in, `SpanIn` and `LogIn` values out."""

from __future__ import annotations

from routing.otlp.answers import encode_error, encode_success
from routing.otlp.errors import BadEncoding, Malformed, Refused, TooLarge, Unsupported
from routing.otlp.logs import parse_logs
from routing.otlp.traces import Parsed, parse
from routing.otlp.transfer import inflate, media_of

__all__ = [
    "BadEncoding",
    "Malformed",
    "Parsed",
    "Refused",
    "TooLarge",
    "Unsupported",
    "encode_error",
    "encode_success",
    "inflate",
    "media_of",
    "parse",
    "parse_logs",
]
