"""How far answers can be trusted: who answers, from which side, and whom it hangs on. Pure."""

from collections import defaultdict
from collections.abc import Hashable, Iterable
from typing import Final

import numpy as np

from apps.core.intervals import Interval, wilson
from apps.metrics.stats.contrasts import Floats

# From so many answers on, always the same one is no accident.
LEAST_ANSWERS: Final = 5


def coverage(answered: int, asked: int) -> float | None:
    """Return which share of what was asked was answered; None where nothing was."""
    return answered / asked if asked else None


def extreme_raters(answers: Iterable[tuple[int, Hashable]], least: int = LEAST_ANSWERS) -> int:
    """Return how many people give one and the same answer always, of those with `least` answers.

    `answers` are pairs of a person and an answer.
    """
    given: dict[int, list[Hashable]] = defaultdict(list)
    for person, answer in answers:
        given[person].append(answer)
    return sum(len(each) >= least and len(set(each)) == 1 for each in given.values())


def left_share(left: int, right: int) -> Interval | None:
    """Return the share of decided votes for the left side, with Wilson's 95 %; None without any."""
    return wilson(left, left + right) if left + right else None


def changes_without_one(effects: Floats, without_one: Floats) -> bool | None:
    """Tell whether the first place changes if any one rater is left out.

    Shapes (K,) and (raters, K). None below two raters or two candidates: there is nothing to leave.
    """
    if len(without_one) < 2 or len(effects) < 2:
        return None
    known = np.where(np.isnan(without_one), -np.inf, without_one)
    return bool(np.any(np.argmax(known, axis=-1) != np.argmax(effects)))
