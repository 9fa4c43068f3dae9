"""Text of models as people read it: sanitised markdown, or plain where markdown would mislead.

Such text is hostile. Nothing of it becomes an element that loads, runs, links or poses as ours.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, Final

import nh3
from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict

# Brackets are looked through to the deepest level from each of them: a hostile text of this length
# costs a third of a second, and one of any other kind less.
LONGEST: Final = 20_000
# A table's short rows are filled up with empty cells: two letters can cost a hundred of them.
MOST_CELLS: Final = 5_000
# As the parser has them: Python knows more ends of lines, which end no table.
LINE_ENDS: Final = re.compile(r"\r\n?|\n")
DEEPEST: Final = 20
# A browser lays out pieces that are off screen later: long texts stay smooth.
PIECE: Final = 8_000
TAGS: Final = {
    "p", "br", "hr", "strong", "em", "s", "code", "pre", "blockquote", "ul", "ol", "li",
    "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip


def render(text: str) -> SafeString:
    """`text` as HTML of harmless elements. JSON, and what is too long, deep or wide, stays plain.

    Links and images are shown as words and address, headings as bold paragraphs, HTML as text.
    """
    if (pretty := _as_json(text)) is not None:
        return _block(pretty)
    tokens = _parser.parse(text) if len(text) <= LONGEST and _cells(text) <= MOST_CELLS else None
    # Below the deepest level the parser drops text, and a reviewer must miss none.
    if tokens is None or any(token.level >= DEEPEST - 1 for token in tokens):
        return _block(text)
    html = _parser.renderer.render(tokens, _parser.options, {})
    clean = nh3.clean(html, tags=TAGS, attributes={}, link_rel=None)
    return mark_safe(clean)  # noqa: S308 - sanitised in the line above


def raw(text: str) -> SafeString:
    """`text` to the character, for the inside of a `<pre>`: its text content is `text` again."""
    # A parser of HTML drops a first line feed and turns returns into line feeds.
    whole = format_html_join(
        "", '<span class="raw__part">{}</span>', ((_exact(part),) for part in pieces(text))
    )
    return format_html("\n{}", whole)


def pieces(text: str, size: int = PIECE) -> list[str]:
    """`text` in parts of about `size` characters that end at a line's end where there is one."""
    found: list[str] = []
    start = 0
    while start < len(text):
        end = text.find("\n", start + size)
        end = len(text) if len(text) <= start + size else start + 3 * size if end < 0 else end + 1
        end = min(end, start + 3 * size)
        found.append(text[start:end])
        start = end
    return found


def cut(text: str, most: int) -> tuple[str, int]:
    """The beginning of `text`, and how many characters are left out."""
    return text[:most], max(0, len(text) - most)


def _exact(text: str) -> SafeString:
    return mark_safe(escape(text).replace("\r", "&#13;"))  # noqa: S308 - escaped


def _block(text: str) -> SafeString:
    return format_html("<pre>{}</pre>", raw(text))


def _cells(text: str) -> int:
    """At most so many cells would the tables of `text` have: as wide as the line below the head.

    What is no table but could be taken for one counts too; an empty line ends it.
    """
    cells = width = 0
    for line in LINE_ENDS.split(text):
        bare = line.strip("> \t")
        if not bare:
            width = 0
        elif "-" in bare and not bare.strip("|:-+*.) \t0123456789"):
            width = max(width, bare.count("|") + 1)
        cells += width
    return cells


def _as_json(text: str) -> str | None:
    if not text.lstrip().startswith(("{", "[")) or len(text) > LONGEST:
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return (
        json.dumps(value, indent=2, ensure_ascii=False) if isinstance(value, dict | list) else None
    )


class _Renderer(RendererHTML):
    """What markdown would make active becomes words."""

    def heading_open(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Any
    ) -> str:
        return "<p><strong>"

    def heading_close(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Any
    ) -> str:
        return "</strong></p>\n"

    def link_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Any) -> str:
        return ""

    def link_close(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Any) -> str:
        address = _address(tokens, idx)
        return f" <code>{escape(address)}</code>" if address else ""

    def image(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Any) -> str:
        token = tokens[idx]
        return f"[image: {escape(token.content)}] <code>{escape(token.attrGet('src') or '')}</code>"


def _address(tokens: Sequence[Token], idx: int) -> str:
    """Of the link that closes at `idx`; empty where the words of the link are the address."""
    start = next(i for i in range(idx, -1, -1) if tokens[i].type == "link_open")
    address = str(tokens[start].attrGet("href") or "")
    words = "".join(token.content for token in tokens[start + 1 : idx])
    return "" if words == address else address


_parser = MarkdownIt(
    "commonmark", {"html": False, "maxNesting": DEEPEST}, renderer_cls=_Renderer
).enable(["table", "strikethrough"])
