"""What is logged on this floor. Retired verbs stay as comments: no name is used twice."""

from __future__ import annotations

from enum import StrEnum


class RoutingVerb(StrEnum):
    POLICY_DRAFTED = "policy_drafted"
    POLICY_PUBLISHED = "policy_published"
    AUTO_APPROVAL_GRANTED = "auto_approval_granted"
    AUTO_APPROVAL_REVOKED = "auto_approval_revoked"
    SLA_TARGET_SET = "sla_target_set"
    CALENDAR_CREATED = "calendar_created"
    REVIEWERS_ENROLLED = "reviewers_enrolled"
    REVIEWER_PAUSED = "reviewer_paused"
    REVIEWER_RESUMED = "reviewer_resumed"
    SLOT_CLAIMED = "slot_claimed"
    SLOT_RELEASED = "slot_released"
    SLOTS_ASSIGNED = "slots_assigned"
    TRACES_INGESTED = "traces_ingested"
    PARTITION_MADE = "partition_made"
