from routing.models.decision import AutoApproval, Decision, RiskPolicy
from routing.models.queue import Item, Slot
from routing.models.reviewer import Reviewer
from routing.models.score import Score
from routing.models.sla import Calendar, SlaEvent, SlaPolicy
from routing.models.trace import Payload, Span, Trace

__all__ = [
    "AutoApproval",
    "Calendar",
    "Decision",
    "Item",
    "Payload",
    "Reviewer",
    "RiskPolicy",
    "Score",
    "SlaEvent",
    "SlaPolicy",
    "Slot",
    "Span",
    "Trace",
]
