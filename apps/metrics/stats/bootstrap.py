"""What would have come out had other people been asked: resampling people, then their votes. Pure.

Whole people are drawn with replacement, since one person's answers belong together; of each who was
drawn, as many votes are drawn as they cast. All rounds are computed at once.
"""

from typing import Final

import numpy as np

from apps.metrics.stats import bradley_terry, crossover
from apps.metrics.stats.contrasts import Floats, Integers
from apps.metrics.stats.crossover import Cells

ROUNDS: Final = 1_000
# Votes drawn at once: what keeps the arrays within some tens of megabytes.
_AT_ONCE: Final = 1_000_000


def resampled_strengths(
    raters: Integers,
    left: Integers,
    right: Integers,
    points: Floats,
    *,
    count: int,
    rounds: int = ROUNDS,
    seed: int = 1,
    prior: float = bradley_terry.PRIOR,
) -> Floats:
    """Return strengths of `count` candidates in each round, the side last, (rounds, count + 1).

    The arrays have shape (N,) as in `bradley_terry.votes_of`, points being 1, 0.5 or 0. Raises
    ValueError without votes.
    """
    if not len(raters):
        raise ValueError("there are no votes to draw from")
    order = np.argsort(raters, kind="stable")
    kinds = ((left * count + right) * 3 + np.rint(2 * points).astype(np.int64))[order]
    sizes = np.unique(raters, return_counts=True)[1]
    drawn = _drawn_kinds(kinds, sizes, 3 * count * count, rounds, seed)
    tables = drawn.reshape(rounds, count, count, 3)
    counts = tables.sum(axis=-1)
    given = tables @ np.array([0.0, 0.5, 1.0])
    return bradley_terry.coefficients(counts, given, prior=prior)[0]


def _drawn_kinds(kinds: Integers, sizes: Integers, width: int, rounds: int, seed: int) -> Floats:
    """Return how often each kind of vote was drawn, shape (rounds, width)."""
    chance = np.random.default_rng(seed)
    starts = np.cumsum(sizes) - sizes
    tables = np.zeros((rounds, width))
    step = max(1, _AT_ONCE // len(kinds))
    for first in range(0, rounds, step):
        part = min(step, rounds - first)
        who = chance.integers(0, len(sizes), (part, len(sizes)))
        cast = sizes[who]
        each = np.repeat(who.ravel(), cast.ravel())
        votes = starts[each] + (chance.random(len(each)) * sizes[each]).astype(np.int64)
        place = np.repeat(np.arange(part) * width, cast.sum(axis=1)) + kinds[votes]
        found = np.bincount(place, minlength=part * width)
        tables[first : first + part] = found.reshape(part, width)
    return tables


def resampled_effects(cells: Cells, *, rounds: int = ROUNDS, seed: int = 1) -> Floats:
    """Return effects of a crossover with resampled developers, shape (rounds, K).

    `cells` has shape (G, K). A candidate whom nobody drawn has met is NaN. Raises ValueError
    without developers.
    """
    people = cells.days.shape[0]
    if not people:
        raise ValueError("there are no developers to draw from")
    chance = np.random.default_rng(seed)
    times = chance.multinomial(people, np.full(people, 1 / people), rounds)[:, :, None]
    drawn = Cells(cells.days * times, cells.weights * times, cells.totals * times)
    return _known(drawn)


def effects_without_one(cells: Cells) -> Floats:
    """Return effects of a crossover with each developer left out in turn, shape (G, K)."""
    others = ~np.eye(cells.days.shape[0], dtype=np.bool_)[:, :, None]
    return _known(Cells(cells.days * others, cells.weights * others, cells.totals * others))


def strengths_without_one(
    votes: bradley_terry.Votes, *, prior: float = bradley_terry.PRIOR
) -> Floats:
    """Return strengths, the side last, with each rater left out in turn, shape (G, K + 1)."""
    counts = votes.counts.sum(axis=-3, keepdims=True) - votes.counts
    points = votes.points.sum(axis=-3, keepdims=True) - votes.points
    return bradley_terry.coefficients(counts, points, prior=prior)[0]


def first_shares(effects: Floats) -> Floats:
    """Return in which share of rounds each candidate comes first, from (rounds, K), shape (K,)."""
    first = np.argmax(np.where(np.isnan(effects), -np.inf, effects), axis=-1)
    return np.bincount(first, minlength=effects.shape[-1]) / len(effects)


def _known(cells: Cells) -> Floats:
    effects = crossover.fit(cells).estimates.effects
    return np.asarray(np.where(cells.days.sum(axis=-2) > 0, effects, np.nan), dtype=np.float64)
