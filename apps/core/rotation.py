"""Who answers for a blind alias: a pure function of seed, person and working day.

A working day begins at 04:00 in the pilot's zone, so that work after midnight belongs to the day
before; Saturday and Sunday belong to Friday. Candidates come in balanced blocks: in each block of
as many working days as there are candidates, a person meets every one of them once, in an order
that only the seed tells.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

DAY_BEGINS: Final = timedelta(hours=4)
_FRIDAY: Final = 4
_WORKING: Final = 5


@dataclass(frozen=True, slots=True)
class Era:
    """From `first_day` on, up to the next era, these candidates take turns. Ids in any order."""

    first_day: date
    candidate_ids: tuple[int, ...]


def working_day(at: datetime, zone: ZoneInfo) -> date:
    """Return the working day that an instant belongs to."""
    # Local wall-clock time: on the days that clocks change, 04:00 is still 04:00.
    day = (at.astimezone(zone).replace(tzinfo=None) - DAY_BEGINS).date()
    return day - timedelta(days=max(0, day.weekday() - _FRIDAY))


def next_working_day(day: date) -> date:
    """Return the working day after a date."""
    return day + timedelta(days=7 - day.weekday() if day.weekday() >= _FRIDAY else 1)


def working_days_between(first: date, day: date) -> int:
    """Return how many working days lie in [first, day); 0 where `day` is not after `first`."""
    if day <= first:
        return 0
    weeks, rest = divmod((day - first).days, 7)
    return weeks * _WORKING + sum((first.weekday() + n) % 7 < _WORKING for n in range(rest))


def era_of(eras: Sequence[Era], day: date) -> Era | None:
    """Return the era that a working day lies in; None before the first."""
    begun = [era for era in eras if era.first_day <= day]
    return max(begun, key=lambda era: era.first_day) if begun else None


def assigned(eras: Sequence[Era], *, seed: str, person_id: int, day: date) -> int | None:
    """Return the candidate that a person meets on a working day; None where nobody rotates."""
    order = order_of(eras, seed=seed, person_id=person_id, day=day)
    return order[0] if order else None


def order_of(eras: Sequence[Era], *, seed: str, person_id: int, day: date) -> tuple[int, ...]:
    """Return all candidates of a working day: first the one assigned, then who stands in for it."""
    era = era_of(eras, day)
    if era is None or not era.candidate_ids:
        return ()
    count = len(era.candidate_ids)
    block, place = divmod(working_days_between(era.first_day, day), count)
    turns = _shuffled(era, f"{person_id}:{era.first_day}:{block}", seed)
    return turns[place:] + turns[:place]


def _shuffled(era: Era, salt: str, seed: str) -> tuple[int, ...]:
    def lot(candidate_id: int) -> bytes:
        drawn = f"{salt}:{candidate_id}".encode()
        return hmac.digest(seed.encode(), drawn, "sha256")

    return tuple(sorted(era.candidate_ids, key=lot))
