"""A question with slots, and what a right answer to it must contain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["known", "unknown", "advice", "edgy", "harmful", "complaint"]


@dataclass(frozen=True)
class Template:
    """`facts` and `procedure` are keys of the document; both empty where it does not say."""

    id: str
    text: str
    document: str
    facts: tuple[str, ...] = ()
    procedure: str = ""
    kind: Kind = "known"


def of(kind: Kind, document: str, *rows: tuple[str, str, str, str]) -> tuple[Template, ...]:
    """Rows of (name, question, facts separated by blanks, procedure)."""
    return tuple(
        Template(f"{document}.{name}", text, document, tuple(facts.split()), procedure, kind)
        for name, text, facts, procedure in rows
    )
