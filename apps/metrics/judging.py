"""Verdicts on candidates of a role, by the rules that were set beforehand. Pure.

Whether one is better is judged two-sided, corrected for rivals and looks; whether one is not worse
than another by more than the margin, one-sided and on the last look alone, since a tie is decided
once. A pair that fewer than five people have compared, or twenty votes, is not decided.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, isfinite
from typing import Final

import numpy as np

from apps.core.groups import LEAST_GROUP
from apps.core.intervals import Interval
from apps.metrics.findings import BETTER, EARLY, NOT_WORSE, NOTHING, TIE, WINNER, WORSE, Contrast
from apps.metrics.standing import Group, log_odds_of, share_of
from apps.metrics.stats.contrasts import (
    LEAST_VOTES,
    bounds,
    differences,
    is_decidable,
    people_of,
    quantile,
)
from apps.metrics.stats.looks import difference_alpha, margin_alpha

WINS: Final = "wins"
# Of a normal distribution: with so many errors to spare, four of five trials reach their verdict.
_POWER: Final = 0.8416
# Beyond this many times the answers there are, more of them is no plan.
_MOST_TIMES: Final = 50


@dataclass(frozen=True, slots=True)
class Terms:
    """What verdicts rest on. `margin` is in the measure's unit; `looks` are planned.

    `rivals` is how many others each candidate is held against; `is_last`, whether the look judged
    is the last one.
    """

    measure: str
    margin: float
    rivals: int
    looks: int
    is_last: bool

    @property
    def alpha(self) -> float:
        return difference_alpha(rivals=self.rivals, looks=self.looks)

    @property
    def margin_alpha(self) -> float:
        return margin_alpha(rivals=self.rivals)

    @property
    def inner_margin(self) -> float:
        """The margin in the unit of estimates: log odds for votes."""
        return log_odds_of(0.5 + min(self.margin, 0.49)) if self.measure == WINS else self.margin

    def interval(self, low: float, mid: float, high: float) -> Interval | None:
        """Return a difference of estimates in the measure's unit; None where it is unbounded."""
        if not (isfinite(low) and isfinite(high)):
            return None
        if self.measure != WINS:
            return Interval(low, mid, high)
        ends = share_of(np.array([low, mid, high])) - 0.5
        return Interval(*(float(each) for each in ends))


@dataclass(frozen=True, slots=True)
class Pace:
    """Answers so far by candidate, and how many come on a working day now."""

    counts: Mapping[int, int]
    per_day: Mapping[int, float]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two candidates that met: people who do better with the first, votes, and both bad of them."""

    prefer_first: int = 0
    votes: int = 0
    both_bad: int = 0


_UNMET: Final = Pair()


def contrasts_of(
    live: Sequence[Group],
    judged: Sequence[Group],
    terms: Terms,
    pace: Pace,
    pairs: Mapping[tuple[int, int], Pair],
) -> list[Contrast]:
    """Return every pair that has met, from both sides: differences as they are, verdicts as judged.

    `pairs` has what is counted of each pair, from either side.
    """
    found = []
    for group in live:
        for first, one in enumerate(group.ids):
            for second, other in enumerate(group.ids):
                if first == second:
                    continue
                verdict = verdict_of(judged, one, other, terms)
                pair = pairs.get((one, other), _UNMET)
                more, days = missing(group, first, second, terms, pace)
                difference, _ = differences(group.estimates, first, second)
                low, high = bounds(group.estimates, first, second, alpha=terms.alpha)
                found.append(
                    Contrast(
                        one,
                        other,
                        terms.interval(float(low), float(difference), float(high)),
                        verdict,
                        more if verdict == EARLY else None,
                        days if verdict == EARLY else None,
                        pair.prefer_first,
                        pairs.get((other, one), _UNMET).prefer_first,
                        pair.votes,
                        pair.both_bad,
                    )
                )
    return found


def verdict_of(judged: Sequence[Group], first_id: int, second_id: int, terms: Terms) -> str:
    """Return what a look says of the first against the second."""
    group = next((each for each in judged if {first_id, second_id} <= set(each.ids)), None)
    if group is None:
        return EARLY
    first, second = group.ids.index(first_id), group.ids.index(second_id)
    if not is_decidable(group.estimates, first, second):
        return EARLY
    low, high = bounds(group.estimates, first, second, alpha=terms.alpha)
    if low > 0:
        return BETTER
    least, _ = bounds(group.estimates, first, second, alpha=terms.margin_alpha)
    if terms.is_last and least > -terms.inner_margin:
        return NOT_WORSE
    return WORSE if high < 0 else EARLY


def missing(
    group: Group, first: int, second: int, terms: Terms, pace: Pace
) -> tuple[int | None, int | None]:
    """Return about how many more answers settle a pair, and in how many working days.

    Settled is a difference that is told from nothing, or one that is told to be within the margin,
    whichever is nearer, with four chances in five. None where more answers are no plan: where they
    would be too many, or people are missing.
    """
    estimates = group.estimates
    people = people_of(estimates, first, second)
    if people < LEAST_GROUP:
        return None, None
    difference, error = (float(each) for each in differences(estimates, first, second))
    ids = (group.ids[first], group.ids[second])
    count = sum(pace.counts.get(each, 0) for each in ids)
    targets = [
        (abs(difference), quantile(terms.alpha, people)),
        (terms.inner_margin - abs(difference), quantile(terms.margin_alpha, people)),
    ]
    times = [
        ((float(reach) + _POWER) * error / gap) ** 2
        for gap, reach in targets
        if gap > 0 and isfinite(error) and isfinite(float(reach))
    ]
    if not times or min(times) > _MOST_TIMES or not count:
        return None, None
    more = ceil(count * max(min(times) - 1, 0))
    if estimates.votes is not None:
        more = max(more, LEAST_VOTES - int(estimates.votes[first, second]))
    a_day = sum(pace.per_day.get(each, 0.0) for each in ids)
    return more, ceil(more / a_day) if a_day > 0 else None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The state of a role, and the best or, in a tie, those among whom the tie-break chooses."""

    state: str
    best_ids: tuple[int, ...] = ()


def outcome_of(
    live: Sequence[Group], judged: Sequence[Group], active: Collection[int], terms: Terms
) -> Outcome:
    """Return whether some candidate in the running has won, some are equal, or it is too early.

    The winner is better than each rival, and none of these is known to be within the margin. A tie
    is of those known to be within the margin of the best, once all others are worse.
    """
    if not live:
        return Outcome(NOTHING)
    group = next((each for each in judged if set(active) <= set(each.ids)), None)
    if group is None or len(active) < 2:
        return Outcome(EARLY)
    effects = dict(zip(group.ids, group.estimates.effects.tolist(), strict=True))
    best = max(active, key=lambda each: (effects[each], -each))
    near, unknown = [best], False
    for rival in sorted(set(active) - {best}):
        if verdict_of(judged, rival, best, terms) == NOT_WORSE:
            near.append(rival)
        elif verdict_of(judged, best, rival, terms) != BETTER:
            unknown = True
    if unknown:
        return Outcome(EARLY)
    return Outcome(TIE, tuple(near)) if len(near) > 1 else Outcome(WINNER, (best,))
