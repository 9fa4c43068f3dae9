"""A review task of the style guide."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils.html import format_html

from config.style_guide.parts import DOCUMENTS
from core import clock

MODES = (
    (
        "unsupported",
        "Unsupported claim",
        "States as fact what no passage and no input supports.",
        "1",
    ),
    (
        "contradicts",
        "Contradicts context",
        "Says the opposite of a passage that was retrieved.",
        "2",
    ),
    (
        "citation",
        "Citation missing or wrong",
        "An amount, date or limit has no source, or the wrong one.",
        "3",
    ),
    (
        "retrieval",
        "Poor context retrieval",
        "The passages do not hold what the question needs.",
        "4",
    ),
    ("instruction", "Instruction not followed", "A rule of the prompt was passed over.", "5"),
    ("incomplete", "Incomplete", "A part of the question stays unanswered.", "6"),
    ("tone", "Tone or style deviation", "Not how this bank speaks to its customers.", "7"),
    (
        "policy",
        "Domain or brand policy violated",
        "Factually right, and yet not to be said here.",
        "8",
    ),
    ("privacy", "Privacy leak", "Shows what belongs to somebody else.", "9"),
)

CAUSES = (
    ("prompt", "Prompt: the instructions"),
    ("retrieval", "Retrieval: what it was given to read"),
    ("model", "Model or its parameters"),
    ("tool", "Tool: call, arguments or answer"),
    ("data", "Data: source wrong or missing"),
    ("policy", "Policy: the rules themselves"),
    ("intent", "Intent: what was asked for is unclear"),
    ("unknown", "Not known"),
)


def task() -> dict[str, Any]:
    modes: list[dict[str, Any]] = [
        {
            "slug": slug,
            "name": name,
            "text": text,
            "key": key,
            "severity": "major",
            "cause": "prompt",
        }
        for slug, name, text, key in MODES
    ]
    modes[2] |= {"checked": True, "quote": "as a valued customer you can send up to 10,000 euros"}
    return {
        "title": "Review",
        "ref": "5f31c0",
        "why": "High risk: an amount of money without a "
        "source, so two people look at it before the day ends.",
        "due_at": clock.now() + timedelta(hours=2, minutes=14, seconds=30),
        "risk": "at_risk",
        "done": 23,
        "total": 60,
        "token": "7",
        "submit_url": "#",
        "leave_url": "#",
        "model": "small-2",
        "asked": "I have to pay the builder tomorrow, his bank is in Norway. How much can I "
        "send abroad in one day from the app, and does it arrive the same day?",
        "documents": DOCUMENTS,
        "system": "Answer only from the passages below.\nCite amounts as [n].",
        "output_html": format_html(
            '<p>{}<mark class="output__mark">{}</mark>{}</p><p>{}</p>',
            "You can send money abroad straight from the app. "
            "The daily limit is 5,000 euros [1], and ",
            "as a valued customer you can send up to 10,000 euros",
            " when you call us first.",
            "A transfer to Norway arrives within one bank working day if you send it before "
            "14:00. Instant payments arrive within ten seconds, but they cannot be called back "
            "[2].",
        ),
        "rubric": "Support answers, version 4",
        "verdicts": [
            {"value": "acceptable", "label": "Acceptable", "tone": "ok", "key": "a"},
            {
                "value": "defective",
                "label": "Defective",
                "tone": "danger",
                "key": "d",
                "checked": True,
            },
            {"value": "cannot_judge", "label": "Cannot judge", "key": "c"},
        ],
        "severities": [
            {"value": "minor", "label": "Minor"},
            {"value": "major", "label": "Major", "tone": "warn"},
            {"value": "critical", "label": "Critical", "tone": "danger"},
        ],
        "causes": [{"value": value, "label": label} for value, label in CAUSES],
        "modes": modes,
    }
