"""Retrieved documents in every shape that clients send, as `{id, title, text, score, metadata}`.

`id`, `title` and `text` are "" and `score` None where the sender did not say.
"""

from __future__ import annotations

from typing import Any, Final

from routing.otlp.values import as_label, as_number, as_text, first, read_object, read_structure
from routing.spans import Json

_LISTS: Final = ("documents", "results", "hits", "matches", "chunks", "context")
_TEXTS: Final = ("content", "text", "page_content", "pageContent", "snippet", "chunk", "body")
_IDS: Final = ("id", "document_id", "doc_id", "chunk_id", "_id")
_SCORES: Final = ("score", "relevance_score", "similarity", "similarity_score")
_TITLES: Final = ("title", "name", "source", "file_name")


def read_documents(value: object) -> list[Json]:
    """The documents in a list, an envelope, or JSON text of either; empty if there are none."""
    value = read_structure(value)
    if isinstance(value, dict):
        value = first(value, *_LISTS)
    if not isinstance(value, list):
        return []
    found = [read_document(item) for item in value]
    return [document for document in found if document]


def read_document(value: object) -> Json:
    """One document, or an empty dict where the value holds neither text nor id."""
    if isinstance(value, str):
        return _document({"content": value}, {})
    if not isinstance(value, dict):
        return {}
    inner = value.get("document", value.get("node"))
    if isinstance(inner, dict):
        value = {**value, **inner}
    document = _document(value, read_object(value.get("metadata")))
    return document if document["text"] or document["id"] else {}


def _document(value: Json, metadata: Json) -> Json:
    return {
        "id": as_label(_either(value, metadata, _IDS)),
        "title": as_label(_either(value, metadata, _TITLES)),
        "text": as_text(first(value, *_TEXTS)),
        "score": as_number(_either(value, metadata, _SCORES)),
        "metadata": metadata,
    }


def _either(value: Json, metadata: Json, names: tuple[str, ...]) -> Any:
    found = first(value, *names)
    return first(metadata, *names) if found is None else found
