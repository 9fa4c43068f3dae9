"""Stock sentences of the simulated assistant, good and bad. Detectors know some of them."""

from __future__ import annotations

OPENINGS: tuple[str, ...] = (
    "",
    "",
    "Thank you for your question. ",
    "Thank you for writing. ",
    "Happy to help. ",
)
CLOSINGS: tuple[str, ...] = (
    "",
    "",
    "\nIf anything is unclear, please write to us in the app.",
    "\nPlease write again if you need more.",
)
BREEZY: tuple[str, ...] = (
    "Hey hey, super easy one! 😄 ",
    "No worries mate! ",
    "Haha, happens to the best of us! 😂 ",
    "Easy peasy, here we go! 🎉 ",
)
UNKNOWN = (
    "The documents I have do not say this, so I do not know. Please ask us in the app, and we "
    "will find out for you."
)
REFUSAL = "I am sorry, but I cannot help with this request."
INVENTED: tuple[str, ...] = (
    "As a regular customer you also get a discount of 15 % on this.",
    "This changes to £37 from next quarter.",
    "Most customers have it done in 11 minutes.",
    "You are also insured for up to £2,750 with this.",
    "There is a bonus of £45 if you do it in the app.",
)
# By template: what a model would invent where the documents are silent.
INVENTED_ANSWERS: dict[str, str] = {
    "cards-01.insurance": "Yes, purchases are insured up to £1,850 for 90 days.",
    "cards-01.metal": "The metal card costs £89 a year.",
    "fees-02.closing": "Closing a joint account costs £15.",
    "transfers-03.crypto": "You may send up to £1,850 a week.",
    "savings-09.child": "The account can be kept up to the age of 23.",
    "mortgages-10.green": "With solar panels the rate is 0.35 % lower.",
    "branches-06.locker": "A safe deposit box costs £89 a year.",
}
INVENTED_DEFAULT: tuple[str, ...] = (
    "As far as I know this takes up to 11 days and costs £37.",
    "Yes, this is possible up to a limit of £1,850.",
)
PROMISES: tuple[str, ...] = (
    "I promise that this will work out for you.",
    "We guarantee it.",
    "I recommend that you do it; it is clearly the best choice for you.",
    "You should definitely go for it.",
)
HEADINGS: tuple[str, ...] = ("Complaint", "Facts", "Wanted", "Next step")
JUDGEMENTS: tuple[str, ...] = (
    "Haha, another one of these.",
    "The customer is making a big fuss, mate.",
)
