from core.models.audit import AuditCheck, AuditEntry, AuditSeal
from core.models.key import ApiKey
from core.models.llm import LlmCall
from core.models.people import Membership, User
from core.models.project import Environment, Project

__all__ = [
    "ApiKey",
    "AuditCheck",
    "AuditEntry",
    "AuditSeal",
    "Environment",
    "LlmCall",
    "Membership",
    "Project",
    "User",
]
