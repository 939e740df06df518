"""Candidates compared within developers: what a rotation by days is made for. Pure.

Each developer meets every candidate on days that chance picked. The model is least squares with an
effect of each developer and one of each candidate, y = developer + candidate + noise, weighted
where a day counts by what was shown on it. Errors are clustered by developer (CR1, as statsmodels'
cov_type="cluster"), so that days of one person need not be independent; intervals use Student's t
on (developers - 1) degrees. Who has met one candidate alone says nothing of a difference: neither
their days nor they themselves are counted in the errors, or five people of whom one has met both
would look certain. There is no effect of the day: blocks are balanced, so that time hits all
candidates alike, and thirty effects of days would cost a small team the power it has.

A developer's days with one candidate enter by their sums alone, so that G developers and K
candidates are two tables of G by K. Leading dimensions (…) are pilots computed at once.
"""

from dataclasses import dataclass

import numpy as np

from apps.metrics.stats.contrasts import Estimates, Floats, Integers, pseudo_inverse


@dataclass(frozen=True, slots=True)
class Cells:
    """Sums of developer-days, shape (…, G, K) each: days, their weights, weight times value.

    Unweighted, weights are the days themselves. Cells without days are zero in all three.
    """

    days: Integers
    weights: Floats
    totals: Floats

    @property
    def people(self) -> Integers:
        """How many have any day at all, shape (…)."""
        return np.asarray((self.days.sum(axis=-1) > 0).sum(axis=-1), dtype=np.int64)


def cells_of(
    people: Integers,
    candidates: Integers,
    values: Floats,
    weights: Floats,
    *,
    shape: tuple[int, int],
) -> Cells:
    """Return the sums of N developer-days; `people` and `candidates` count from 0 below `shape`.

    All four have shape (N,). Raises ValueError where they differ, or for a weight that is not
    positive: a day on which nothing was shown is no day.
    """
    if not people.shape == candidates.shape == values.shape == weights.shape:
        raise ValueError("people, candidates, values and weights differ in length")
    if np.any(weights <= 0):
        raise ValueError("a weight must be positive")
    place = people * shape[1] + candidates
    size = shape[0] * shape[1]
    sums = [
        np.bincount(place, each, minlength=size).astype(np.float64).reshape(shape)
        for each in (weights, weights * values)
    ]
    days = np.bincount(place, minlength=size).astype(np.int64).reshape(shape)
    return Cells(days, sums[0], sums[1])


@dataclass(frozen=True, slots=True)
class Fit:
    """Effects in the unit of the values, and how far each developer alone moves them.

    `pulls` has shape (…, G, K): their squares are what the effects' errors are made of.
    """

    estimates: Estimates
    pulls: Floats


def fit(cells: Cells) -> Fit:
    """Return the candidates' effects, which sum to nothing in each set that has met.

    The covariance is NaN where no day is left over once all effects are known, or below two people
    who have met two candidates.
    Effects of candidates that no developer links are not comparable: see `groups`. Source: CR1 of
    Cameron & Miller, "A practitioner's guide to cluster-robust inference", JHR 50 (2015).
    """
    compared = (cells.days > 0).sum(axis=-1, keepdims=True) > 1
    weights, totals = cells.weights * compared, cells.totals * compared
    by_person = weights.sum(axis=-1, keepdims=True)
    safe = np.where(by_person > 0, by_person, 1)
    shares = weights / safe
    # Developers' effects are swept out: what is left is a Laplacian of who met whom.
    normal = -np.einsum("...gi,...gj->...ij", shares, weights)
    diagonal = np.arange(weights.shape[-1])
    normal[..., diagonal, diagonal] += weights.sum(axis=-2)
    right = (totals - shares * totals.sum(axis=-1, keepdims=True)).sum(axis=-2)
    inverse, rank = pseudo_inverse(normal)
    effects = np.einsum("...ij,...j->...i", inverse, right)
    residuals = totals - weights * effects[..., None, :]
    residuals = residuals - shares * residuals.sum(axis=-1, keepdims=True)
    pulls = residuals @ inverse
    clusters = compared[..., 0].sum(axis=-1)
    days = (cells.days * compared).sum(axis=(-1, -2))
    correction = _correction(days, clusters, days - clusters - rank)
    covariance = correction[..., None, None] * np.einsum("...gi,...gj->...ij", pulls, pulls)
    met = ((cells.days > 0) & compared).sum(axis=-2)
    return Fit(Estimates(effects, covariance, met), pulls)


def _correction(days: Integers, clusters: Integers, left: Integers) -> Floats:
    known = (clusters > 1) & (left > 0)
    factor = clusters / np.maximum(clusters - 1, 1) * (days - 1) / np.maximum(left, 1)
    return np.asarray(np.where(known, factor, np.nan), dtype=np.float64)


def levels_of(cells: Cells, found: Fit) -> tuple[Floats, Floats]:
    """Return what each candidate reaches with a developer like these, and its error, (…, K) both.

    The mean of all days, moved by the candidate's effect against the mean of those met; its error
    is clustered by developer and NaN below two of them. Unlike an effect's error it holds how much
    developers differ, so it is what a threshold is held against.
    """
    total = cells.weights.sum(axis=(-1, -2))[..., None]
    met = cells.weights.sum(axis=-2) / total
    mean = cells.totals.sum(axis=(-1, -2))[..., None] / total
    effects = found.estimates.effects
    levels = mean + effects - (met * effects).sum(axis=-1, keepdims=True)
    by_person = cells.totals.sum(axis=-1) - cells.weights.sum(axis=-1) * mean
    pulls = (by_person / total)[..., None] + found.pulls
    pulls = pulls - np.einsum("...gk,...k->...g", found.pulls, met)[..., None]
    clusters = cells.people[..., None]
    factor = np.where(clusters > 1, clusters / np.maximum(clusters - 1, 1), np.nan)
    return levels, np.sqrt(factor * (pulls**2).sum(axis=-2))
