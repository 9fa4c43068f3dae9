"""Texts, rows and events of the style guide."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from core import clock

PROMPT_DIFF = [
    {
        "title": "Rules",
        "note": "changed",
        "lines": [
            {"kind": "same", "old": 4, "new": 4, "text": "Answer only from the passages below."},
            {
                "kind": "removed",
                "old": 5,
                "new": None,
                "parts": [
                    {"text": "Mention the source "},
                    {"text": "where it helps.", "changed": True},
                ],
            },
            {
                "kind": "added",
                "old": None,
                "new": 5,
                "parts": [
                    {"text": "Mention the source "},
                    {"text": "of every amount, date and limit as [n].", "changed": True},
                ],
            },
            {
                "kind": "added",
                "old": None,
                "new": 6,
                "text": "If no passage answers the question, say so and offer a colleague.",
            },
            {"kind": "same", "old": 6, "new": 7, "text": "Never ask for a PIN, TAN or password."},
        ],
    },
    {
        "title": "Tone",
        "note": "unchanged",
        "lines": [
            {"kind": "same", "old": 9, "new": 10, "text": "Calm and plain. No exclamation marks."}
        ],
    },
]

MESSAGES = [
    {
        "role": "system",
        "text": "You are the assistant of Northmoor Bank. Answer from the passages only.",
    },
    {"role": "user", "text": "Hi, I moved house last week. What do you need from me?"},
    {"role": "tool", "name": "find_passages", "text": '{"query": "change of address", "hits": 2}'},
    {
        "role": "assistant",
        "text": "Your new address and the date you moved. "
        "You can change both in the app under Profile [1].",
    },
]

STEPS = [
    {
        "icon": "traces",
        "name": "answer_question",
        "seconds": 2.41,
        "start": 0,
        "width": 100,
        "children": [
            {
                "icon": "search",
                "name": "find_passages",
                "note": "4 hits",
                "seconds": 0.31,
                "start": 1,
                "width": 13,
            },
            {
                "icon": "tool",
                "name": "get_fee_table",
                "seconds": 0.12,
                "start": 15,
                "width": 5,
                "error": True,
            },
            {
                "icon": "model",
                "name": "chat",
                "note": "1,204 in, 188 out",
                "seconds": 1.86,
                "start": 21,
                "width": 77,
                "active": True,
            },
        ],
    },
]

DOCUMENTS = [
    {
        "mark": "1",
        "title": "Transfer limits, personal accounts",
        "note": "0.91",
        "text": "The daily limit for transfers in the app is 5,000 euros. It can be raised to "
        "25,000 euros for one day with the card reader. Transfers abroad outside the SEPA "
        "area count twice.",
    },
    {
        "mark": "2",
        "title": "Instant payments",
        "note": "0.78",
        "text": "Instant payments arrive within ten seconds, day and night. "
        "They cannot be called back.",
    },
]


def events() -> list[dict[str, Any]]:
    now = clock.now()
    return [
        {
            "icon": "undo",
            "tone": "danger",
            "text": "Rolled back to version 6",
            "by": "the canary watch",
            "at": now - timedelta(hours=3),
            "note": "Citation missing rose from 4.1 % to 9.8 % on 214 answers.",
        },
        {
            "icon": "release",
            "tone": "accent",
            "text": "Canary at 10 %",
            "by": "Lee Hartmann",
            "at": now - timedelta(hours=9),
        },
        {
            "icon": "check",
            "tone": "ok",
            "text": "Gate passed",
            "at": now - timedelta(hours=10),
            "note": "62 golden cases, 4 repaired, none broken.",
        },
    ]


def rows() -> list[dict[str, Any]]:
    now = clock.now()
    make = (
        ("How much can I send abroad in one day?", "high", "overdue", -38, "5f31c0"),
        ("Can you close my late father's account?", "high", "at_risk", 21, "a94e17"),
        ("What does the gold card cost if I am a student?", "medium", "on_time", 134, "77b2d4"),
        (
            "Why was my mortgage turned down when the letter promised an answer?",
            "medium",
            "on_time",
            320,
            "c0ffe1",
        ),
        ("Opening hours in Whitby", "low", "on_time", 1500, "18aa90"),
    )
    return [
        {
            "asked": asked,
            "tier": tier,
            "risk": risk,
            "due": now + timedelta(minutes=minutes, seconds=20),
            "ref": ref,
            "url": "#",
        }
        for asked, tier, risk, minutes, ref in make
    ]
