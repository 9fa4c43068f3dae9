"""Optimizers: from evidence to a proposed prompt."""

from registry.optimizers.base import Assignment, Edit, Feedback, Optimizer, Proposal
from registry.optimizers.catalog import CATALOG, DEFAULT
from registry.optimizers.patcher import TaxonomyPatcher

__all__ = [
    "CATALOG",
    "DEFAULT",
    "Assignment",
    "Edit",
    "Feedback",
    "Optimizer",
    "Proposal",
    "TaxonomyPatcher",
]
