from __future__ import annotations

import time
from html.parser import HTMLParser

import pytest

from core import rich

PAYLOADS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[click](javascript:alert(1))",
    "[click](JaVaScRiPt:alert(1))",
    "[click](data:text/html;base64,PHNjcmlwdD4=)",
    "![x](https://evil.example/pixel.png)",
    "<javascript:alert(1)>",
    "[x]: javascript:alert(1)\n\n[x]",
    "<svg onload=alert(1)>",
    "<iframe src='https://evil.example'></iframe>",
    "<style>body{display:none}</style>",
    '<a href="https://evil.example" onclick="x()">x</a>',
    "<form action='/p/x/queue/claim/'><button>Go</button></form>",
    "`<b onmouseover=alert(1)>`",
    "```html\n</code></pre><script>alert(1)</script>\n```",
    "| a |\n|---|\n| <script>alert(1)</script> |",
    '[x](https://e.example "onmouseover=alert(1)")',
    '[x](<https://e.example/"><script>alert(1)</script>>)',
    '["</pre><script>alert(1)</script>"]',
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<!-- --><meta http-equiv=refresh content='0;url=//evil.example'>",
]


class Seen(HTMLParser):
    """Elements, attributes and text as a browser finds them."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("payload", PAYLOADS)
def test_nothing_hostile_becomes_an_element(payload: str) -> None:
    seen = Seen(rich.render(payload))
    assert seen.tags <= rich.TAGS | {"span"}
    assert [pair for pair in seen.attributes if pair != ("class", "raw__part")] == []


def test_markdown_reads_as_markdown() -> None:
    html = rich.render("# Title\n\n**bold** and\n\n- one\n- two\n\n| a | b |\n|---|---|\n| 1 | 2 |")
    assert Seen(html).tags == {
        "p", "strong", "ul", "li", "table", "thead", "tbody", "tr", "th", "td",
    }  # fmt: skip


def test_a_link_shows_where_it_leads() -> None:
    assert Seen(rich.render("[terms](https://bank.example/t)")).text.strip() == (
        "terms https://bank.example/t"
    )
    assert "image: logo" in Seen(rich.render("![logo](https://e.example/l.png)")).text


def test_json_is_laid_out() -> None:
    assert Seen(rich.render('{"fee": [1, 2]}')).text.strip().startswith('{\n  "fee"')
    assert Seen(rich.render("[1] is a citation")).text.strip() == "[1] is a citation"


@pytest.mark.parametrize(
    "text",
    [">" * 3000 + " hidden words", "- " * 200 + "hidden words", "[" * 30_000 + "hidden words"],
)
def test_deep_nesting_hides_no_word(text: str) -> None:
    assert "hidden words" in Seen(rich.render(text)).text


def test_a_long_text_stays_plain_and_whole() -> None:
    text = "**x** <b>" * 80_000
    seen = Seen(rich.render(text))
    assert seen.tags == {"pre", "span"}
    assert seen.text.removeprefix("\n") == text


@pytest.mark.parametrize("columns", [20, 100, 1000])
@pytest.mark.parametrize("before", ["", "> ", "- "])
@pytest.mark.parametrize("end", ["\n", "\r", "\x0b\n"])
def test_a_table_of_short_rows_is_not_filled_up(columns: int, before: str, end: str) -> None:
    head = f"{before}{'a|' * columns}\n{before.replace('-', ' ')}{'-|' * columns}\n"
    text = head + f"{before.replace('-', ' ')}b{end}" * 3000
    seen = Seen(rich.render(text[: rich.LONGEST]))
    assert seen.tags == {"pre", "span"}


def test_a_large_table_stays_a_table() -> None:
    text = "| a | b | c | d |\n|---|:-:|---|---|\n" + "| one | two | three | four |\n" * 500
    assert "td" in Seen(rich.render(text)).tags


@pytest.mark.parametrize(
    "unit", ["[_", "[!", "![", "[*", "~[", "_*", "- - - - a\n", "[a](", "a|\n"]
)
def test_a_hostile_text_costs_little(unit: str) -> None:
    text = unit * (40_000 // len(unit))
    for length in (rich.LONGEST, len(text)):
        start = time.process_time()
        rich.render(text[:length])
        assert time.process_time() - start < 1


@pytest.mark.parametrize(
    "text",
    ["", "\nfirst line empty", "a\r\nb\rc", "a" * 50_000, "line\n" * 9000, "<&\"'> 🦉\u202e"],
)
def test_raw_text_is_the_text_to_the_character(text: str) -> None:
    # A browser drops the first line feed inside <pre>.
    assert Seen(str(rich.raw(text))).text.removeprefix("\n") == text


def test_pieces_join_to_the_whole_and_end_at_lines() -> None:
    text = "".join(f"{n} some words in a line\n" for n in range(5000))
    parts = rich.pieces(text)
    assert "".join(parts) == text
    assert all(part.endswith("\n") for part in parts)


def test_cut_counts_what_it_leaves_out() -> None:
    assert rich.cut("abcdef", 4) == ("abcd", 2)
    assert rich.cut("abc", 4) == ("abc", 0)
