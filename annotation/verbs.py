"""What is logged on this floor. The name of a retired verb is never used again."""

from __future__ import annotations

from enum import StrEnum


class AnnotationVerb(StrEnum):
    LABELS_SUBMITTED = "labels_submitted"
    LABEL_CHANGED = "label_changed"
    SUBMISSION_KEPT = "submission_kept"
    CONSENSUS_SETTLED = "consensus_settled"
    CALIBRATION_OPENED = "calibration_opened"
    CALIBRATION_VOTED = "calibration_voted"
    CALIBRATION_RULED = "calibration_ruled"
    CALIBRATION_CLOSED = "calibration_closed"
