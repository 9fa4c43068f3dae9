"""The look as rules: templates keep the content policy, colours can be read in both themes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
SHEETS = sorted((ROOT / "config/static/css").glob("*.css"))
SCRIPTS = sorted((ROOT / "config/static/js").glob("*.js"))
FORBIDDEN = {
    "style attribute": re.compile(r"<[^>]*\sstyle\s*="),
    "handler attribute": re.compile(r"<[^>]*\son[a-z]+\s*="),
    "inline script": re.compile(r"<script(?![^>]*\bsrc=)", re.IGNORECASE),
    "inline style sheet": re.compile(r"<style\b", re.IGNORECASE),
    "javascript address": re.compile(r"javascript:", re.IGNORECASE),
    "foreign resource": re.compile(r"(?:src|<link[^>]*href)\s*=\s*[\"'](?:https?:)?//"),
    "text marked safe": re.compile(r"\|\s*safe\b|\{%\s*autoescape\s+off"),
}
TOKEN = re.compile(r"--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)")
TEXT_ON = {
    "ink": ("canvas", "surface", "sunken", "raised", "hover", "accent-soft"),
    "ink-2": ("canvas", "surface", "sunken", "line-soft", "accent-soft"),
    "ink-3": ("canvas", "surface", "sunken", "line-soft", "hover"),
    "accent-text": ("canvas", "surface", "accent-soft"),
    "accent-ink": ("accent", "accent-hover"),
    "danger-ink": ("danger",),
    "danger-text": ("canvas", "surface", "danger-soft"),
    "warn-text": ("surface", "warn-soft"),
    "ok-text": ("surface", "ok-soft"),
    "info-text": ("surface", "info-soft"),
}
SHAPES_ON = {
    "line-control": ("surface", "canvas"),
    "accent": ("surface", "canvas", "sunken"),
    "chart-1": ("surface",),
    "chart-2": ("surface",),
    "chart-3": ("surface",),
    "chart-4": ("surface",),
    "chart-5": ("surface",),
}


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, two: str) -> float:
    low, high = sorted((luminance(one), luminance(two)))
    return (high + 0.05) / (low + 0.05)


def themes() -> list[dict[str, str]]:
    found = TOKEN.findall((ROOT / "config/static/css/tokens.css").read_text())
    return [{name: light for name, light, _ in found}, {name: dark for name, _, dark in found}]


@pytest.mark.parametrize("theme", themes(), ids=["light", "dark"])
@pytest.mark.parametrize(("pairs", "least"), [(TEXT_ON, 4.5), (SHAPES_ON, 3.0)])
def test_colours_can_be_told_apart(
    theme: dict[str, str], pairs: dict[str, tuple[str, ...]], least: float
) -> None:
    weak = {
        f"{fore} on {back}": round(contrast(theme[fore], theme[back]), 2)
        for fore, backs in pairs.items()
        for back in backs
        if contrast(theme[fore], theme[back]) < least
    }
    assert not weak


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_templates_keep_the_content_policy(path: Path) -> None:
    text = path.read_text()
    assert [name for name, rule in FORBIDDEN.items() if rule.search(text)] == []


@pytest.mark.parametrize("path", SHEETS + SCRIPTS, ids=lambda path: path.name)
def test_sheets_and_scripts_load_nothing_from_elsewhere_and_stay_short(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"@import|url\(\s*[\"']?(?:https?:)?//|\beval\(|innerHTML", text)
    assert len(text.splitlines()) <= 400


@pytest.mark.parametrize("path", SHEETS, ids=lambda path: path.name)
def test_sheets_use_only_tokens_that_exist(path: Path) -> None:
    declared = {
        name for sheet in SHEETS for name in re.findall(r"(--[\w-]+)\s*:", sheet.read_text())
    }
    assert set(re.findall(r"var\((--[\w-]+)", path.read_text())) <= declared
