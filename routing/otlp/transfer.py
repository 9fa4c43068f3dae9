"""How a body travels: its media type and its compression."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from typing import Final, Literal, Protocol, TypeAlias

from routing.otlp.errors import BadEncoding, TooLarge, Unsupported

Media: TypeAlias = Literal["protobuf", "json"]

_MEDIA: Final[dict[str, Media]] = {
    "application/x-protobuf": "protobuf",
    "application/json": "json",
}
_PIECE: Final = 65536
_GZIP_BITS: Final = 16 + zlib.MAX_WBITS


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    @property
    def unconsumed_tail(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = ..., /) -> bytes: ...


def media_of(content_type: str) -> Media:
    """ "protobuf" or "json", parameters such as charset aside. Raises `Unsupported`."""
    media = _MEDIA.get(content_type.partition(";")[0].strip().lower())
    if media is None:
        raise Unsupported(
            f"content-type {content_type[:80]!r} is not read here; "
            "send application/x-protobuf or application/json"
        )
    return media


def inflate(chunks: Iterable[bytes], *, encoding: str, limit: int) -> bytes:
    """The whole body, decompressed, of at most `limit` bytes.

    `encoding` is the Content-Encoding header: "", identity, gzip or deflate. The size is
    counted while inflating, so a bomb costs no more memory than the limit. Raises `TooLarge`,
    `BadEncoding` (corrupt or cut data) or `Unsupported`.
    """
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return _gather(chunks, limit)
    if name == "gzip":
        return _gather(_gunzip(chunks), limit)
    if name == "deflate":
        return _gather(_undeflate(chunks), limit)
    raise Unsupported(
        f"content-encoding {encoding[:40]!r} is not read here; send gzip, deflate or identity"
    )


def _gather(pieces: Iterable[bytes], limit: int) -> bytes:
    body = bytearray()
    for piece in pieces:
        body += piece
        if len(body) > limit:
            raise TooLarge(f"the body is larger than {limit} bytes after decompression")
    return bytes(body)


def _gunzip(chunks: Iterable[bytes]) -> Iterable[bytes]:
    state: _Decompressor = zlib.decompressobj(_GZIP_BITS)
    started = False
    for chunk in chunks:
        started = started or bool(chunk)
        yield from _pieces(state, chunk)
        while state.eof and state.unused_data:
            # RFC 1952 section 2.2: a gzip file is one or more members, one after the other.
            rest = state.unused_data
            state = zlib.decompressobj(_GZIP_BITS)
            yield from _pieces(state, rest)
    _ensure_ended(state, started)


def _undeflate(chunks: Iterable[bytes]) -> Iterable[bytes]:
    state: _Decompressor | None = None
    for chunk in chunks:
        if state is None and chunk:
            state = _deflate_state(chunk)
        if state is not None:
            yield from _pieces(state, chunk)
    if state is not None:
        _ensure_ended(state, started=True)


def _deflate_state(first: bytes) -> _Decompressor:
    # RFC 9110 says zlib format, yet some clients send raw deflate: method 8 in the low bits
    # marks the zlib header, which no ordinary raw stream starts with.
    wrapped = first[0] & 0x0F == 8
    return zlib.decompressobj(zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS)


def _pieces(state: _Decompressor, data: bytes) -> Iterable[bytes]:
    while data and not state.eof:
        try:
            piece = state.decompress(data, _PIECE)
        except zlib.error as error:
            raise BadEncoding(f"the compressed body is corrupt: {error}") from error
        data = state.unconsumed_tail
        yield piece
        if not piece and not data:
            return


def _ensure_ended(state: _Decompressor, started: bool) -> None:
    if started and not state.eof:
        raise BadEncoding("the compressed body ends too early")
