"""The demo's search: documents by shared words, rendered into and read back from a prompt."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from annotation.demo.texts.documents import Document, Passage
from annotation.demo.texts.documents_more import BY_ID, KEYWORDS, LIBRARY
from annotation.demo.texts.questions import Question, recognise, share

_WORD = re.compile(r"[a-z]{3,}")
_PASSAGE = re.compile(r"^\[([a-z]+-\d{2})\] ([^\n]+)\n(.*?)(?=\n\n|\Z)", re.MULTILINE | re.DOTALL)
OUTAGE_SHARE = 0.04
COUNT = 3


def documents_for(question: Question | str) -> list[Passage]:
    """The passages that the search finds, best first, score in [0, 1].

    It is an ordinary search, with its ordinary misses; for a fixed 4 % of the questions its
    index is stale and the right document does not come up. No prompt can mend that.
    """
    text = question if isinstance(question, str) else question.text
    template = recognise(text)
    stale = share("outage", text) < OUTAGE_SHARE and template is not None
    scored = [
        (_score(text, document), document)
        for document in LIBRARY
        if not (stale and template and document.id == template.document)
    ]
    if template is not None and template.kind == "complaint":
        scored = [(1.0, BY_ID["complaints-07"])]
    best = sorted(scored, key=lambda pair: -pair[0])[:COUNT]
    return [_passage(document, score) for score, document in best]


def render(passages: Sequence[Passage]) -> str:
    """Passages as the prompt shows them: `[id] title`, the text, a blank line."""
    return "\n\n".join(f"[{each['id']}] {each['title']}\n{each['text']}" for each in passages)


def read(text: str) -> list[Passage]:
    """The passages in a prompt, as `render` wrote them."""
    return [
        Passage(id=match[1], title=match[2], text=match[3], score=0.0)
        for match in _PASSAGE.finditer(text)
    ]


def without_passages(text: str) -> str:
    return _PASSAGE.sub("", text)


def _passage(document: Document, score: float) -> Passage:
    return Passage(id=document.id, title=document.title, text=document.text, score=round(score, 3))


def stems(text: str) -> list[str]:
    """Words cut to five letters: enough to bring "transfer" and "transfers" together."""
    return [word[:5] for word in _WORD.findall(text.lower())]


@lru_cache(maxsize=1)
def _index() -> tuple[dict[str, Counter[str]], dict[str, float]]:
    counts = {
        document.id: Counter(stems(f"{document.title} {KEYWORDS[document.id]} {document.text}"))
        for document in LIBRARY
    }
    spread = Counter(word for each in counts.values() for word in each)
    rarity = {word: math.log(1 + len(LIBRARY) / n) for word, n in spread.items()}
    return counts, rarity


def _score(text: str, document: Document) -> float:
    """Share of the question's word weight (inverse document frequency) found in the document."""
    counts, rarity = _index()
    words = set(stems(text)) & rarity.keys()
    total = sum(rarity[word] for word in words)
    found = sum(
        rarity[word] * (1 + 0.1 * min(counts[document.id][word], 5))
        for word in words
        if word in counts[document.id]
    )
    return min(1.0, found / (1.5 * total)) if total else 0.0
