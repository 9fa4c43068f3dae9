"""What is logged on this floor. A retired verb stays as a comment; its name is not used again."""

from __future__ import annotations

from enum import StrEnum


class RegistryVerb(StrEnum):
    RUBRIC_CREATED = "rubric_created"
    RUBRIC_PUBLISHED = "rubric_published"
    PROMPT_CREATED = "prompt_created"
    VERSION_ADDED = "version_added"
    VERSION_APPROVED = "version_approved"
    CANARY_STARTED = "canary_started"
    WENT_LIVE = "went_live"
    RELEASE_PROMOTED = "release_promoted"
    RELEASE_ROLLED_BACK = "release_rolled_back"
    CASE_RETIRED = "case_retired"
    FINDING_OPENED = "finding_opened"
    FINDING_ADDRESSED = "finding_addressed"
    FINDING_REOPENED = "finding_reopened"
    FINDING_DISMISSED = "finding_dismissed"
    OPTIMIZATION_REQUESTED = "optimization_requested"
    OPTIMIZATION_FINISHED = "optimization_finished"
    GATE_REQUESTED = "gate_requested"
    GATE_FINISHED = "gate_finished"
