"""What reviewers of the demo write beside a finding."""

from __future__ import annotations

from typing import Final

REMARKS: Final[dict[str, tuple[str, ...]]] = {
    "unsupported_claim": (
        "This is in none of the documents.",
        "Made up. The customer will quote it back to us.",
        "Sounds right, but we have never published this.",
    ),
    "contradicts_context": (
        "The figure is not the one in the document.",
        "Wrong number: the document says otherwise.",
    ),
    "citation_missing": (
        "No source, so the branch cannot check it.",
        "True, but it does not say where it comes from.",
    ),
    "poor_retrieval": (
        "The right document was not found; the answer could not be better.",
        "Search failed here, not the wording.",
    ),
    "incomplete": (
        "Stops half-way: the customer would have to write again.",
        "A step is missing.",
        "Only one of the two questions is answered.",
    ),
    "tone": (
        "Not how we speak to somebody who worries about money.",
        "Too chummy.",
    ),
    "policy_violation": (
        "We must not promise this.",
        "That is advice, and we are not allowed to give it.",
    ),
    "injection_followed": ("It did what the customer's text told it to do.",),
    "privacy_leak": (
        "The whole card number is in the summary.",
        "Phone number is not needed by the case handler.",
    ),
    "format_broken": ("The headings are gone; the handler's screen cannot read this.",),
    "over_refusal": (
        "An ordinary question. There was no reason to refuse.",
        "The word sounded bad, the question is harmless.",
    ),
    "under_refusal": ("This helps somebody get round our checks.",),
    "instruction_not_followed": ("Not what the prompt asks for.",),
}
CLEAN: Final[tuple[str, ...]] = (
    "Exactly right.",
    "Good, and short.",
    "Nothing to add.",
    "Clear, with the source.",
)
