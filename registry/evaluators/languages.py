"""Which language a text may be in: by script, and for Latin letters by its most common words."""

from __future__ import annotations

import re
from collections.abc import Sequence

_SCRIPTS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("kana", re.compile(r"[\u3040-\u30ff]")),
    ("hangul", re.compile(r"[\uac00-\ud7af]")),
    ("han", re.compile(r"[\u4e00-\u9fff]")),
    ("cyrillic", re.compile(r"[\u0400-\u04ff]")),
    ("arabic", re.compile(r"[\u0600-\u06ff]")),
    ("hebrew", re.compile(r"[\u0590-\u05ff]")),
    ("greek", re.compile(r"[\u0370-\u03ff]")),
    ("devanagari", re.compile(r"[\u0900-\u097f]")),
    ("thai", re.compile(r"[\u0e00-\u0e7f]")),
    ("latin", re.compile(r"[A-Za-zÀ-ɏ]")),
)
_SCRIPT_OF = {
    "ja": ("kana", "han"),
    "ko": ("hangul",),
    "zh": ("han",),
    "ru": ("cyrillic",),
    "uk": ("cyrillic",),
    "bg": ("cyrillic",),
    "ar": ("arabic",),
    "fa": ("arabic",),
    "he": ("hebrew",),
    "el": ("greek",),
    "hi": ("devanagari",),
    "th": ("thai",),
}


def _set(line: str) -> frozenset[str]:
    return frozenset(line.split())


_COMMON: dict[str, frozenset[str]] = {
    "en": _set("the and of to in is that for it with as was on are this be you not"),
    "de": _set("der die und das ist nicht ein eine mit von zu den auf für sie ich"),
    "fr": _set("le la les et des est un une que pour dans pas vous sur avec du"),
    "es": _set("el la los que en y es un una por con para no se las del"),
    "it": _set("il la di che è un una per non con sono della le gli del"),
    "pt": _set("o a os que em e é um uma por com para não se as do da"),
    "nl": _set("de het een en van is dat niet op te voor met zijn die in"),
}


def script_of(text: str) -> tuple[str, float]:
    """The most frequent script and its share of the letters that are known."""
    counts = {name: len(pattern.findall(text)) for name, pattern in _SCRIPTS}
    total = sum(counts.values())
    # Japanese mixes its own signs with Chinese ones: any fair share of its own decides.
    if total and counts["kana"] / total > 0.1:
        return "kana", counts["kana"] / total
    name = max(counts, key=lambda each: counts[each])
    return name, counts[name] / total if total else 0.0


def expected_share(
    wanted: str, script: str, share: float, found: Sequence[str]
) -> tuple[bool | None, str]:
    """(whether the text fits `wanted`, what it looks like); None where that cannot be told."""
    if wanted in _SCRIPT_OF:
        return (script in _SCRIPT_OF[wanted] or share < 0.6), script
    if wanted not in _COMMON:
        return None, script
    if script != "latin":
        return share < 0.6, script
    scores = {code: sum(word in common for word in found) for code, common in _COMMON.items()}
    best = max(scores, key=lambda each: scores[each])
    # Names, code and lists have few common words of any language: then nothing is said against.
    clear = scores[best] >= 8 and scores[best] > 2 * scores[wanted]
    return not clear, best
