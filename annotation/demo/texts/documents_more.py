"""The second half of what the assistant is given to read."""

from __future__ import annotations

from annotation.demo.texts.documents import DOCUMENTS, Document

MORE: tuple[Document, ...] = (
    Document(
        "complaints-07",
        "Complaints",
        {
            "reply": "We acknowledge a complaint within 2 working days.",
            "final": "You receive our final answer within 8 weeks.",
            "ombudsman": "If you disagree, you can go to the ombudsman within 6 months of the "
            "final answer.",
            "free": "Complaining is free and has no effect on your account.",
        },
        {
            "Making a complaint": (
                "Open the app and choose Help.",
                "Tap Make a complaint and describe what happened.",
                "Say what you would like us to do.",
                "Keep the case number that the app shows.",
            ),
        },
    ),
    Document(
        "privacy-08",
        "Your data",
        {
            "copy": "You receive a copy of your data within 1 month of asking.",
            "keep": "We keep account records for 6 years after an account is closed.",
            "third": "We do not talk about an account with anyone but its holders.",
            "correct": "A new address or name takes 2 working days to appear everywhere.",
        },
        {
            "Asking for a copy of your data": (
                "Open the app and choose Profile.",
                "Tap Privacy and then Copy of my data.",
                "Choose the accounts and the period.",
                "Confirm with your PIN.",
            ),
            "Changing your address": (
                "Open the app and choose Profile.",
                "Tap Address and enter the new one.",
                "Take a photo of a letter that shows the new address.",
                "Confirm with your PIN.",
            ),
        },
    ),
    Document(
        "savings-09",
        "Savings accounts",
        {
            "easy": "The Easy Saver pays 2.1 % a year and money can be taken out at any time.",
            "fixed": "The Fixed Saver pays 3.4 % a year for 2 years.",
            "early": "Taking money out of a Fixed Saver early costs 90 days of interest.",
            "minimum": "A savings account can be opened with £1.",
            "interest": "Interest is paid on the last working day of the month.",
        },
        {
            "Opening a savings account": (
                "Open the app and choose Save.",
                "Choose the account and read the summary.",
                "Enter the first amount.",
                "Confirm with your PIN.",
            ),
        },
    ),
    Document(
        "mortgages-10",
        "Mortgages",
        {
            "deposit": "A mortgage needs a deposit of at least 10 % of the price.",
            "offer": "A mortgage offer is valid for 6 months.",
            "overpay": "You can overpay 10 % of the balance a year without a charge.",
            "valuation": "The valuation costs £250 and is not refunded.",
            "late": "Tell us before you miss a payment; there are 4 ways in which we can help.",
        },
        {
            "Making an overpayment": (
                "Open the app and choose Mortgage.",
                "Tap Overpay and enter the amount.",
                "Choose a shorter term or a lower payment.",
                "Confirm with your PIN.",
            ),
        },
    ),
    Document(
        "business-11",
        "Business accounts",
        {
            "fee": "A business account costs £12 a month after 12 free months.",
            "users": "Up to 5 people can have their own access to a business account.",
            "cash": "Paying in cash costs 0.6 % of the amount for businesses.",
            "documents": "To open one we need proof of identity and the registration number.",
        },
        {
            "Adding a person to a business account": (
                "Open the app as the owner and choose Team.",
                "Tap Invite and enter name and mobile number.",
                "Choose what the person may do.",
                "The person confirms identity in their own app.",
            ),
        },
    ),
    Document(
        "access-12",
        "App, passwords and devices",
        {
            "devices": "The app can be used on up to 3 devices.",
            "lock": "After 5 wrong attempts the app is locked for 30 minutes.",
            "code": "A one-time code is valid for 10 minutes.",
            "versions": "The app needs Android 11 or iOS 15.",
        },
        {
            "Moving the app to a new phone": (
                "Install the app on the new phone.",
                "Enter your customer number and date of birth.",
                "Scan your identity document.",
                "Enter the one-time code that we send you.",
            ),
            "Resetting a password": (
                "Tap Forgot password on the first screen.",
                "Enter your customer number.",
                "Enter the one-time code that we send you.",
                "Choose a password of at least 12 characters.",
            ),
        },
    ),
)

LIBRARY: tuple[Document, ...] = (*DOCUMENTS, *MORE)
BY_ID: dict[str, Document] = {document.id: document for document in LIBRARY}

# What the search index knows beside the text, as a librarian would have added it.
KEYWORDS: dict[str, str] = {
    "cards-01": "card insured bought metal country trip abroad paying",
    "fees-02": "overdrawn overdraft charge close closing account bounced salary",
    "transfers-03": "send sent sending money country exchange week pounds pay one go app",
    "loans-04": "loan borrow promise kitchen car wedding boat piano garden motorbike interest",
    "fraud-05": "somebody took back certainly money steal stolen scam",
    "branches-06": "branch safe deposit box locker adviser talk coins cash",
    "complaints-07": "complain complaint count against turned down service bad",
    "privacy-08": "records address move data know about me",
    "savings-09": "saver savings child age interest left over",
    "mortgages-10": "mortgage house flat buy price wait own valuation solar",
    "business-11": "business owner papers company",
    "access-12": "app phone tablet password locked old device run code break",
}
