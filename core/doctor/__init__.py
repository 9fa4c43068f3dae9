"""Is this installation sound? Each check looks at one thing, and says what to do about it."""

from core.doctor.checks import Check, Probe, State, examine, worst
from core.doctor.probes import PROBES

__all__ = ["PROBES", "Check", "Probe", "State", "examine", "worst"]
