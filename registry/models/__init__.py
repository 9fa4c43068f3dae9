from registry.models.evidence import Evidence
from registry.models.gate import GateCaseResult, GateRun
from registry.models.golden import GoldenCase
from registry.models.optimization import OptimizationRun
from registry.models.prompt import Citation, Prompt, PromptVersion
from registry.models.release import Approval, Observation, Release
from registry.models.rubric import FailureMode, Rubric, RubricVersion
from registry.models.surface import SurfaceFinding

__all__ = [
    "Approval",
    "Citation",
    "Evidence",
    "FailureMode",
    "GateCaseResult",
    "GateRun",
    "GoldenCase",
    "Observation",
    "OptimizationRun",
    "Prompt",
    "PromptVersion",
    "Release",
    "Rubric",
    "RubricVersion",
    "SurfaceFinding",
]
