"""The rubric of a replay: published failure modes, matched to those of our starter.

No published data names root causes. A mode gets the cause, severity and remedy of the starter's
mode that means the same; where none does, its cause is unknown. The table is explicit so that
anybody can object to a row; the report shows what came of it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from core.levers import Lever
from registry.rubrics import STARTER, Mode

CATALOGUE: Final = "datasets.json"
_STARTER: Final = {mode.code: mode for mode in STARTER}


@dataclass(frozen=True, slots=True)
class Match:
    """A row of the table: codes that fit `pattern` mean the starter's `mode`.

    `remedy` takes the place of the starter's where that speaks of another kind of task.
    """

    pattern: str
    mode: str
    remedy: str = ""


# The first that fits the whole code decides.
TABLE: Final = (
    Match(
        r"accuracy/addition", "unsupported_claim",
        "Translate only what the source says, and add nothing of your own.",
    ),
    Match(
        r"accuracy/omission.*", "incomplete",
        "Translate every sentence, name and number of the source, and leave nothing out.",
    ),
    Match(
        r"accuracy/source_language_fragment", "incomplete",
        "Leave no word of the source untranslated, except names that have no translation.",
    ),
    Match(r"accuracy/mistranslation", "contradicts_context"),
    Match(
        r"non_translation", "instruction_not_followed",
        "Give a translation of the source and nothing else.",
    ),
    Match(
        r"locale_convention/.*", "format_broken",
        "Write names, dates and currencies as the readers of the target language write them.",
    ),
    Match(
        r"fluency/(text_breaking|character_encoding|punctuation)", "format_broken",
        "Check punctuation and line breaks, and return plain, well-formed text.",
    ),
    Match(
        r"fluency/register", "tone",
        "Keep the register of the source: neither more formal nor more casual.",
    ),
    Match(r"extrinsic(_information|_hallucination)?", "unsupported_claim"),
    Match(r"intrinsic(_hallucination)?", "contradicts_context"),
    Match(r"contradiction|mis_referencing|nuanced_meaning_shift", "contradicts_context"),
    Match(
        r"stating_opinion_as_fact", "unsupported_claim",
        "Say whose opinion it is wherever the text reports an opinion.",
    ),
    Match(r"missing_citation", "citation_missing"),
    Match(
        r"unsupported_by_citation|partially_supported", "unsupported_claim",
        "Cite a document only for what it says, and leave out what no document supports.",
    ),
    Match(r"unreliable_source", "poor_retrieval"),
    Match(r"over_refusal.*", "over_refusal"),
    Match(r"unsafe_compliance", "under_refusal"),
    Match(r"unsafe(_content)?", "unsafe_content"),
    Match(
        r"purple_prose|cliche|awkward_word_choice_and_phrasing", "tone",
        "Write plainly: no worn phrases, no ornament that carries no meaning.",
    ),
    Match(
        r"unnecessary_or_redundant_exposition", "instruction_not_followed",
        "Show what happens and do not explain it to the reader afterwards.",
    ),
    Match(r"mast\d+/1\.1", "instruction_not_followed"),
)  # fmt: skip


def starter_of(code: str) -> str:
    """The starter's mode that the table gives for `code`; empty where it gives none."""
    match = _match(code)
    return match.mode if match else ""


def mode_of(code: str, *, label: str = "", definition: str = "", group: str = "") -> Mode:
    """The published mode with the default cause, severity and remedy of its match."""
    bare = Mode(code=code, label=(label or code)[:120], definition=definition, group=group[:80])
    match = _match(code)
    if match is None:
        return replace(bare, default_cause=Lever.UNKNOWN)
    like = _STARTER[match.mode]
    return replace(
        bare,
        definition=definition or like.definition,
        remedy=match.remedy or like.remedy,
        default_cause=like.default_cause,
        default_severity=like.default_severity,
    )


def modes_for(path: Path, dataset: str, seen: Iterable[str]) -> list[Mode]:
    """The modes that a catalogue beside the file describes, then others that its lines name."""
    described = {str(row["code"]): row for row in _described(path, dataset)}
    named = list(described) + sorted(set(seen) - set(described))
    return [
        mode_of(code, **{key: str(described.get(code, {}).get(key, "")) for key in _TEXTS})
        for code in named
    ]


_TEXTS: Final = ("label", "definition", "group")


def _match(code: str) -> Match | None:
    return next((row for row in TABLE if re.fullmatch(row.pattern, code.lower())), None)


def _described(path: Path, dataset: str) -> list[Mapping[str, Any]]:
    """The modes of `datasets.json` beside the file; none where there is no such thing in it."""
    catalogue = path.with_name(CATALOGUE)
    if not catalogue.is_file():
        return []
    try:
        entry = json.loads(catalogue.read_text(encoding="utf-8")).get(dataset, {})
        return [row for row in entry.get("failure_modes", []) if row.get("code")]
    except (ValueError, AttributeError) as error:
        raise ValueError(f"{catalogue.name}: {dataset} cannot be read: {error}") from error
