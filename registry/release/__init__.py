"""Releases: approve, start a canary, go live, promote, roll back; and the canary's own judge."""

from __future__ import annotations

from registry.release.approval import approve, has_approval
from registry.release.canary import judge_canaries
from registry.release.monitor import CanarySettings
from registry.release.observations import ObservationIn, observe
from registry.release.transitions import go_live, promote, roll_back, start_canary

__all__ = [
    "CanarySettings",
    "ObservationIn",
    "approve",
    "go_live",
    "has_approval",
    "judge_canaries",
    "observe",
    "promote",
    "roll_back",
    "start_canary",
]
