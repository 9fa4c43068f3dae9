"""What is logged on this floor. Retired verbs stay as comments: no name is used twice."""

from __future__ import annotations

from enum import StrEnum


class CoreVerb(StrEnum):
    PROJECT_CREATED = "project_created"
    MEMBER_ADDED = "member_added"
    MEMBER_ROLE_CHANGED = "member_role_changed"
    KEY_CREATED = "key_created"
    KEY_REVOKED = "key_revoked"
    AUDIT_EXPORTED = "audit_exported"
    PERSON_ERASED = "person_erased"
