"""Do reviewers agree? Alpha, AC1 and positive agreement per failure mode, and overall.

Plain values in, an `AgreementReport` out; no database. Three numbers per mode, because each alone
misleads: alpha corrects for chance and drops when a mode is rare, AC1 does not drop and hides
everything when a mode is rare, positive agreement says how often a mark is seconded.

Only items that were drawn for overlap at random and labelled blind describe the reviewers; others
describe the hard items.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from core.stats.agreement import (
    Coefficient,
    Distance,
    alpha,
    estimate,
    fleiss,
    gwet,
    interval,
    nominal,
    ordinal,
    percent,
    positive,
)
from core.stats.coders import coder_matrix
from core.stats.counts import CountTable, count_table
from core.stats.inputs import Ints
from core.stats.intervals import Estimate, clopper_pearson
from core.stats.sets import masi_alpha

# item -> annotator -> what the annotator said about it
Labels = Mapping[Hashable, Mapping[Hashable, frozenset[str]]]
Values = Mapping[Hashable, Mapping[Hashable, Hashable]]
Metric = Literal["nominal", "ordinal", "interval"]


@dataclass(frozen=True, slots=True)
class Settings:
    """How agreement is computed, and from how much on it is shown.

    items      pairable items (two labels or more) below which nothing is shown
    positives  marks of a mode below which nothing is shown for it
    level, reps, seed   of the bootstrap over items
    """

    items: int = 10
    positives: int = 10
    level: float = 0.95
    reps: int = 1000
    seed: int = 0


@dataclass(frozen=True, slots=True)
class ModeAgreement:
    """Agreement on one yes/no question. Estimates without a value are not shown or undefined.

    items      items with two labels or more; labels: labels on those
    positives  marks among those labels; None of the coefficients is shown with too few
    """

    mode: str
    items: int
    labels: int
    positives: int
    alpha: Estimate
    ac1: Estimate
    positive_agreement: Estimate
    percent: Estimate

    def to_json(self) -> dict[str, Any]:
        """A dictionary that `json.dumps` takes."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class ValueAgreement:
    """Agreement on one question with any answers: a verdict, a severity, a rating, a cause."""

    question: str
    metric: Metric
    items: int
    labels: int
    alpha: Estimate
    ac1: Estimate
    fleiss: Estimate
    percent: Estimate

    def to_json(self) -> dict[str, Any]:
        """A dictionary that `json.dumps` takes."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class PairAgreement:
    """Two annotators on the verdict "has any failure" of the items both labelled.

    agreement  share with equal verdicts and its exact interval; kappa: Cohen's
    both       items both find failing
    """

    first: str
    second: str
    items: int
    both: int
    agreement: Estimate
    kappa: float | None


@dataclass(frozen=True, slots=True)
class AgreementReport:
    """Everything about one set of labels.

    items, labels  all that came in, single labels too
    verdict        the question "has any failure"
    sets           Krippendorff's alpha over the label sets, MASI distance
    modes          one entry per failure mode, in the order asked
    pairs          one entry per two annotators who share an item
    values         further questions (severity, cause, ratings), in the order given
    """

    settings: Settings
    items: int
    labels: int
    verdict: ModeAgreement
    sets: Estimate
    modes: tuple[ModeAgreement, ...]
    pairs: tuple[PairAgreement, ...]
    values: tuple[ValueAgreement, ...] = ()

    def mode(self, name: str) -> ModeAgreement:
        """The entry of a failure mode. Raises KeyError where it was not asked."""
        for entry in self.modes:
            if entry.mode == name:
                return entry
        raise KeyError(name)

    def to_json(self) -> dict[str, Any]:
        """A dictionary that `json.dumps` takes."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Coded:
    """Labels as arrays: one entry per label, and the distinct sets that `value` points into."""

    item: Ints
    annotator: Ints
    value: Ints
    annotators: tuple[Hashable, ...]
    sets: tuple[frozenset[str], ...]

    def marks(self, mode: str | None) -> Ints:
        """[labels] 1 where the set holds the mode (any failure at all for None)."""
        held = [bool(found) if mode is None else mode in found for found in self.sets]
        return np.array(held, dtype=np.int64)[self.value]


def assess(
    labels: Labels,
    *,
    modes: Sequence[str] | None = None,
    values: Iterable[ValueAgreement] = (),
    settings: Settings | None = None,
) -> AgreementReport:
    """The whole report from item -> annotator -> set of failure modes.

    labels  the empty set means "looked and found none"; an annotator who was not asked is absent
    modes   the modes to report, in this order; None: those that occur, sorted
    values  further questions, from `assess_values`, to travel in the same report
    Raises ValueError where a label names a mode that is not among `modes`, and TypeError where
    it is no set (a bare string would be read letter by letter).
    """
    chosen = settings or Settings()
    coded = _code(labels)
    named = frozenset[str]().union(*coded.sets)
    asked = sorted(named) if modes is None else list(modes)
    if unknown := sorted(named.difference(asked)):
        raise ValueError(f"labels name failure modes that were not asked: {', '.join(unknown)}")
    found = masi_alpha(
        coded.item, coded.value, coded.sets, level=chosen.level, reps=chosen.reps, seed=chosen.seed
    )
    return AgreementReport(
        settings=chosen,
        items=len(np.unique(coded.item)),
        labels=len(coded.item),
        verdict=_assess_mode(coded, None, chosen),
        sets=found.shown(chosen.items),
        modes=tuple(_assess_mode(coded, mode, chosen) for mode in asked),
        pairs=_assess_pairs(coded, chosen),
        values=tuple(values),
    )


