"""Pilots that are made up, to learn what a real one can tell. Pure; chance comes from a seed.

R is how many pilots, G developers, K candidates, D working days. The first candidate is the best,
all others are alike: the hardest case for separating the best from every other.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from apps.metrics.stats.bradley_terry import Votes
from apps.metrics.stats.contrasts import Flags, Floats, Integers
from apps.metrics.stats.crossover import Cells

WORKING_DAYS = 5


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What a made-up team is like. Standard deviations are between people or between days.

    Daily question, in points: the others' mean, the best's lead, spread of developers' levels and
    of one's days, answered share of days; answers are rounded and kept within 1 to 5.
    Acceptance: the best's and the others' share, completions shown a day, whose spread is that
    part of their mean, spread of developers' levels and of one's days in log odds.
    Votes: a week for each developer, the best's share of decided ones, the share of ties, spread
    of each developer's own taste for each candidate in log odds.
    Thumbs on sampled answers: a day for each developer, liked share of the best and of the others,
    spread of levels in log odds.
    """

    daily_mean: float = 3.6
    daily_gap: float = 0.5
    daily_levels: float = 0.5
    daily_noise: float = 1.0
    daily_answered: float = 0.6
    accepted_best: float = 0.30
    accepted: float = 0.25
    shown_a_day: float = 100.0
    shown_spread: float = 0.5
    accepted_levels: float = 0.5
    accepted_noise: float = 0.3
    votes_a_week: int = 5
    wins: float = 0.65
    ties: float = 0.2
    tastes: float = 0.35
    rateable_a_day: int = 15
    sampled: float = 0.05
    thumbs_answered: float = 0.3
    liked_best: float = 0.80
    liked: float = 0.70
    liked_levels: float = 0.5


@dataclass(frozen=True, slots=True)
class Days:
    """Developer-days, shape (R, G, D): who answered, the value, its weight, whether it counts."""

    candidates: Integers
    values: Floats
    weights: Floats
    counted: Flags

    def cells(self, count: int, days: int) -> Cells:
        """Return the sums of the first `days` days for `count` candidates, shape (R, G, K)."""
        part = np.s_[:, :, :days]
        met = [(self.candidates[part] == k) & self.counted[part] for k in range(count)]
        weights, totals = self.weights[part], self.weights[part] * self.values[part]
        return Cells(
            np.stack([each.sum(axis=-1) for each in met], axis=-1),
            np.stack([(weights * each).sum(axis=-1) for each in met], axis=-1),
            np.stack([(totals * each).sum(axis=-1) for each in met], axis=-1),
        )


def turns(chance: np.random.Generator, shape: tuple[int, int, int], count: int) -> Integers:
    """Return who answers on each developer-day of (R, G, D): balanced blocks in random order."""
    pilots, people, days = shape
    blocks = -(-days // count)
    order = np.argsort(chance.random((pilots, people, blocks, count)), axis=-1)
    return order.reshape(pilots, people, blocks * count)[:, :, :days].astype(np.int64)


def turns_with_late_arm(
    chance: np.random.Generator, shape: tuple[int, int, int], count: int, late: int
) -> Integers:
    """Return turns where the last candidate joins on the last day of the second week.

    Only the first `late` developers meet it on that day; from the third week on all take turns.
    """
    pilots, people, days = shape
    first = min(2 * WORKING_DAYS, days)
    early = turns(chance, (pilots, people, first), count - 1)
    early[:, :late, -1] = count - 1
    return np.concatenate([early, turns(chance, (pilots, people, days - first), count)], axis=-1)


def daily_answers(chance: np.random.Generator, met: Integers, assumed: Assumptions) -> Days:
    """Return made-up answers to the daily question for turns of shape (R, G, D)."""
    levels = assumed.daily_levels * chance.standard_normal((*met.shape[:2], 1))
    noise = assumed.daily_noise * chance.standard_normal(met.shape)
    felt = assumed.daily_mean + assumed.daily_gap * (met == 0) + levels + noise
    answered = chance.random(met.shape) < assumed.daily_answered
    return Days(met, np.clip(np.rint(felt), 1, 5), np.ones(met.shape), answered)


def acceptance(chance: np.random.Generator, met: Integers, assumed: Assumptions) -> Days:
    """Return made-up shares of accepted completions, weighted by what was shown."""
    shares = _scattered(
        chance,
        np.where(met == 0, assumed.accepted_best, assumed.accepted),
        levels=assumed.accepted_levels,
        noise=assumed.accepted_noise,
    )
    spread = max(assumed.shown_spread, 1e-3) ** 2
    shown = chance.poisson(assumed.shown_a_day * chance.gamma(1 / spread, spread, met.shape))
    accepted = chance.binomial(shown, shares)
    return Days(met, accepted / np.maximum(shown, 1), shown.astype(np.float64), shown > 0)


def thumbs(chance: np.random.Generator, met: Integers, assumed: Assumptions) -> Days:
    """Return made-up shares of liked answers among those that were sampled and rated."""
    shares = _scattered(
        chance,
        np.where(met == 0, assumed.liked_best, assumed.liked),
        levels=assumed.liked_levels,
        noise=0.0,
    )
    share = assumed.sampled * assumed.thumbs_answered
    rated = chance.binomial(assumed.rateable_a_day, share, met.shape)
    liked = chance.binomial(rated, shares)
    return Days(met, liked / np.maximum(rated, 1), rated.astype(np.float64), rated > 0)


def _scattered(
    chance: np.random.Generator, shares: Floats, *, levels: float, noise: float
) -> Floats:
    odds = np.log(shares / (1 - shares))
    odds = odds + levels * chance.standard_normal((*shares.shape[:2], 1))
    odds = odds + noise * chance.standard_normal(shares.shape)
    return np.asarray(1 / (1 + np.exp(-odds)), dtype=np.float64)


def votes_by_week(
    chance: np.random.Generator,
    shape: tuple[int, int, int],
    strengths: Floats,
    assumed: Assumptions,
    weeks: int,
) -> Iterator[Votes]:
    """Yield all votes up to each week, for (R, G, K) pilots, raters and candidates.

    Pairs and sides are random; `strengths`, shape (K,), are log odds of the average rater.
    """
    pilots, people, count = shape
    tastes = strengths + assumed.tastes * chance.standard_normal(shape)
    voters = np.arange(pilots * people).reshape(pilots, people, 1)
    size, tables = pilots * people * count * count, (pilots, people, count, count)
    counts, points = np.zeros(tables), np.zeros(tables)
    for _ in range(weeks):
        cast = (pilots, people, assumed.votes_a_week)
        left = chance.integers(0, count, cast)
        right = (left + chance.integers(1, count, cast)) % count
        lead = np.take_along_axis(tastes, left, -1) - np.take_along_axis(tastes, right, -1)
        won = chance.random(cast) < 1 / (1 + np.exp(-lead))
        given = np.where(chance.random(cast) < assumed.ties, 0.5, won)
        place = ((voters * count + left) * count + right).ravel()
        counts = counts + np.bincount(place, minlength=size).reshape(tables)
        points = points + np.bincount(place, given.ravel(), minlength=size).reshape(tables)
        yield Votes(counts, points)
