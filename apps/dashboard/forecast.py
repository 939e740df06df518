"""What a pilot will have cost at its end, if it goes on as it does. Pure.

Working days and weekends are averaged apart, over the last complete days. The range is the 95 %
prediction interval of a sum of m days after n observed ones: m·s² for the days themselves, and
m²·s²/n because their mean is not known better.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from math import sqrt
from statistics import fmean, variance
from typing import Final

LEAST_DAYS: Final = 3
LOOKED_BACK: Final = 14
Z_95: Final = 1.959964


@dataclass(frozen=True, slots=True)
class Forecast:
    """What will have been spent by the end of a day, in USD."""

    day: date
    low_usd: Decimal
    mid_usd: Decimal
    high_usd: Decimal


def forecast(spent: Mapping[date, Decimal], *, today: date, last: date) -> list[Forecast]:
    """Return the running total for today and every day to come; empty with too few whole days.

    `spent` holds every day of the pilot up to today; today is not over, so it is forecast too.
    """
    whole = [day for day in sorted(spent) if day < today][-LOOKED_BACK:]
    if len(whole) < LEAST_DAYS or last < today:
        return []
    seen = {day: float(spent[day]) for day in whole}
    so_far = float(sum(amount for day, amount in spent.items() if day < today))
    floor = so_far + float(spent.get(today, Decimal(0)))
    found = []
    ahead = {True: 0, False: 0}
    kinds = _kinds(seen)
    for ordinal in range(today.toordinal(), last.toordinal() + 1):
        day = date.fromordinal(ordinal)
        ahead[_is_weekend(day) if len(kinds) == 2 else False] += 1
        mid = so_far + sum(ahead[kind] * fmean(days) for kind, days in kinds.items())
        half = Z_95 * sqrt(sum(_spread(ahead[kind], days) for kind, days in kinds.items()))
        bounds = (max(floor, value) for value in (mid - half, mid, mid + half))
        found.append(Forecast(day, *(Decimal(f"{value:.6f}") for value in bounds)))
    return found


def _is_weekend(day: date) -> bool:
    return day.weekday() >= 5


def _kinds(seen: Mapping[date, float]) -> dict[bool, list[float]]:
    """The observed weekends and other days; all as one kind where there are too few of either."""
    kinds: dict[bool, list[float]] = {True: [], False: []}
    for day, amount in seen.items():
        kinds[_is_weekend(day)].append(amount)
    if min(len(days) for days in kinds.values()) >= 2:
        return kinds
    return {False: list(seen.values())}


def _spread(ahead: int, days: Sequence[float]) -> float:
    return variance(days) * (ahead + ahead**2 / len(days))
