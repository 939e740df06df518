"""How strong candidates are by blind votes: Bradley–Terry by maximum likelihood. Pure.

P(left beats right) = 1 / (1 + exp(-(left - right + side))): strengths of the two, and what the left
side is worth by itself. A tie is half a win for each; so is "both bad", which says nothing of one
against the other and is told apart elsewhere. A Gaussian prior of precision `PRIOR` on each
coefficient (minus half of it times the square) keeps them finite for who has won or lost every
vote: 5 to 0 gives a difference of 3.4 instead of an infinite one. Errors are a sandwich by raters,
k / (k - 1) for k of them, so that fifty votes of one person are not fifty people; intervals use
Student's t on (raters - 1) degrees.

Votes enter as tables: [g, i, j] counts those of rater g with i on the left and j on the right.
Leading dimensions (…) are pilots, or rounds of a bootstrap, computed at once. Source: R. A. Bradley
& M. E. Terry, "Rank analysis of incomplete block designs", Biometrika 39 (1952).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from apps.metrics.stats.contrasts import Estimates, Floats, Integers, pseudo_inverse

PRIOR: Final = 0.1
# Maximum likelihood itself, with just enough to tell apart what data leave open.
NO_PRIOR: Final = 1e-9
_MOST_STEPS: Final = 100
_LONGEST_STEP: Final = 2.0
_DONE: Final = 1e-10


@dataclass(frozen=True, slots=True)
class Votes:
    """Tables of shape (…, G, K, K): how many votes, and how many points of them the left got."""

    counts: Floats
    points: Floats


@dataclass(frozen=True, slots=True)
class Fit:
    """Strengths as log odds that sum to nothing; what the left `side` is worth, shapes (…).

    `hessian` is that of the log likelihood with the prior, negated, shape (…, K + 1, K + 1), the
    side being last.
    """

    estimates: Estimates
    side: Floats
    side_error: Floats
    hessian: Floats


def votes_of(
    raters: Integers, left: Integers, right: Integers, points: Floats, *, shape: tuple[int, int]
) -> Votes:
    """Return the tables of N votes; all arrays have shape (N,), `shape` is (raters, candidates).

    `points` of the left one are 1, 0.5 or 0. Raises ValueError where lengths differ, or where a
    candidate meets itself.
    """
    if not raters.shape == left.shape == right.shape == points.shape:
        raise ValueError("raters, sides and points differ in length")
    if np.any(left == right):
        raise ValueError("a candidate does not meet itself")
    people, count = shape
    place = (raters * count + left) * count + right
    size = people * count * count
    tables = (people, count, count)
    counts = np.bincount(place, minlength=size).astype(np.float64)
    given = np.bincount(place, points, minlength=size).astype(np.float64)
    return Votes(counts.reshape(tables), given.reshape(tables))


def coefficients(
    counts: Floats, points: Floats, *, prior: float = PRIOR, has_side: bool = True
) -> tuple[Floats, Floats]:
    """Return strengths with the side last, (…, K + 1), and the hessian, from tables (…, K, K).

    Newton's method with bounded steps; without a side effect the last stays 0.
    """
    found = np.zeros((*counts.shape[:-2], counts.shape[-1] + 1))
    for _ in range(_MOST_STEPS):
        chance = _chances(found)
        hessian = _hessian(counts * chance * (1 - chance), prior, has_side)
        slope = scores_of(points - counts * chance, has_side) - prior * found
        step = np.linalg.solve(hessian, slope[..., None])[..., 0]
        longest = np.abs(step).max(axis=-1, keepdims=True)
        found = found + step * np.minimum(1, _LONGEST_STEP / np.maximum(longest, _DONE))
        if not longest.size or longest.max() < _DONE:
            break
    chance = _chances(found)
    return found, _hessian(counts * chance * (1 - chance), prior, has_side)


def fit(votes: Votes, *, prior: float = PRIOR, has_side: bool = True) -> Fit:
    """Return strengths and their sandwich errors by raters; NaN below two raters.

    Strengths of candidates that have never met, not even through others, are not comparable.
    """
    counts, points = votes.counts.sum(axis=-3), votes.points.sum(axis=-3)
    found, hessian = coefficients(counts, points, prior=prior, has_side=has_side)
    chance = _chances(found)[..., None, :, :]
    scores = scores_of(votes.points - votes.counts * chance, has_side)
    raters = (votes.counts.sum(axis=(-1, -2)) > 0).sum(axis=-1)
    factor = np.where(raters > 1, raters / np.maximum(raters - 1, 1), np.nan)
    pulls = scores @ pseudo_inverse(hessian)[0]
    spread = np.einsum("...gi,...gj->...ij", pulls, pulls) * factor[..., None, None]
    cast = votes.counts + np.swapaxes(votes.counts, -1, -2)
    compared = (cast.sum(axis=-1) > 0).sum(axis=-2)
    return Fit(
        Estimates(found[..., :-1], spread[..., :-1, :-1], compared, cast.sum(axis=-3)),
        found[..., -1],
        np.sqrt(spread[..., -1, -1]),
        hessian,
    )


def scores_of(residuals: Floats, has_side: bool = True) -> Floats:
    """Return what tables of residuals (…, K, K) pull each coefficient by, shape (…, K + 1)."""
    each = residuals.sum(axis=-1) - residuals.sum(axis=-2)
    side = residuals.sum(axis=(-1, -2)) * has_side
    return np.concatenate([each, side[..., None]], axis=-1)


def _chances(found: Floats) -> Floats:
    strengths, side = found[..., :-1], found[..., -1]
    gaps = strengths[..., :, None] - strengths[..., None, :] + side[..., None, None]
    return np.asarray(0.5 * (1 + np.tanh(gaps / 2)), dtype=np.float64)


def _hessian(weights: Floats, prior: float, has_side: bool) -> Floats:
    count = weights.shape[-1]
    place = np.arange(count)
    hessian = np.zeros((*weights.shape[:-2], count + 1, count + 1))
    hessian[..., :-1, :-1] = -(weights + np.swapaxes(weights, -1, -2))
    hessian[..., place, place] += weights.sum(axis=-1) + weights.sum(axis=-2)
    if has_side:
        tilt = weights.sum(axis=-1) - weights.sum(axis=-2)
        hessian[..., :-1, -1] = tilt
        hessian[..., -1, :-1] = tilt
        hessian[..., -1, -1] = weights.sum(axis=(-1, -2))
    place = np.arange(count + 1)
    hessian[..., place, place] += prior
    return hessian
