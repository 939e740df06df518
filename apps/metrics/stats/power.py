"""How likely a trial of this size reaches a verdict, and when. Pure; simulated with a seed.

Made-up pilots go through the very analysis that findings use: the crossover within developers or
Bradley–Terry, errors by person, Student's t, 5 % two-sided divided by rivals and looks.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from apps.core.intervals import wilson
from apps.metrics.stats import bradley_terry, crossover
from apps.metrics.stats.contrasts import Estimates, Flags, bounds, is_best, is_decidable
from apps.metrics.stats.looks import difference_alpha, margin_alpha
from apps.metrics.stats.made_up import (
    WORKING_DAYS,
    Assumptions,
    acceptance,
    daily_answers,
    turns,
    turns_with_late_arm,
    votes_by_week,
)

WEEKS: Final = (2, 4, 6)
ROUNDS: Final = 1_000
ASSUMED: Final = Assumptions()
_DAYS: Final = {"acceptance": acceptance, "daily": daily_answers}
Judge = Callable[[Estimates], Flags]


@dataclass(frozen=True, slots=True)
class Chance:
    """The share of made-up pilots with a verdict at the end of a week, with Wilson's 95 %."""

    week: int
    share: float
    low: float
    high: float


def chances(
    *,
    measure: str,
    people: int,
    candidates: int,
    weeks: Sequence[int] = WEEKS,
    rounds: int = ROUNDS,
    seed: int = 1,
    assumed: Assumptions = ASSUMED,
) -> list[Chance]:
    """Return how likely the best is separated from every other candidate at each of some weeks.

    Each week is one look. `measure` is acceptance, daily or wins. Empty for fewer than two
    candidates. Raises ValueError for another measure, or for nobody at all.
    """
    if candidates < 2:
        return []
    alpha = difference_alpha(rivals=candidates - 1, looks=len(weeks))
    found = simulated(measure, (rounds, people, candidates), max(weeks), seed, assumed)
    return _judged(found, weeks, lambda each: is_best(each, 0, alpha=alpha))


def not_worse_chances(
    *,
    measure: str,
    people: int,
    candidates: int,
    margin: float,
    weeks: Sequence[int] = WEEKS,
    rounds: int = ROUNDS,
    seed: int = 1,
    assumed: Assumptions = ASSUMED,
) -> list[Chance]:
    """Return how likely one of equals is shown to be not worse than another by the margin.

    `margin` is in the measure's unit: points, or shares of 1. `assumed` says what all candidates
    are like; leads of the best in it are for nothing here. Raises as `chances` does.
    """
    if candidates < 2:
        return []
    alpha = margin_alpha(rivals=candidates - 1)
    least = -np.log((0.5 + margin) / (0.5 - margin)) if measure == "wins" else -margin
    equal = without_lead(assumed)
    found = simulated(measure, (rounds, people, candidates), max(weeks), seed, equal)
    return _judged(found, weeks, lambda each: _is_not_worse(each, alpha, float(least)))


def _is_not_worse(found: Estimates, alpha: float, least: float) -> Flags:
    return (bounds(found, 0, 1, alpha=alpha)[0] > least) & is_decidable(found, 0, 1)


def simulated(
    measure: str,
    shape: tuple[int, int, int],
    weeks: int,
    seed: int,
    assumed: Assumptions,
    *,
    late: int = 0,
) -> Iterator[tuple[int, Estimates]]:
    """Yield each week with what (R, G, K) made-up pilots have found by its end.

    With `late`, the last candidate joins on the eve of the first look, for so many people; for
    measures of days alone.
    """
    pilots, people, count = shape
    if people < 1 or measure not in (*_DAYS, "wins"):
        raise ValueError(f"no trial by {measure} with {people} people")
    chance = np.random.default_rng(seed)
    if measure == "wins":
        strengths = np.zeros(count)
        strengths[0] = np.log(assumed.wins / (1 - assumed.wins))
        votes = votes_by_week(chance, shape, strengths, assumed, weeks)
        for week, cast in enumerate(votes, start=1):
            yield week, bradley_terry.fit(cast).estimates
        return
    size = (pilots, people, weeks * WORKING_DAYS)
    met = turns_with_late_arm(chance, size, count, late) if late else turns(chance, size, count)
    days = _DAYS[measure](chance, met, assumed)
    for week in range(1, weeks + 1):
        yield week, crossover.fit(days.cells(count, week * WORKING_DAYS)).estimates


def _judged(
    found: Iterator[tuple[int, Estimates]], weeks: Sequence[int], judge: Judge
) -> list[Chance]:
    answers = []
    for week, each in found:
        if week in weeks:
            verdicts = judge(each)
            share = wilson(int(verdicts.sum()), verdicts.size)
            answers.append(Chance(week, share.mid, share.low, share.high))
    return answers


def without_lead(assumed: Assumptions) -> Assumptions:
    """Return what holds for equals: as all candidates but the best are."""
    return replace(
        assumed, daily_gap=0.0, accepted_best=assumed.accepted, wins=0.5, liked_best=assumed.liked
    )
