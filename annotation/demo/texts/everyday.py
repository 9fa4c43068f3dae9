"""What customers ask every day: cards to branches."""

from __future__ import annotations

from annotation.demo.texts.template import Template, of

KNOWN: tuple[Template, ...] = (
    *of(
        "known",
        "cards-01",
        ("when", "I ordered a card {when}. How long until it is here in {city}?", "delivery", ""),
        (
            "lost",
            (
                "I left my card in a {place} in {city}. What do I do, and does a new one cost "
                "anything?"
            ),
            "replacement delivery",
            "Freezing a card",
        ),
        ("pin", "I have forgotten the PIN of my {card} card. Where do I find it?", "pin", ""),
        ("newpin", "How do I change the PIN of my {card} card?", "", "Changing your PIN"),
        (
            "tap",
            "My {card} card was declined when I tapped {amount} in a {place}. Is there a limit?",
            "contactless",
            "",
        ),
        (
            "trip",
            "I am going to {country} {when}. What does paying with my {card} card cost there?",
            "abroad",
            "",
        ),
        ("cash", "How much cash can I take out in {city} in one day?", "cash", ""),
    ),
    *of(
        "known",
        "fees-02",
        (
            "classic",
            "Does the Classic account cost anything if only {amount} comes in each month?",
            "classic",
            "",
        ),
        (
            "plus",
            "What will I pay for Plus, and when is it taken? My salary comes {when}.",
            "plus",
            "",
        ),
        (
            "overdraft",
            "If I am {amount} overdrawn after {when}, what does that cost me?",
            "overdraft buffer",
            "",
        ),
        (
            "ask",
            "My {place} bills come before my salary. How do I get an overdraft?",
            "overdraft",
            "Asking for an overdraft",
        ),
        (
            "paper",
            "My {relative} wants a printed statement of our account. What does it cost?",
            "statement",
            "",
        ),
        (
            "returned",
            "A direct debit of {amount} to a {place} bounced. Do I pay for that?",
            "returned",
            "",
        ),
    ),
    *of(
        "known",
        "transfers-03",
        ("when", "I sent {amount} to my {relative} {when}. When will it arrive?", "instant", ""),
        ("limit", "Can I pay {amount} to a {place} in one go in the app?", "limit", ""),
        (
            "abroad",
            (
                "What does it cost to send {amount} to my {relative} in {country}, and how "
                "long does it take?"
            ),
            "abroad",
            "",
        ),
        (
            "change",
            "Until when can I change the standing order to my {relative} for {when}?",
            "standing",
            "",
        ),
        (
            "wrong",
            "I paid {amount} to a wrong account instead of my {relative}. How do I get it back?",
            "wrong",
            "Recalling a payment",
        ),
    ),
    *of(
        "known",
        "loans-04",
        ("range", "Could I borrow {amount} for a {thing}, and over how many years?", "range", ""),
        ("rate", "What interest would I pay on a loan of {amount} for a {thing}?", "rate", ""),
        (
            "early",
            (
                "I inherited money and want to pay back my {thing} loan early. What does it "
                "cost and how do I do it?"
            ),
            "early",
            "Paying a loan back early",
        ),
        (
            "decision",
            "I asked for a loan for a {thing} {when}. When will I hear from you?",
            "decision",
            "",
        ),
        ("holiday", "I am between jobs in {city}. Can I pause my {thing} loan?", "holiday", ""),
    ),
    *of(
        "known",
        "fraud-05",
        (
            "call",
            (
                "Somebody who says he is from Meridale in {city} wants my one-time code on the "
                "phone. Is that real?"
            ),
            "call line",
            "",
        ),
        (
            "unknown",
            "There is a payment of {amount} to a {place} that I never made. What do I do?",
            "report refund",
            "Reporting an unknown payment",
        ),
        (
            "message",
            (
                "I got a message about a parcel for my {relative} with a link to your log-in. "
                "What do I do with it?"
            ),
            "phishing",
            "",
        ),
        (
            "late",
            (
                "I found a payment from {when} to a {place} that I do not know. Is it too late "
                "to report it?"
            ),
            "report",
            "",
        ),
    ),
    *of(
        "known",
        "branches-06",
        ("hours", "When is the branch in {city} open during the week?", "hours", ""),
        ("saturday", "I work in {city} all week. Can I come on a Saturday?", "saturday", ""),
        ("deposit", "My {relative} sold a {thing}. Can I pay in {amount} in cash?", "deposit", ""),
        (
            "coins",
            "My {relative} saved coins for years. Can I bring them all to the {city} branch?",
            "coins",
            "",
        ),
        (
            "adviser",
            "How do I book a talk about a {thing} loan in {city}, and how far ahead?",
            "appointment",
            "Booking an appointment",
        ),
    ),
)
