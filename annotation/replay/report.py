"""What a replay came to: every number is counted in the database when the report is made, except
those of the file itself and the truth that only the file holds."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from annotation.agreement import ModeAgreement
from annotation.replay.truth import Audit, Escape


@dataclass(frozen=True, slots=True)
class Source:
    """The file. `faults` are `file:line: sentence`."""

    file: str
    dataset: str
    read: int
    kept: int
    broken: int
    faults: tuple[str, ...]
    annotators: int
    annotations: int


@dataclass(frozen=True, slots=True)
class Routed:
    """How the outputs were tiered. `actions` counts by (tier, action); `saved` is the share that
    no person had to see; `unasked` wait for people whom the file does not have."""

    outputs: int
    stages: dict[str, int]
    actions: dict[str, dict[str, int]]
    saved: float | None
    items: dict[str, int]
    unasked: int
    policy: str
    granted: str


@dataclass(frozen=True, slots=True)
class Judged:
    """What people said and what it adds up to."""

    labels: int
    annotators: int
    verdicts: dict[str, int]
    consensus: dict[str, dict[str, int]]
    modes: dict[str, int]


@dataclass(frozen=True, slots=True)
class Bar:
    """A failure mode of the Pareto chart: agreed findings, the outputs they stand for (each
    weighs 1 / probability with which it was seen), its share, and that of all bars so far."""

    mode: str
    label: str
    count: int
    weight: float
    share: float
    cumulative: float


@dataclass(frozen=True, slots=True)
class Agreement:
    """`items` with two labels or more; `verdict` is the question "any failure?"."""

    items: int
    labels: int
    verdict: ModeAgreement | None
    modes: tuple[ModeAgreement, ...]


@dataclass(frozen=True, slots=True)
class Cause:
    """The default that findings of a mode were given, and the starter's mode it comes from."""

    mode: str
    like: str
    cause: str
    severity: str
    findings: int


@dataclass(frozen=True, slots=True)
class Lesson:
    """A repeated failure and the lever it asks for."""

    mode: str
    lever: str
    state: str
    evidence: int
    weight: float


@dataclass(frozen=True, slots=True)
class Proposal:
    """A version that evidence asked for; `diff` holds (block, lines), a line being (sign, text)."""

    version: int
    mode: str
    note: str
    citations: int
    diff: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]


@dataclass(frozen=True, slots=True)
class GateAnswer:
    """What the gate said of a version, or why it did not run."""

    version: int
    mode: str
    state: str
    reason: str


@dataclass(frozen=True, slots=True)
class Learned:
    """From evidence to a version and its gate. `golden` are the cases kept for comparisons."""

    evidence: dict[str, int]
    golden: int
    lessons: tuple[Lesson, ...]
    runs: dict[str, int]
    proposals: tuple[Proposal, ...]
    gates: tuple[GateAnswer, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """All of it. `not_taken` says, in sentences, which steps could not be taken and why."""

    source: Source
    project: str
    routed: Routed
    escape: Escape
    audit: Audit
    judged: Judged
    agreement: Agreement
    pareto: tuple[Bar, ...]
    learned: Learned
    causes: tuple[Cause, ...]
    not_taken: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """A dictionary that `json.dumps` takes."""
        return asdict(self)
