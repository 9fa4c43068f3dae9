"""Dawid & Skene's own table (1979), and worlds in which some reviewers are careless."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core.stats.consensus import (
    Assumed,
    dawid_skene,
    dawid_skene_binary,
    vote,
    vote_shares,
)
from core.stats.inputs import Floats, Ints

# 45 patients; observer 1 rated three times, observers 2 to 5 once (Dawid & Skene 1979, table 1).
PATIENTS = """111 1 1 1 1|333 4 3 3 4|112 2 1 2 2|222 3 1 2 1|222 3 2 2 2|222 3 3 2 2|122 2 1 1 1
333 3 4 3 3|222 2 2 2 3|232 2 2 2 3|444 4 4 4 4|222 3 3 4 3|111 1 1 1 1|222 3 2 1 2|121 1 1 1 1
111 2 1 1 1|111 1 1 1 1|111 1 1 1 1|222 2 2 2 1|222 1 3 2 2|222 2 2 2 2|222 2 2 2 1|222 3 2 2 2
221 2 2 2 2|111 1 1 1 1|111 1 1 1 1|232 2 2 2 2|111 1 1 1 1|111 1 1 1 1|112 1 1 2 1|111 1 1 1 1
333 3 2 3 3|111 1 1 1 1|222 2 2 2 2|222 3 2 3 2|433 4 3 4 3|221 2 2 3 2|232 3 2 3 3|333 3 4 3 2
111 1 1 1 1|111 1 1 1 1|121 2 1 1 1|232 2 2 2 2|121 1 1 1 1|222 2 2 2 2"""


def patients() -> tuple[Ints, Ints, Ints]:
    rows = [
        (item, worker, int(grade) - 1)
        for item, row in enumerate(PATIENTS.replace("\n", "|").split("|"))
        for worker, cell in enumerate(row.split())
        for grade in cell
    ]
    item, worker, label = np.array(rows).T
    return item, worker, label


def world(
    seed: int,
    *,
    items: int = 3000,
    reviewers: int = 12,
    each: int = 5,
    careless: int = 3,
    prevalence: float = 0.05,
) -> tuple[Ints, Ints, Ints, Ints]:
    """Truth, and item, reviewer, label of every vote; the first `careless` reviewers are so."""
    rng = np.random.default_rng(seed)
    truth = (rng.random(items) < prevalence).astype(np.int64)
    sees, spares = rng.beta(12, 4, reviewers), rng.beta(60, 2, reviewers)
    sees[:careless], spares[:careless] = 0.3, 0.85
    item = np.repeat(np.arange(items), each)
    who = np.argsort(rng.random((items, reviewers)), axis=1)[:, :each].ravel()
    chance = np.where(truth[item] == 1, sees[who], 1 - spares[who])
    return truth, item, who, (rng.random(len(item)) < chance).astype(np.int64)


def f1(truth: Ints, score: Floats) -> float:
    called = score > 0.5
    return float(2 * (called & (truth == 1)).sum() / max(called.sum() + truth.sum(), 1))


def test_dawid_and_skene_1979() -> None:
    item, worker, label = patients()
    assert len(label) == 45 * 7
    found = dawid_skene(item, worker, label, 4)
    assert found.prevalence == pytest.approx([0.40, 0.42, 0.11, 0.07], abs=5e-3)  # published
    assert found.prevalence == pytest.approx([0.3996, 0.4220, 0.1118, 0.0667], abs=5e-4)
    assert found.confusion[0, 0] == pytest.approx([0.89, 0.11, 0, 0], abs=6e-3)
    assert found.confusion[0, 1] == pytest.approx([0.07, 0.88, 0.05, 0], abs=6e-3)
    assert found.posterior.sum(axis=1) == pytest.approx(1)


def test_careless_reviewers_are_found_and_outvoted() -> None:
    truth, item, who, label = world(3)
    found = dawid_skene_binary(item, who, label, n_items=3000, n_workers=12)
    majority = vote_shares(item, label, 3000)
    assert found.converged
    assert f1(truth, found.posterior) > f1(truth, majority) + 0.02
    assert set(np.argsort(found.sensitivity)[:3]) == {0, 1, 2}
    assert found.positives.sum() + found.negatives.sum() == pytest.approx(len(label))


def test_gold_is_clamped_and_teaches() -> None:
    truth, item, who, label = world(5, each=1, items=2000)
    gold = np.where(np.arange(2000) % 4 == 0, truth, np.nan)
    found = dawid_skene_binary(item, who, label, n_items=2000, n_workers=12, gold=gold)
    assert (found.posterior[::4] == truth[::4]).all()
    # one label an item: without gold nothing tells a careless reviewer from a hard item
    blind = dawid_skene_binary(item, who, label, n_items=2000, n_workers=12)

    def gap(sensitivity: Floats) -> float:
        return float(sensitivity[3:].mean() - sensitivity[:3].mean())

    assert gap(found.sensitivity) > gap(blind.sensitivity) + 0.1


def test_an_item_without_a_label_keeps_the_prevalence() -> None:
    found = dawid_skene_binary([0, 0], [0, 1], [1, 1], n_items=3, n_workers=2)
    assert found.posterior[1] == pytest.approx(found.posterior[2])
    assert found.posterior[2] == pytest.approx(found.prevalence, abs=1e-3)
    assert found.posterior[0] > 0.5


def test_disputed_items_go_to_the_lead() -> None:
    truth, item, who, label = world(3)
    found = dawid_skene_binary(item, who, label, n_items=3000, n_workers=12)
    disputed = found.disputed()
    assert 0 < len(disputed) < 300
    assert ((found.posterior[disputed] > 0.2) & (found.posterior[disputed] < 0.8)).all()
    # that is where the mistakes are
    wrong = (found.posterior > 0.5) != (truth == 1)
    assert wrong[disputed].mean() > 10 * np.delete(wrong, disputed).mean()


@pytest.mark.parametrize(
    ("votes", "weights", "verdict"),
    [
        ([True, True, False], None, True),
        ([True, False], None, None),
        ([], None, None),
        ([True, False], [0.2, 0.8], False),
        ([True, False, False], [3, 1, 1], True),
        ([True], [0], None),
    ],
)
def test_votes(votes: list[bool], weights: list[float] | None, verdict: bool | None) -> None:
    assert vote(votes, weights) is verdict


def test_the_threshold_of_a_vote() -> None:
    assert vote([True, False, False], threshold=0.3) is True
    assert vote([True, True, False], threshold=2 / 3) is None


def test_shares_of_items_nobody_saw_are_unknown() -> None:
    shares = vote_shares([0, 0, 2], [1, 0, 1], 3)
    assert shares[[0, 2]].tolist() == [0.5, 1]
    assert math.isnan(shares[1])


def test_bad_input_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="weights"):
        vote([True, False], [1])
    with pytest.raises(ValueError, match="negative"):
        vote([True, False], [1, -1])
    with pytest.raises(ValueError, match="label"):
        vote_shares([0], [2], 1)
    with pytest.raises(ValueError, match="gold"):
        dawid_skene_binary([0], [0], [1], n_items=1, n_workers=1, gold=[0.5])
    with pytest.raises(ValueError, match="gold"):
        dawid_skene_binary([0], [0], [1], n_items=1, n_workers=1, gold=[1, 0])
    with pytest.raises(ValueError, match="gap"):
        dawid_skene([0, 2], [0, 0], [0, 1], 2)
    with pytest.raises(ValueError, match="sensitivity"):
        Assumed(sensitivity=(0.5, 1))
