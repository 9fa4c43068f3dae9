"""Words, sentences and numbers of a text. All of it linear in the length of the text."""

from __future__ import annotations

import re

MAX_CHARS = 60_000
_WORD = re.compile(r"[^\W\d_]{2,40}")
_SENTENCE_END = re.compile(r"(?<=[.!?。！？])\s+|\n+")
_NUMBER = re.compile(r"(?<![\w.,])\d{1,15}(?:[.,:]\d{1,9}){0,6}(?!\w)")
_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen twenty"
)
_SPELT = {name: str(value) for value, name in enumerate(_SMALL.split())}
_SPELT |= {"thirty": "30", "forty": "40", "fifty": "50", "hundred": "100", "thousand": "1000"}
_LIST_MARK = re.compile(r"^[ \t]{0,8}\(?\d{1,3}[.)](?=\s)", re.MULTILINE)
_CITATION = re.compile(r"\[[^\[\]\n]{1,80}\]")


def clip(text: str, limit: int = MAX_CHARS) -> str:
    """The text, or its two ends where it is longer: what is read has a bounded cost."""
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]}\n...\n{text[-half:]}"


def words(text: str) -> list[str]:
    """Words of two letters or more, in lower case."""
    return _WORD.findall(text.lower())


def sentences(text: str) -> list[str]:
    """Sentences and lines, stripped, empty ones left out."""
    return [each.strip() for each in _SENTENCE_END.split(text) if each.strip()]


def numbers(text: str) -> frozenset[str]:
    """Numbers in one spelling: 1,500 and 1500.00 are the same, "seven" is 7."""
    found = {plain(each) for each in _NUMBER.findall(text)}
    return frozenset(found | {_SPELT[word] for word in _SPELT.keys() & set(words(text))})


def plain(number: str) -> str:
    """One number without separators of thousands and without idle noughts."""
    whole = re.sub(r",(?=\d{3}(?:\D|\Z))", "", number).replace(",", ".")
    if whole.count(".") == 1 and ":" not in whole:
        whole = whole.rstrip("0").rstrip(".")
    return whole.lstrip("0") or "0"


def claims(text: str) -> str:
    """The text without marks of lists and without citations, whose numbers claim nothing."""
    return _CITATION.sub(" ", _LIST_MARK.sub("", text))


def digits(text: str) -> list[str]:
    """The numbers as they stand in the text."""
    return _NUMBER.findall(text)


def quote(text: str, limit: int = 120) -> str:
    """A short, one-line quotation."""
    line = " ".join(text.split())
    return f'"{line}"' if len(line) <= limit else f'"{line[: limit - 3]}..."'
