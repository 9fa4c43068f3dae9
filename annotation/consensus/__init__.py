"""Consensus: what the labels of an output add up to, and the facts pushed down from it."""

from __future__ import annotations

from annotation.consensus.majority import Agreed, Outcome, Voice, majority
from annotation.consensus.settling import COUNTED, due, settle_due, settle_task, void

__all__ = [
    "COUNTED",
    "Agreed",
    "Outcome",
    "Voice",
    "due",
    "majority",
    "settle_due",
    "settle_task",
    "void",
]