def _code(labels: Labels) -> _Coded:
    annotators: dict[Hashable, int] = {}
    sets: dict[frozenset[str], int] = {}
    rows: list[tuple[int, int, int]] = []
    for number, given in enumerate(labels.values()):
        for annotator, found in given.items():
            if not isinstance(found, (frozenset, set)):
                raise TypeError(f"label of {annotator!r} must be a set of modes, not {found!r}")
            who = annotators.setdefault(annotator, len(annotators))
            rows.append((number, who, sets.setdefault(frozenset(found), len(sets))))
    item, annotator_code, value = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    return _Coded(item, annotator_code, value, tuple(annotators), tuple(sets))


def _assess_mode(coded: _Coded, mode: str | None, settings: Settings) -> ModeAgreement:
    table = count_table(coded.item, coded.marks(mode), 2)
    pairable = table.pairable()
    positives = int(pairable.weight @ pairable.counts[:, 1])

    def shown(coefficient: Coefficient, method: str) -> Estimate:
        return _shown(table, coefficient, method, settings, positives)

    return ModeAgreement(
        mode="any failure" if mode is None else mode,
        items=pairable.n_units,
        labels=pairable.n_labels,
        positives=positives,
        alpha=shown(alpha(), "alpha nominal"),
        ac1=shown(gwet(2), "AC1"),
        positive_agreement=shown(positive(), "positive agreement"),
        percent=shown(percent, "percent agreement"),
    )


def _shown(
    table: CountTable,
    coefficient: Coefficient,
    method: str,
    settings: Settings,
    positives: int | None = None,
) -> Estimate:
    n = table.pairable().n_units
    scarce = positives is not None and positives < settings.positives
    if n < settings.items or scarce:
        return Estimate(None, None, None, n, settings.level, method)
    return estimate(
        table, coefficient, method, level=settings.level, reps=settings.reps, seed=settings.seed
    )


def _assess_pairs(coded: _Coded, settings: Settings) -> tuple[PairAgreement, ...]:
    matrix = coder_matrix(coded.annotator, coded.item, coded.marks(None), len(coded.annotators))
    pairs = []
    for i, j in zip(*np.nonzero(np.triu(matrix.shared, 1)), strict=True):
        n = int(matrix.shared[i, j])
        agreed = round(float(matrix.agreement[i, j]) * n)
        share = clopper_pearson(agreed, n, settings.level).shown(settings.items)
        kappa = float(matrix.kappa[i, j])
        pairs.append(
            PairAgreement(
                str(coded.annotators[i]),
                str(coded.annotators[j]),
                n,
                int(matrix.joint[i, j]),
                share,
                kappa if share.is_shown and not math.isnan(kappa) else None,
            )
        )
    return tuple(pairs)


def assess_values(
    question: str,
    values: Values,
    *,
    metric: Metric = "nominal",
    order: Sequence[Hashable] | None = None,
    settings: Settings | None = None,
) -> ValueAgreement:
    """Agreement on one question from item -> annotator -> answer.

    metric  "ordinal" uses only the order of the answers, "interval" their distances (numbers)
    order   all POSSIBLE answers, in order: AC1 depends on how many there are; None: those that
            occur, sorted
    Raises ValueError where an answer is not among `order`, or an interval answer is no number.
    """
    chosen = settings or Settings()
    given = {answer for row in values.values() for answer in row.values()}
    ranks = _sorted_answers(given) if order is None else list(order)
    if unknown := [answer for answer in given if answer not in set(ranks)]:
        raise ValueError(f"{question}: answers outside the order: {unknown[:5]!r}")
    code = {answer: index for index, answer in enumerate(ranks)}
    cells = [
        (number, code[answer])
        for number, row in enumerate(values.values())
        for answer in row.values()
    ]
    item, value = np.array(cells, dtype=np.int64).reshape(-1, 2).T
    table = count_table(item, value, len(ranks))
    pairable = table.pairable()

    def shown(coefficient: Coefficient, method: str) -> Estimate:
        return _shown(table, coefficient, method, chosen)

    return ValueAgreement(
        question=question,
        metric=metric,
        items=pairable.n_units,
        labels=pairable.n_labels,
        alpha=shown(alpha(_distance(question, metric, ranks)), f"alpha {metric}"),
        ac1=shown(gwet(max(len(ranks), 2)), "AC1"),
        fleiss=shown(fleiss, "Fleiss kappa"),
        percent=shown(percent, "percent agreement"),
    )


def _sorted_answers(answers: set[Hashable]) -> list[Hashable]:
    numbers = [answer for answer in answers if isinstance(answer, (int, float))]
    rest = [answer for answer in answers if not isinstance(answer, (int, float))]
    return [*sorted(numbers), *sorted(rest, key=str)]


def _distance(question: str, metric: Metric, ranks: Sequence[Hashable]) -> Distance:
    if metric == "nominal":
        return nominal
    if metric == "ordinal":
        return ordinal
    numbers = [rank for rank in ranks if isinstance(rank, (int, float))]
    if len(numbers) != len(ranks):
        raise ValueError(f"{question}: an interval question needs numbers as answers")
    return interval([float(number) for number in numbers])
