"""What the statistics promise, tried on made-up pilots: coverage, false winners, power. Pure.

The command `simulate` prints these beside the figures that they are held against; tests run them
with fewer rounds. Shares are 0 to 1.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import ndtri

from apps.metrics.stats import bradley_terry
from apps.metrics.stats.bradley_terry import NO_PRIOR, Votes
from apps.metrics.stats.contrasts import Floats, bounds, each_interval, is_best
from apps.metrics.stats.looks import difference_alpha
from apps.metrics.stats.made_up import (
    WORKING_DAYS,
    Assumptions,
    Days,
    acceptance,
    thumbs,
    turns,
    votes_by_week,
)
from apps.metrics.stats.power import ASSUMED, WEEKS, simulated, without_lead

# How much of the spread between completions is between developers, in the table's design effect.
_WITHIN_PERSON: Final = 0.05
_QUADRATURE: Final = 64


@dataclass(frozen=True, slots=True)
class Ballot:
    """How votes are made up for a coverage check, after Davidson (1970), with raters' own tastes.

    `strengths` are log odds, `side` what the left is worth, `ties` Davidson's nu, `tastes` the
    spread of each rater's own strengths.
    """

    raters: int
    votes_each: int
    strengths: tuple[float, ...] = (0.5, 0.2, -0.1, -0.6)
    side: float = 0.15
    ties: float = 0.5
    tastes: float = 0.4


@dataclass(frozen=True, slots=True)
class Coverage:
    """In which share of pilots 95 % intervals hold the truth: of strengths, and of differences."""

    ballot: Ballot
    pilots: int
    strengths: float
    differences: float


def coverage(ballot: Ballot, *, pilots: int, seed: int = 1) -> Coverage:
    """Return how often intervals, with t on (raters - 1) degrees, hold the truth.

    The truth is the coefficients of the same half-tie model on unlimited votes of unlimited raters.
    """
    truth = unlimited(ballot)
    votes = ballots(np.random.default_rng(seed), ballot, pilots)
    found = bradley_terry.fit(votes).estimates
    low, high = each_interval(found, alpha=0.05)
    own = np.mean((low <= truth) & (truth <= high))
    count = len(ballot.strengths)
    pairs = [(i, j) for i in range(count) for j in range(i + 1, count)]
    held = []
    for i, j in pairs:
        least, most = bounds(found, i, j, alpha=0.05)
        gap = truth[i] - truth[j]
        held.append(np.mean((least <= gap) & (gap <= most)))
    return Coverage(ballot, pilots, float(own), float(np.mean(held)))


def unlimited(ballot: Ballot) -> Floats:
    """Return the strengths, shape (K,), that the half-tie model gives on unlimited votes."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(_QUADRATURE)
    true = np.array(ballot.strengths)
    # Two tastes make the spread of a pair's lead.
    leads = true[:, None, None] - true[None, :, None] + ballot.side
    leads = leads + np.sqrt(2) * ballot.tastes * nodes
    won, tied = _davidson(leads, ballot.ties)
    points = ((won + tied / 2) * weights).sum(axis=-1) / weights.sum()
    counts = 1 - np.eye(len(true))
    return bradley_terry.coefficients(counts, counts * points, prior=NO_PRIOR)[0][:-1]


def ballots(chance: np.random.Generator, ballot: Ballot, pilots: int) -> Votes:
    """Return the votes of made-up pilots, tables of shape (pilots, G, K, K)."""
    count = len(ballot.strengths)
    shape = (pilots, ballot.raters, count)
    tastes = np.array(ballot.strengths) + ballot.tastes * chance.standard_normal(shape)
    cast = (pilots, ballot.raters, ballot.votes_each)
    left = chance.integers(0, count, cast)
    right = (left + chance.integers(1, count, cast)) % count
    leads = np.take_along_axis(tastes, left, -1) - np.take_along_axis(tastes, right, -1)
    won, tied = _davidson(leads + ballot.side, ballot.ties)
    lot = chance.random(cast)
    points = np.where(lot < won, 1.0, np.where(lot < won + tied, 0.5, 0.0))
    voters = np.arange(pilots * ballot.raters).reshape(pilots, ballot.raters, 1)
    place = ((voters * count + left) * count + right).ravel()
    tables = (pilots, ballot.raters, count, count)
    size = pilots * ballot.raters * count * count
    counts = np.bincount(place, minlength=size).astype(np.float64)
    given = np.bincount(place, points.ravel(), minlength=size).astype(np.float64)
    return Votes(counts.reshape(tables), given.reshape(tables))


