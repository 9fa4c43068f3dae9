"""The demo world: a bank, its people and four weeks of work, made through the rooms alone."""

from __future__ import annotations

from annotation.demo.world.bells import drop, find_worker
from annotation.demo.world.filling import fill, is_whole
from annotation.demo.world.model import simulated_model
from annotation.demo.world.plan import FULL, QUICK, Scale
from annotation.demo.world.signing_in import Logins, logins

__all__ = [
    "FULL",
    "QUICK",
    "Logins",
    "Scale",
    "drop",
    "fill",
    "find_worker",
    "is_whole",
    "logins",
    "simulated_model",
]
