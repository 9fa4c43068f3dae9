"""What customers ask every day: complaints to the app."""

from __future__ import annotations

from annotation.demo.texts.template import Template, of

KNOWN_MORE: tuple[Template, ...] = (
    *of(
        "known",
        "complaints-07",
        (
            "how",
            "The service in {city} {when} was bad. How do I complain and how soon do you answer?",
            "reply final",
            "Making a complaint",
        ),
        (
            "next",
            "You turned down my complaint about {amount}. What can I do next?",
            "ombudsman",
            "",
        ),
        ("free", "Will it count against me if I complain about the {city} branch?", "free", ""),
    ),
    *of(
        "known",
        "privacy-08",
        (
            "copy",
            "I need everything you know about me since I lived in {city}. How do I get it?",
            "copy",
            "Asking for a copy of your data",
        ),
        ("keep", "I closed my account {when}. How long do you keep my records?", "keep", ""),
        (
            "move",
            "I move to {city} {when}. How do I change my address?",
            "correct",
            "Changing your address",
        ),
    ),
    *of(
        "known",
        "savings-09",
        (
            "easy",
            "I have {amount} left over for a {thing}. What does the Easy Saver pay?",
            "easy",
            "",
        ),
        (
            "early",
            (
                "I put {amount} into a Fixed Saver and need it for a {thing}. What does it "
                "cost to take it out?"
            ),
            "early",
            "",
        ),
        (
            "open",
            "How do I open a savings account for a {thing}, and how little can I start with?",
            "minimum",
            "Opening a savings account",
        ),
        ("interest", "When will I see the interest on my {amount}?", "interest", ""),
    ),
    *of(
        "known",
        "mortgages-10",
        ("deposit", "How much do we need of our own for a flat in {city}?", "deposit", ""),
        (
            "offer",
            (
                "We got a mortgage offer {when} but the house in {city} is not ready. How long "
                "is it good for?"
            ),
            "offer",
            "",
        ),
        (
            "overpay",
            "My {relative} gave us {amount}. May we pay it into the mortgage, and how?",
            "overpay",
            "Making an overpayment",
        ),
        (
            "valuation",
            "The sale in {city} fell through. Do we get the valuation money back?",
            "valuation",
            "",
        ),
    ),
    *of(
        "known",
        "business-11",
        ("fee", "What will my {place} in {city} pay for a business account?", "fee", ""),
        (
            "users",
            "My {relative} joins my {place}. How do I let them into the business account?",
            "users",
            "Adding a person to a business account",
        ),
        (
            "cash",
            "My {place} takes {amount} in cash a week. What does paying it in cost?",
            "cash",
            "",
        ),
        (
            "papers",
            "What papers do I need for a business account for a {place} in {city}?",
            "documents",
            "",
        ),
    ),
    *of(
        "known",
        "access-12",
        (
            "phone",
            "I bought a new {device} {when}. How do I move the app to it?",
            "devices",
            "Moving the app to a new phone",
        ),
        (
            "locked",
            "My {relative} typed wrong numbers on my {device} and the app is locked. For how long?",
            "lock",
            "",
        ),
        (
            "reset",
            "I cannot remember my password on the {device}. What now?",
            "code",
            "Resetting a password",
        ),
        ("old", "Will the app still run on my old {device}?", "versions", ""),
    ),
)
