"""What estimates of several candidates say of two of them. Pure.

K is candidates. Leading dimensions, written as …, are pilots that are computed at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]

# What is smaller than this part of the largest is nothing but rounding.
TINY: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Estimates:
    """Effects of K candidates, shape (…, K), which sum to nothing in each set that has met.

    `covariance` has shape (…, K, K), NaN where nothing is known of it. `clusters` is how many
    people the effects come from, shape (…).
    """

    effects: Floats
    covariance: Floats
    clusters: Integers


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
    reach = quantile(alpha, found.clusters) * error
    return difference - reach, difference + reach


def is_best(found: Estimates, best: int, *, alpha: float) -> Flags:
    """Tell, shape (…), whether one is separated from each rival; NaN separates nobody."""
    count = found.effects.shape[-1]
    lows = [bounds(found, best, rival, alpha=alpha)[0] for rival in range(count) if rival != best]
    return np.asarray(np.all(np.stack(lows) > 0, axis=0), dtype=np.bool_)


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
    reach = quantile(alpha, found.clusters)[..., None] * np.sqrt(np.maximum(variance, 0))
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
