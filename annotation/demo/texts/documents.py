"""What Meridale Bank's assistant is given to read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict


class Passage(TypedDict):
    """A document as retrieval hands it over."""

    id: str
    title: str
    text: str
    score: float


@dataclass(frozen=True)
class Document:
    """Facts by key, each one sentence; procedures by key, each a tuple of steps."""

    id: str
    title: str
    facts: dict[str, str]
    procedures: dict[str, tuple[str, ...]]

    @property
    def text(self) -> str:
        """Facts in a paragraph, then each procedure as a numbered list."""
        parts = [" ".join(self.facts.values())]
        for name, steps in self.procedures.items():
            numbered = "\n".join(f"{n}. {step}" for n, step in enumerate(steps, 1))
            parts.append(f"{name}:\n{numbered}")
        return "\n".join(parts)


DOCUMENTS: tuple[Document, ...] = (
    Document(
        "cards-01",
        "Debit and credit cards",
        {
            "delivery": "A new card reaches you within 5 working days of the order.",
            "replacement": "The first replacement card in a year is free; each other costs £6.",
            "pin": "Your PIN is shown in the app under Cards and is never sent by post.",
            "contactless": "A single contactless payment is limited to £80.",
            "abroad": "Card payments in another currency carry a fee of 1.5 % of the amount.",
            "cash": "Cash withdrawals are limited to £400 a day.",
        },
        {
            "Freezing a card": (
                "Open the app and choose Cards.",
                "Choose the card and tap Freeze.",
                "If the card is lost, tap Report lost as well.",
                "Confirm the address for the new card.",
            ),
            "Changing your PIN": (
                "Take the card to any Meridale cash machine.",
                "Choose PIN services on the screen.",
                "Enter the old PIN and then the new PIN twice.",
            ),
        },
    ),
    Document(
        "fees-02",
        "Account fees and overdrafts",
        {
            "classic": "The Classic account has no monthly fee.",
            "plus": "The Plus account costs £7 a month, taken on the 3rd.",
            "overdraft": "An arranged overdraft costs 24.9 % a year on the amount used.",
            "buffer": "The first £25 of an arranged overdraft is free of interest.",
            "statement": "A printed statement costs £2; statements in the app are free.",
            "returned": "A direct debit returned for lack of funds costs £4.",
        },
        {
            "Asking for an overdraft": (
                "Open the app and choose Borrow.",
                "Choose Overdraft and enter the limit you want.",
                "Confirm your income and regular costs.",
                "Read the agreement and accept it in the app.",
            ),
        },
    ),
    Document(
        "transfers-03",
        "Transfers and payments",
        {
            "instant": "Payments within the country normally arrive within 2 hours.",
            "limit": "Payments in the app are limited to £10,000 a day.",
            "abroad": "A payment abroad costs £5 and arrives within 3 working days.",
            "standing": "A standing order can be changed until 18:00 on the day before it runs.",
            "wrong": "If you paid the wrong account, tell us at once; we ask the other bank for "
            "the money, and getting it back is not certain.",
        },
        {
            "Cancelling a standing order": (
                "Open the app and choose Payments.",
                "Choose Standing orders and then the order.",
                "Tap Cancel order.",
                "Confirm with your PIN.",
            ),
            "Recalling a payment": (
                "Open the payment in the app and tap Report a problem.",
                "Choose Paid the wrong account.",
                "Enter the account you meant to pay.",
                "Keep the case number that the app shows.",
            ),
        },
    ),
    Document(
        "loans-04",
        "Personal loans",
        {
            "range": "Personal loans run from £1,000 to £25,000 over 1 to 7 years.",
            "rate": "The representative rate is 8.4 % a year; your own rate depends on your "
            "circumstances.",
            "early": "Paying a loan back early costs at most 58 days of interest.",
            "decision": "Most loan decisions take 1 working day.",
            "holiday": "One payment holiday of 2 months is possible after the first year.",
        },
        {
            "Paying a loan back early": (
                "Open the app and choose Borrow.",
                "Choose the loan and tap Settlement figure.",
                "Check the date until which the figure is valid.",
                "Pay the figure from any account in your name.",
            ),
        },
    ),
    Document(
        "fraud-05",
        "Fraud and scams",
        {
            "call": "We never ask for your PIN, your full password or a one-time code by phone.",
            "line": "The fraud line 0800 555 0142 is open 24 hours a day.",
            "report": "Report a payment you do not know within 13 months.",
            "refund": "A payment that you did not authorise is refunded by the end of the next "
            "working day unless we suspect fraud by the account holder.",
            "phishing": "Forward a suspicious message to phishing@meridale.example and then "
            "delete it.",
        },
        {
            "Reporting an unknown payment": (
                "Freeze the card in the app.",
                "Open the payment and tap I do not know this payment.",
                "Answer the questions about the payment.",
                "Call the fraud line if more than one payment is affected.",
            ),
        },
    ),
    Document(
        "branches-06",
        "Branches, opening hours and cash",
        {
            "hours": "Branches are open from 9:30 to 16:30, Monday to Friday.",
            "saturday": "City branches also open on Saturday from 10:00 to 13:00.",
            "deposit": "You can pay in up to £5,000 in cash a day at the counter.",
            "coins": "Coins are taken in full bags only, at most 10 bags a visit.",
            "appointment": "Appointments with an adviser can be booked up to 6 weeks ahead.",
        },
        {
            "Booking an appointment": (
                "Open the app and choose Help.",
                "Tap Meet an adviser and choose the branch.",
                "Choose the topic and a free time.",
            ),
        },
    ),
)