def _davidson(leads: Floats, ties: float) -> tuple[Floats, Floats]:
    """Return the chances that the left wins, and that it is a tie."""
    ahead, behind = np.exp(leads / 2), np.exp(-leads / 2)
    whole = ahead + behind + ties
    return ahead / whole, ties / whole


def false_winners(
    *,
    measure: str,
    people: int,
    candidates: int,
    pilots: int,
    seed: int = 1,
    assumed: Assumptions = ASSUMED,
    late: int = 0,
) -> float:
    """Return in which share of pilots among equals somebody wins at any look.

    `late` people meet the last candidate on the eve of the first look: see `simulated`.
    """
    alpha = difference_alpha(rivals=candidates - 1, looks=len(WEEKS))
    equal = without_lead(assumed)
    shape = (pilots, people, candidates)
    won = np.zeros(pilots, dtype=np.bool_)
    for week, found in simulated(measure, shape, max(WEEKS), seed, equal, late=late):
        if week in WEEKS:
            for each in range(candidates):
                won |= is_best(found, each, alpha=alpha)
    return float(won.mean())


def two_proportions(
    *,
    people: int,
    candidates: int,
    rounds: int,
    is_acceptance: bool,
    seed: int = 1,
    assumed: Assumptions = ASSUMED,
) -> list[float]:
    """Return the power, by week, of what peers do: shares of all, as if nobody had met both.

    Thumbs on sampled answers; with `is_acceptance`, completions, multiplied by a design effect for
    completions of one developer not being independent.
    """
    chance = np.random.default_rng(seed)
    met = turns(chance, (rounds, people, max(WEEKS) * WORKING_DAYS), candidates)
    make: Callable[..., Days] = acceptance if is_acceptance else thumbs
    days = make(chance, met, assumed)
    alpha = difference_alpha(rivals=candidates - 1, looks=len(WEEKS))
    reach = float(ndtri(1 - alpha / 2))
    found = []
    for week in WEEKS:
        cells = days.cells(candidates, week * WORKING_DAYS)
        shown, liked = cells.weights.sum(axis=-2), cells.totals.sum(axis=-2)
        each = shown.sum(axis=-1) / people
        effect = 1 + (each - 1) * _WITHIN_PERSON if is_acceptance else np.ones(rounds)
        found.append(float(_separated(shown, liked, effect, reach).mean()))
    return found


def _separated(shown: Floats, liked: Floats, effect: Floats, reach: float) -> Floats:
    known = np.maximum(shown, 1)
    shares = liked / known
    kept = np.ones(len(shown))
    for rival in range(1, shown.shape[-1]):
        pooled = (liked[:, 0] + liked[:, rival]) / (known[:, 0] + known[:, rival])
        spread = pooled * (1 - pooled) * (1 / known[:, 0] + 1 / known[:, rival]) * effect
        kept *= shares[:, 0] - shares[:, rival] > reach * np.sqrt(np.maximum(spread, 1e-12))
    return kept


def direct_pairs(
    *, people: int, candidates: int, rounds: int, seed: int = 1, assumed: Assumptions = ASSUMED
) -> list[float]:
    """Return the power, by week, of blind votes where each pair is judged by its own votes alone.

    Bradley–Terry, which findings use, also learns of a pair from what both did against others.
    """
    alpha = difference_alpha(rivals=candidates - 1, looks=len(WEEKS))
    strengths = np.zeros(candidates)
    strengths[0] = np.log(assumed.wins / (1 - assumed.wins))
    chance, found = np.random.default_rng(seed), []
    votes = votes_by_week(chance, (rounds, people, candidates), strengths, assumed, max(WEEKS))
    for week, cast in enumerate(votes, start=1):
        if week not in WEEKS:
            continue
        kept = np.ones(rounds, dtype=np.bool_)
        for rival in range(1, candidates):
            pair = _of_pair(cast, [0, rival])
            kept &= is_best(bradley_terry.fit(pair, has_side=False).estimates, 0, alpha=alpha)
        found.append(float(kept.mean()))
    return found


def _of_pair(votes: Votes, ids: Sequence[int]) -> Votes:
    return Votes(votes.counts[..., ids, :][..., ids], votes.points[..., ids, :][..., ids])
