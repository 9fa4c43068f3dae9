"""What several reviewers add up to, one yes/no question (one failure mode) at a time.

Majority is the default. Dawid-Skene pays from 3 labels an item and some 50 positives on. With one
label an item nothing separates reviewer from item: only gold items do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from core.stats.inputs import (
    Bools,
    Floats,
    Ints,
    as_binary,
    as_codes,
    as_floats,
    require_same_length,
    require_share,
    sums,
)


def vote(
    votes: Sequence[bool], weights: Sequence[float] | None = None, threshold: float = 0.5
) -> bool | None:
    """The verdict of one item; None where there is no vote, or the share sits on the threshold.

    A tie goes to a person, never to a coin. weights must be non-negative, one per vote.
    """
    if not votes:
        return None
    w = np.ones(len(votes)) if weights is None else as_floats("weights", weights)
    item = np.zeros(len(votes), dtype=np.int64)
    share = float(vote_shares(item, votes, 1, w)[0])
    require_share("threshold", threshold)
    if np.isnan(share) or abs(share - threshold) < 1e-9:
        return None
    return share > threshold


def vote_shares(
    item: ArrayLike, label: ArrayLike, n_items: int, weights: ArrayLike | None = None
) -> Floats:
    """[items] weighted share of positive votes; NaN where no vote (or only weight 0) was cast.

    item   [labels] codes 0..n_items-1
    label  [labels] 0 or 1
    """
    items, labels = as_codes("item", item, n_items), as_binary("label", label)
    w = np.ones(len(items)) if weights is None else as_floats("weights", weights)
    require_same_length(item=items, label=labels, weights=w)
    if w.size and w.min() < 0:
        raise ValueError("weights must not be negative")
    total = np.bincount(items, w, n_items)
    yes = np.bincount(items, w * labels, n_items)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(yes / total, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class BinaryConsensus:
    """Result of `dawid_skene_binary`.

    posterior    [items] probability of the failure; gold items are their known 0 or 1
    prevalence   estimated share of failures
    sensitivity  [reviewers] chance to mark a failure that is there
    specificity  [reviewers] chance to leave unmarked what is none
    positives    [reviewers] expected failures among the labels each was judged on
    negatives    [reviewers] the rest of them
    converged    False where `iterations` ran out first
    """

    posterior: Floats
    prevalence: float
    sensitivity: Floats
    specificity: Floats
    positives: Floats
    negatives: Floats
    converged: bool

    def disputed(self, low: float = 0.2, high: float = 0.8) -> Ints:
        """Items whose posterior lies between the bounds: they go to the lead."""
        return np.flatnonzero((self.posterior > low) & (self.posterior < high))


@dataclass(frozen=True, slots=True)
class Assumed:
    """Beta pseudo-counts: what a new reviewer, and the traffic, are taken to be.

    sensitivity  (failures marked, failures missed)
    specificity  (clean left unmarked, clean marked)
    prevalence   (failures, rest)
    """

    sensitivity: tuple[float, float] = (8, 2)
    specificity: tuple[float, float] = (19, 1)
    prevalence: tuple[float, float] = (1, 9)

    def __post_init__(self) -> None:
        if min(*self.sensitivity, *self.specificity) < 1 or min(self.prevalence) <= 0:
            raise ValueError(
                "sensitivity and specificity need counts of at least 1, prevalence above 0"
            )


@dataclass(frozen=True, slots=True)
class _Votes:
    item: Ints
    worker: Ints
    label: Ints
    n_items: int
    n_workers: int


@dataclass(frozen=True, slots=True)
class _Model:
    prevalence: float
    caught: Floats
    spared: Floats
    positives: Floats
    negatives: Floats


def dawid_skene_binary(
    item: ArrayLike,
    worker: ArrayLike,
    label: ArrayLike,
    *,
    n_items: int,
    n_workers: int,
    gold: ArrayLike | None = None,
    assumed: Assumed | None = None,
    iterations: int = 100,
    tolerance: float = 1e-5,
) -> BinaryConsensus:
    """MAP Dawid-Skene (1979) for one failure mode, known items clamped.

    item, worker, label  [labels] codes and 0/1
    gold                 [items] 1 or 0 where the truth is known, NaN elsewhere
    assumed              the priors
    An item without a label keeps the prevalence as its posterior. Assumes errors independent
    given the truth: reviewers who saw the judge's reasons break that.
    """
    items, workers = as_codes("item", item, n_items), as_codes("worker", worker, n_workers)
    votes = _Votes(items, workers, as_binary("label", label), n_items, n_workers)
    require_same_length(item=items, worker=workers, label=votes.label)
    prior = assumed or Assumed()
    known, truth = _clamp(gold, n_items)
    cast = np.bincount(items, minlength=n_items)
    p = np.where(known, truth, (np.bincount(items, votes.label, n_items) + 0.1) / (cast + 1.0))
    converged = False
    for _ in range(iterations):
        new = np.where(known, truth, _expect(_maximise(p, cast > 0, votes, prior), votes))
        converged = bool(np.abs(new - p).max(initial=0.0) < tolerance)
        p = new
        if converged:
            break
    model = _maximise(p, cast > 0, votes, prior)
    return BinaryConsensus(
        p, model.prevalence, model.caught, model.spared, model.positives, model.negatives, converged
    )


def _clamp(gold: ArrayLike | None, n_items: int) -> tuple[Bools, Floats]:
    truth = np.full(n_items, np.nan) if gold is None else np.asarray(gold, dtype=np.float64)
    if truth.shape != (n_items,):
        raise ValueError(f"gold must have one entry per item ({n_items}), not {truth.shape}")
    known = ~np.isnan(truth)
    as_binary("gold", truth[known])
    return known, truth


def _maximise(p: Floats, seen: Bools, votes: _Votes, prior: Assumed) -> _Model:
    failed = p[votes.item]
    positives = sums(votes.worker, failed, votes.n_workers)
    found = sums(votes.worker, failed * votes.label, votes.n_workers)
    negatives = sums(votes.worker, 1.0 - failed, votes.n_workers)
    spared = sums(votes.worker, (1.0 - failed) * (1 - votes.label), votes.n_workers)
    rate = (p[seen].sum() + prior.prevalence[0]) / (seen.sum() + sum(prior.prevalence))
    return _Model(
        float(rate),
        _mode(found, positives, prior.sensitivity),
        _mode(spared, negatives, prior.specificity),
        positives,
        negatives,
    )


def _mode(right: Floats, judged: Floats, prior: tuple[float, float]) -> Floats:
    # Clipped: a reviewer taken for infallible could never be outvoted again.
    with np.errstate(divide="ignore", invalid="ignore"):
        mode = (right + prior[0] - 1) / (judged + sum(prior) - 2)
    return np.asarray(np.clip(np.nan_to_num(mode, nan=0.5), 1e-3, 1 - 1e-3))


def _expect(model: _Model, votes: _Votes) -> Floats:
    yes = np.log(model.caught / (1 - model.spared))[votes.worker]
    no = np.log((1 - model.caught) / model.spared)[votes.worker]
    odds = sums(votes.item, np.where(votes.label > 0, yes, no), votes.n_items)
    logit = np.log(model.prevalence / (1 - model.prevalence)) + odds
    return np.asarray(1 / (1 + np.exp(-np.clip(logit, -500, 500))))


@dataclass(frozen=True, slots=True)
class ClassConsensus:
    """Result of `dawid_skene`: [items, classes] posterior, [classes] prevalence, and
    [workers, true class, given class] confusion."""

    posterior: Floats
    prevalence: Floats
    confusion: Floats


def dawid_skene(
    item: ArrayLike,
    worker: ArrayLike,
    label: ArrayLike,
    n_classes: int,
    *,
    iterations: int = 200,
    tolerance: float = 1e-6,
    smoothing: float = 0.0,
) -> ClassConsensus:
    """EM of Dawid & Skene (1979) for any number of classes, without priors.

    Every item 0..max must have a label. For failure modes use `dawid_skene_binary`.
    """
    items, workers = as_codes("item", item), as_codes("worker", worker)
    labels = as_codes("label", label, n_classes)
    require_same_length(item=items, worker=workers, label=labels)
    votes = np.zeros((int(items.max()) + 1, n_classes))
    np.add.at(votes, (items, labels), 1.0)
    if (votes.sum(axis=1) == 0).any():
        raise ValueError("item leaves a gap: every item needs a label")
    posterior = votes / votes.sum(axis=1, keepdims=True)
    for _ in range(iterations):
        prevalence = posterior.mean(axis=0)
        confusion = _confusion(posterior, items, workers, labels, smoothing)
        new = _class_posterior(prevalence, confusion, items, workers, labels)
        change = float(np.abs(new - posterior).max())
        posterior = new
        if change < tolerance:
            break
    return ClassConsensus(posterior, prevalence, confusion)


def _confusion(
    posterior: Floats, items: Ints, workers: Ints, labels: Ints, smoothing: float
) -> Floats:
    n_workers, n_classes = int(workers.max()) + 1, posterior.shape[1]
    counts = np.full((n_workers, n_classes, n_classes), smoothing)
    for true in range(n_classes):
        np.add.at(counts[:, true, :], (workers, labels), posterior[items, true])
    return np.asarray(counts / np.maximum(counts.sum(axis=2, keepdims=True), 1e-12))


def _class_posterior(
    prevalence: Floats, confusion: Floats, items: Ints, workers: Ints, labels: Ints
) -> Floats:
    with np.errstate(divide="ignore"):
        logs = np.maximum(np.log(confusion), -1e3)
        likelihood = np.tile(np.log(prevalence), (int(items.max()) + 1, 1))
    np.add.at(likelihood, items, logs[workers, :, labels])
    odds = np.exp(likelihood - likelihood.max(axis=1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=1, keepdims=True))
