"""Letters of complaint: what happened, what it cost, what is wanted; with personal data."""

from __future__ import annotations

import re
from random import Random

from annotation.demo.texts.template import Template

_SLOT = re.compile(r"\{(\w+)\}")

LETTER_SLOTS: dict[str, tuple[str, ...]] = {
    "sum": ("£35", "£64", "£118", "£240", "£505", "£1,150", "£3,400"),
    "town": ("Ashcombe", "Port Merrin", "Tolverne", "Kingsmarsh", "Oldbridge", "Saltley"),
    "month": ("January", "March", "April", "June", "September", "November"),
    "shop": ("garage", "travel agency", "furniture shop", "phone shop", "hotel"),
    "times": ("twice", "three times", "four times", "five times"),
}
PEOPLE: tuple[str, ...] = (
    "Marta Velling",
    "Owen Tarrick",
    "Sade Okunle",
    "Ilse Brandvik",
    "Rafe Pellow",
    "Noor Haddani",
    "Tomas Greel",
    "Bridie Quayle",
    "Anand Kesri",
    "Lotte Vermaas",
)

_STORIES: tuple[tuple[str, str], ...] = (
    (
        "doubled",
        (
            "In {month} the {shop} took {sum} from my card {times}, and nobody in your "
            "{town} branch could tell me why. I want the extra payments back and a letter that "
            "says what went wrong."
        ),
    ),
    (
        "fee",
        (
            "You charged me {sum} for a returned direct debit in {month} although the money was "
            "there. I have written {times} and had no answer. I want the fee refunded and my "
            "record put right."
        ),
    ),
    (
        "branch",
        (
            "I came to the {town} branch {times} in {month} to change my address and was sent "
            "away each time. I want the address changed and an apology."
        ),
    ),
    (
        "transfer",
        (
            "A payment of {sum} to my landlord never arrived in {month}. I called {times} "
            "and was told a different story each time. I want the payment traced and the late "
            "charge of my landlord paid."
        ),
    ),
    (
        "card",
        (
            "My new card went to my old address in {town} in {month} and somebody spent {sum} "
            "with it in a {shop}. I want the money back and to know how this could happen."
        ),
    ),
    (
        "locked",
        (
            "The app has locked me out {times} since {month}, and the line says I should go "
            "to {town}, which is two hours away. I want access again without a journey."
        ),
    ),
    (
        "mortgage",
        (
            "In {month} you lost our papers for the house in {town} {times}, and we paid "
            "{sum} for a second valuation. I want that sum back and one person to talk to."
        ),
    ),
    (
        "fraud",
        (
            "I reported a payment of {sum} to a {shop} in {month} that was not mine and was "
            "told {times} that it was my own fault. I want the decision looked at again by "
            "somebody else."
        ),
    ),
)
COMPLAINTS: tuple[Template, ...] = tuple(
    Template(f"complaint.{name}", text, "complaints-07", kind="complaint")
    for name, text in _STORIES
)


def letter(template: Template, random: Random) -> str:
    """A letter with the writer's name, phone and card number. Cards are test numbers with a
    right check digit; phones lie in a range that no network uses."""
    story = _SLOT.sub(lambda match: random.choice(LETTER_SLOTS[match[1]]), template.text)
    phone = f"07700 900{random.randrange(1000):03d}"
    return (
        f"From: {random.choice(PEOPLE)}, phone {phone}, card {_card(random)}.\n{story}\n"
        "I expect to hear from you soon."
    )


def _card(random: Random) -> str:
    body = "400000" + "".join(str(random.randrange(10)) for _ in range(9))
    digits = body + str(_check_digit(body))
    return " ".join(digits[start : start + 4] for start in range(0, 16, 4))


def _check_digit(body: str) -> int:
    """Luhn: every second digit from the right of the whole number doubled, digits summed."""
    total = 0
    for position, digit in enumerate(reversed(body)):
        value = int(digit) * (2 if position % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return -total % 10
