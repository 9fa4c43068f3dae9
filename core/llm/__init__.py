"""The client of any OpenAI-compatible server. Nothing is built before the first call."""

from core.llm.completion import Message, Reply, complete, complete_many
from core.llm.connection import configured, missing
from core.llm.errors import BadAnswer, LlmError, NotConfigured, Refused, Unavailable
from core.llm.record import record_call
from core.llm.structured import complete_structured, complete_structured_many

__all__ = [
    "BadAnswer",
    "LlmError",
    "Message",
    "NotConfigured",
    "Refused",
    "Reply",
    "Unavailable",
    "complete",
    "complete_many",
    "complete_structured",
    "complete_structured_many",
    "configured",
    "missing",
    "record_call",
]
