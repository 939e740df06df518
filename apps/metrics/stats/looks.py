"""When a trial is judged, and how sure each judgement must be. Pure.

A trial is looked at two weeks after its start, at four, and on the day it decides. A difference is
judged at 5 %, two-sided, divided by looks and by rivals (Bonferroni): whoever looks three times at
three rivals has nine chances of being wrong. "Not worse" is decided once, on the last look, and by
one side only, so that it is divided by rivals alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

LEVEL: Final = 0.05
_EARLY_LOOKS: Final = (timedelta(weeks=2), timedelta(weeks=4))


@dataclass(frozen=True, slots=True)
class Look:
    """The `number`th of `planned` looks. Evidence of days before `day` counts in it."""

    number: int
    planned: int
    day: date


def planned_looks(starts_on: date, decide_by: date) -> tuple[date, ...]:
    """Return the days of looks, the first one first: weeks 2 and 4, and the day of decision."""
    early = [starts_on + after for after in _EARLY_LOOKS]
    return (*(day for day in early if day < decide_by), decide_by)


def look_of(days: Sequence[date], today: date) -> Look | None:
    """Return the latest look that has come; None before the first."""
    come = [day for day in days if day <= today]
    return Look(len(come), len(days), come[-1]) if come else None


def next_look(days: Sequence[date], today: date) -> date | None:
    """Return the day of the next look; None when all have been."""
    return next((day for day in days if day > today), None)


def difference_alpha(*, rivals: int, looks: int) -> float:
    """Return the two-sided level of one difference at one look."""
    return LEVEL / (max(rivals, 1) * max(looks, 1))


def margin_alpha(*, rivals: int) -> float:
    """Return the two-sided level whose lower end is judged against the margin: 5 % on one side."""
    return 2 * LEVEL / max(rivals, 1)
