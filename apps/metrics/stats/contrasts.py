"""What estimates of several candidates say of two of them. Pure.

K is candidates. Leading dimensions, written as …, are pilots that are computed at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from apps.core.groups import LEAST_GROUP

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]

# What is smaller than this part of the largest is nothing but rounding.
TINY: Final = 1e-9
# Fewer votes on a pair than these may all fall one way by chance, which looks like certainty.
LEAST_VOTES: Final = 20


@dataclass(frozen=True, slots=True)
class Estimates:
    """Effects of K candidates, shape (…, K), which sum to nothing in each set that has met.

    `covariance` has shape (…, K, K), NaN where nothing is known of it. `clusters` is how many
    people have compared each candidate with another one, shape (…, K). `votes` counts those on each
    pair, shape (…, K, K); None where days are compared.
    """

    effects: Floats
    covariance: Floats
    clusters: Integers
    votes: Floats | None = None


def people_of(found: Estimates, first: int, second: int) -> Integers:
    """Return from how many people a difference is known, shape (…): those of the rarer of the two.

    An arm that joined yesterday is known from those few who met it, however large the team is.
    """
    return np.minimum(found.clusters[..., first], found.clusters[..., second])


def is_decidable(found: Estimates, first: int, second: int) -> Flags:
    """Tell, shape (…), whether enough people and votes have compared two to judge them at all."""
    enough = people_of(found, first, second) >= LEAST_GROUP
    if found.votes is not None:
        enough = enough & (found.votes[..., first, second] >= LEAST_VOTES)
    return np.asarray(enough, dtype=np.bool_)


def differences(found: Estimates, first: int, second: int) -> tuple[Floats, Floats]:
    """Return by how much `first` is better than `second`, and the standard error; shapes (…)."""
    effects, spread = found.effects, found.covariance
    variance = (
        spread[..., first, first] + spread[..., second, second] - 2 * spread[..., first, second]
    )
    return effects[..., first] - effects[..., second], np.sqrt(np.maximum(variance, 0))


def quantile(alpha: float, clusters: Integers) -> Floats:
    """Return the two-sided quantile of Student's t on (people - 1) degrees, shape (…).

    Infinite below two people: nobody differs from oneself.
    """
    degrees = np.maximum(np.asarray(clusters) - 1, 0)
    found = stdtrit(np.maximum(degrees, 1), 1 - alpha / 2)
    return np.asarray(np.where(degrees > 0, found, np.inf), dtype=np.float64)


def bounds(found: Estimates, first: int, second: int, *, alpha: float) -> tuple[Floats, Floats]:
    """Return the ends of the two-sided (1 - alpha) interval of a difference, shapes (…)."""
    difference, error = differences(found, first, second)
    reach = _reach(quantile(alpha, people_of(found, first, second)), error)
    return difference - reach, difference + reach


def _reach(quantiles: Floats, errors: Floats) -> Floats:
    # Of one person nothing is told, even where they left no error: no bound, not 0 times infinity.
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(np.isinf(quantiles), np.inf, quantiles * errors))


def is_best(found: Estimates, best: int, *, alpha: float) -> Flags:
    """Tell, shape (…), whether one is separated from each rival, enough having compared the two.

    NaN separates nobody.
    """
    rivals = [each for each in range(found.effects.shape[-1]) if each != best]
    separated = [
        (bounds(found, best, rival, alpha=alpha)[0] > 0) & is_decidable(found, best, rival)
        for rival in rivals
    ]
    return np.asarray(np.all(np.stack(separated), axis=0), dtype=np.bool_)


def pseudo_inverse(matrix: Floats) -> tuple[Floats, Integers]:
    """Return the inverse of a symmetric matrix outside its null space, and its rank.

    Shapes (…, K, K) and (…).
    """
    values, vectors = np.linalg.eigh(matrix)
    kept = values > TINY * np.maximum(values.max(axis=-1, keepdims=True), np.finfo(float).tiny)
    inverted = np.where(kept, 1 / np.where(kept, values, 1), 0)
    inverse = np.einsum("...ik,...k,...jk->...ij", vectors, inverted, vectors)
    return inverse, kept.sum(axis=-1)


def each_interval(found: Estimates, *, alpha: float) -> tuple[Floats, Floats]:
    """Return the ends of each effect's own interval, shapes (…, K)."""
    variance = np.diagonal(found.covariance, axis1=-2, axis2=-1)
    reach = _reach(quantile(alpha, found.clusters), np.sqrt(np.maximum(variance, 0)))
    return found.effects - reach, found.effects + reach


def ranks(lows: Sequence[float], highs: Sequence[float]) -> list[tuple[int, int]]:
    """Return the best and the worst place that each of some intervals can have, from 1 on.

    The best is 1 + how many lie wholly above; the worst, how many reach up to its lower end.
    """
    return [
        (
            1 + sum(other > high for other in lows),
            sum(other >= low for other in highs),
        )
        for low, high in zip(lows, highs, strict=True)
    ]
