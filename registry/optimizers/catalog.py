"""The optimizers by name: what a run may ask for."""

from __future__ import annotations

from registry.optimizers.base import Optimizer
from registry.optimizers.patcher import TaxonomyPatcher

CATALOG: dict[str, type[Optimizer]] = {TaxonomyPatcher.name: TaxonomyPatcher}
DEFAULT = TaxonomyPatcher.name
