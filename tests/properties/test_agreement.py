"""Agreement: bounds, and what must not matter (who the coders are, how values are named)."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.agreement import Settings, assess
from core.stats.agreement import (
    Coefficient,
    alpha,
    bootstrap,
    evaluate,
    fleiss,
    gwet,
    interval,
    ordinal,
    percent,
    positive,
)
from core.stats.coders import cohen_kappa
from core.stats.counts import CountTable, from_rows
from core.stats.sets import masi_distance

MANY = settings(max_examples=60, deadline=None)
MODES = "abcd"
GRADES = 4

Rows = list[list[float | None]]
cells = st.one_of(st.none(), st.integers(0, GRADES - 1).map(float))
label_sets = st.frozensets(st.sampled_from(MODES))


@st.composite
def tables(draw: st.DrawFn, cell: st.SearchStrategy[float | None] = cells) -> Rows:
    """One row per coder."""
    coders, units = draw(st.integers(2, 5)), draw(st.integers(1, 15))
    row = st.lists(cell, min_size=units, max_size=units)
    return draw(st.lists(row, min_size=coders, max_size=coders))


def coefficients(values: list[float]) -> list[Coefficient]:
    several = [alpha(), alpha(ordinal), alpha(interval(values)), fleiss, percent]
    return [*several, gwet(max(len(values), 2))]


def every(rows: Rows) -> list[float]:
    table, values = from_rows(rows)
    return [evaluate(table, coefficient) for coefficient in coefficients(values)]


@MANY
@given(tables())
def test_no_coefficient_is_above_one(rows: Rows) -> None:
    assert all(math.isnan(found) or found <= 1 + 1e-12 for found in every(rows))


@MANY
@given(tables(), st.randoms(use_true_random=False))
def test_coders_and_units_may_change_places(rows: Rows, random: np.random.Generator) -> None:
    coders = rows[:]
    random.shuffle(coders)  # type: ignore[arg-type]
    units = list(zip(*coders, strict=True))
    random.shuffle(units)  # type: ignore[arg-type]
    shuffled = [list(row) for row in zip(*units, strict=True)]
    assert every(shuffled) == pytest.approx(every(rows), nan_ok=True, abs=1e-9)


@MANY
@given(tables())
def test_coders_may_differ_from_unit_to_unit(rows: Rows) -> None:
    """Only the values of a unit count, not who gave them: each unit sorted is the same table."""
    units = [
        sorted(unit, key=lambda cell: (cell is None, cell or 0)) for unit in zip(*rows, strict=True)
    ]
    turned = [list(row) for row in zip(*units, strict=True)]
    assert every(turned) == pytest.approx(every(rows), nan_ok=True, abs=1e-9)


@MANY
@given(tables(), st.permutations(range(GRADES)))
def test_names_of_values_do_not_matter_to_nominal_agreement(rows: Rows, names: list[int]) -> None:
    renamed = [[None if cell is None else float(names[int(cell)]) for cell in row] for row in rows]
    one, other = from_rows(rows)[0], from_rows(renamed)[0]
    for coefficient in (alpha(), fleiss, percent, gwet(GRADES)):
        assert evaluate(one, coefficient) == pytest.approx(
            evaluate(other, coefficient), nan_ok=True, abs=1e-9
        )


@MANY
@given(st.lists(st.integers(0, 3).map(float), min_size=2, max_size=20))
def test_equal_coders_agree_fully(row: list[float]) -> None:
    varied = len(set(row)) > 1
    table, _ = from_rows([row, row, row])
    assert evaluate(table, percent) == 1
    assert evaluate(table, gwet(4)) == pytest.approx(1)
    assert math.isnan(evaluate(table, alpha())) == (not varied)
    assert not varied or evaluate(table, alpha()) == pytest.approx(1)
    assert not varied or cohen_kappa(row, row) == pytest.approx(1)


@MANY
@given(tables(st.sampled_from([0.0, 1.0])))
def test_two_values_have_one_alpha_whatever_the_metric(rows: Rows) -> None:
    table, values = from_rows(rows)
    nominal = evaluate(table, alpha())
    assert evaluate(table, alpha(ordinal)) == pytest.approx(nominal, nan_ok=True, abs=1e-9)
    assert evaluate(table, alpha(interval(values))) == pytest.approx(nominal, nan_ok=True, abs=1e-9)


@MANY
@given(tables(st.sampled_from([0.0, 1.0])))
def test_positive_and_negative_agreement_bracket_the_percentage(rows: Rows) -> None:
    """With as many labels everywhere, percent agreement is their mean weighted by marks."""
    coded = [[0, *row] for row in rows] + [[1, *row] for row in rows]  # both values occur
    table, _ = from_rows(coded)
    marks = table.weight @ table.counts
    parts = [evaluate(table, positive(code)) for code in (0, 1)]
    expected = float(np.average(parts, weights=marks))
    assert evaluate(table, percent) == pytest.approx(expected, abs=1e-9)


@MANY
@given(tables(), st.integers(0, 5))
def test_a_bootstrap_interval_is_ordered_bounded_and_seeded(rows: Rows, seed: int) -> None:
    table, _ = from_rows(rows)
    found = bootstrap(table, percent, reps=60, seed=seed)
    assert found == bootstrap(table, percent, reps=60, seed=seed)
    assert (found is None) == (table.pairable().n_units == 0)
    assert found is None or 0 <= found[0] <= found[1] <= 1


@MANY
@given(tables(), st.integers(1, 4))
def test_a_bootstrap_interval_holds_the_value_of_many_units(rows: Rows, times: int) -> None:
    table, _ = from_rows(rows)
    many = CountTable(table.counts, table.weight * times * 40)
    found, value = bootstrap(many, percent, reps=200), evaluate(many, percent)
    assert (found is None) == math.isnan(value)
    assert found is None or found[0] - 0.02 <= value <= found[1] + 0.02


@MANY
@given(label_sets, label_sets)
def test_masi_is_a_bounded_symmetric_distance(
    first: frozenset[str], second: frozenset[str]
) -> None:
    distance = masi_distance(first, second)
    assert 0 <= distance <= 1
    assert distance == masi_distance(second, first)
    assert (distance == 0) == (first == second)


@MANY
@given(
    st.dictionaries(
        st.integers(0, 40), st.dictionaries(st.integers(0, 5), label_sets, max_size=5), max_size=25
    )
)
def test_a_report_counts_every_label_and_is_json(
    labels: dict[int, dict[int, frozenset[str]]],
) -> None:
    report = assess(labels, modes=list(MODES), settings=Settings(items=2, positives=2, reps=20))
    sizes = [len(row) for row in labels.values()]
    assert report.labels == sum(sizes)
    assert report.items == sum(size > 0 for size in sizes)
    assert report.verdict.items == sum(size > 1 for size in sizes)
    for entry in report.modes:
        marked = sum(
            entry.mode in found for row in labels.values() if len(row) > 1 for found in row.values()
        )
        assert entry.positives == marked
        assert (entry.percent.value is not None) == (entry.items >= 2 and marked >= 2)
        assert entry.alpha.value is None or entry.alpha.value <= 1
    assert sum(pair.items for pair in report.pairs) == sum(n * (n - 1) // 2 for n in sizes)
    json.dumps(report.to_json(), allow_nan=False)
