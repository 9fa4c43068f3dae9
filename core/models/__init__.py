from core.models.audit import AuditEntry
from core.models.key import ApiKey
from core.models.llm import LlmCall
from core.models.people import Membership, User
from core.models.project import Environment, Project

__all__ = [
    "ApiKey",
    "AuditEntry",
    "Environment",
    "LlmCall",
    "Membership",
    "Project",
    "User",
]
