"""How candidates of a role stand by one measure: evidence in, estimates out. Pure.

Days are compared within people, votes by Bradley–Terry; from then on both are the same: effects
that sum to nothing, their errors by person, and a way to say them in the measure's unit.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from apps.core.intervals import Interval
from apps.metrics.stats import bradley_terry, crossover
from apps.metrics.stats.bias import changes_without_one
from apps.metrics.stats.bootstrap import (
    effects_without_one,
    first_shares,
    resampled_effects,
    resampled_strengths,
    strengths_without_one,
)
from apps.metrics.stats.contrasts import Estimates, Floats, each_interval, quantile
from apps.metrics.stats.groups import sets_of

LEFT: Final = "left"
RIGHT: Final = "right"
BOTH_BAD: Final = "both_bad"
POINTS: Final = {LEFT: 1.0, RIGHT: 0.0}
TIE_POINTS: Final = 0.5
ALPHA: Final = 0.05


@dataclass(frozen=True, slots=True)
class DayRow:
    """What one person's working day with one candidate came to. Weight is shown, or 1.

    `given_on` is the working day of the answer as it stands; None where that is the day itself.
    """

    person_id: int
    day: date
    candidate_id: int
    value: float
    weight: float = 1.0
    given_on: date | None = None

    @property
    def known_on(self) -> date:
        """The working day from which on this is known as it stands: that of the last word."""
        return max(self.day, self.given_on or self.day)


@dataclass(frozen=True, slots=True)
class VoteRow:
    """One blind vote: left, right, tie or both_bad. `given_on` as that of a day."""

    person_id: int
    day: date
    left_id: int
    right_id: int
    outcome: str
    given_on: date | None = None

    @property
    def known_on(self) -> date:
        """The working day from which on this is known as it stands."""
        return max(self.day, self.given_on or self.day)

    @property
    def points(self) -> float:
        return POINTS.get(self.outcome, TIE_POINTS)


@dataclass(frozen=True, slots=True)
class Group:
    """Candidates that have met. `estimates` are log odds for votes, else in the measure's unit.

    `own` is each one's interval in that unit, from what candidates differ by alone; `levels` what a
    person like these gives, which a threshold is held against. `first_shares` are of resampled
    teams, `hangs_on_one` whether one person less puts another first; None where not computed.
    """

    ids: tuple[int, ...]
    estimates: Estimates
    own: tuple[Interval | None, ...]
    levels: tuple[Interval | None, ...]
    first_shares: tuple[float, ...] | None = None
    hangs_on_one: bool | None = None

    @property
    def best_id(self) -> int:
        return self.ids[int(np.argmax(self.estimates.effects))]


def standing_of_days(
    rows: Sequence[DayRow], *, limits: tuple[float, float], is_resampled: bool = False
) -> list[Group]:
    """Return the sets of candidates that people's days have brought together.

    Values lie within `limits`. Days of no weight are left out.
    """
    kept = [row for row in rows if row.weight > 0]
    ids = sorted({row.candidate_id for row in kept})
    met: dict[int, int] = {}
    pairs = []
    for row in kept:
        candidate = ids.index(row.candidate_id)
        pairs.append((met.setdefault(row.person_id, candidate), candidate))
    return [
        _group_of_days(
            [row for row in kept if row.candidate_id in members], members, limits, is_resampled
        )
        for members in _members(ids, sets_of(len(ids), pairs))
    ]


def _group_of_days(
    rows: Sequence[DayRow],
    ids: tuple[int, ...],
    limits: tuple[float, float],
    is_resampled: bool,
) -> Group:
    people = _places(row.person_id for row in rows)
    cells = crossover.cells_of(
        np.array([people[row.person_id] for row in rows]),
        np.array([ids.index(row.candidate_id) for row in rows]),
        np.array([row.value for row in rows], dtype=np.float64),
        np.array([row.weight for row in rows], dtype=np.float64),
        shape=(len(people), len(ids)),
    )
    found = crossover.fit(cells)
    levels, errors = crossover.levels_of(cells, found)
    reach = quantile(ALPHA, cells.people) * errors
    whole = _intervals(levels - reach, levels, levels + reach, lambda x: np.clip(x, *limits))
    own = whole
    if len(ids) > 1:
        low, high = each_interval(found.estimates, alpha=ALPHA)
        shift = levels - found.estimates.effects
        own = _intervals(low + shift, levels, high + shift, lambda x: np.clip(x, *limits))
    if not is_resampled or len(ids) < 2:
        return Group(ids, found.estimates, own, whole)
    shares = first_shares(resampled_effects(cells))
    hangs = changes_without_one(found.estimates.effects, effects_without_one(cells))
    return Group(ids, found.estimates, own, whole, tuple(shares.tolist()), hangs)


def standing_of_votes(rows: Sequence[VoteRow], *, is_resampled: bool = False) -> list[Group]:
    """Return the sets of candidates that votes have brought together, at least two each."""
    ids = sorted({each for row in rows for each in (row.left_id, row.right_id)})
    pairs = [(ids.index(row.left_id), ids.index(row.right_id)) for row in rows]
    return [
        _group_of_votes([row for row in rows if row.left_id in members], members, is_resampled)
        for members in _members(ids, sets_of(len(ids), pairs))
    ]


def _group_of_votes(rows: Sequence[VoteRow], ids: tuple[int, ...], is_resampled: bool) -> Group:
    people = _places(row.person_id for row in rows)
    count = len(ids)
    raters = np.array([people[row.person_id] for row in rows])
    left = np.array([ids.index(row.left_id) for row in rows])
    right = np.array([ids.index(row.right_id) for row in rows])
    points = np.array([row.points for row in rows], dtype=np.float64)
    votes = bradley_terry.votes_of(raters, left, right, points, shape=(len(people), count))
    found = bradley_terry.fit(votes).estimates
    low, high = each_interval(found, alpha=ALPHA)

    def against_average(strength: Floats) -> Floats:
        # Strengths sum to nothing, so that the others' mean is -strength / (count - 1).
        return share_of(strength * count / (count - 1))

    own = _intervals(low, found.effects, high, against_average)
    if not is_resampled:
        return Group(ids, found, own, own)
    drawn = resampled_strengths(raters, left, right, points, count=count)[:, :-1]
    hangs = changes_without_one(found.effects, strengths_without_one(votes)[:, :-1])
    return Group(ids, found, own, own, tuple(first_shares(drawn).tolist()), hangs)


def share_of(log_odds: Floats) -> Floats:
    """Return the share of wins that log odds stand for."""
    return np.asarray(0.5 * (1 + np.tanh(log_odds / 2)), dtype=np.float64)


def log_odds_of(share: float) -> float:
    """Return the log odds that a share of wins, above 0 and below 1, stands for."""
    return float(np.log(share / (1 - share)))


def _intervals(
    low: Floats, mid: Floats, high: Floats, told: Callable[[Floats], Floats]
) -> tuple[Interval | None, ...]:
    ends = [told(each) for each in (low, mid, high)]
    return tuple(
        Interval(float(a), float(b), float(c)) if np.isfinite(x) and np.isfinite(y) else None
        for a, b, c, x, y in zip(*ends, low, high, strict=True)
    )


def _places(people: Iterable[int]) -> dict[int, int]:
    return {person: place for place, person in enumerate(sorted(set(people)))}


def _members(ids: Sequence[int], numbers: Sequence[int]) -> list[tuple[int, ...]]:
    return [
        tuple(each for each, found in zip(ids, numbers, strict=True) if found == number)
        for number in sorted(set(numbers))
    ]
