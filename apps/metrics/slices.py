"""Which derived rows add up to a period: whole days of the site's zone, quarter-hours at the edges.

Days of another zone than the site's begin within a day of ours; the quarters make them exact. Pure.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from apps.core.periods import DAY, QUARTER, Period, day_of, floor_quarter, start_of_day


@dataclass(frozen=True, slots=True)
class Slices:
    """Days from `first_day` up to, not including, `end_day`, and the quarter-hours beside them."""

    first_day: date
    end_day: date
    edges: tuple[Period, ...]

    @property
    def has_days(self) -> bool:
        return self.first_day < self.end_day


def slices_of(period: Period, site_zone: ZoneInfo) -> Slices:
    """Cut a period; one that does not begin and end on a quarter-hour is widened to those."""
    period = Period(floor_quarter(period.start), _ceil_quarter(period))
    first = day_of(period.start, site_zone)
    if start_of_day(first, site_zone) < period.start:
        first += DAY
    end = day_of(period.end, site_zone)
    if first >= end:
        return Slices(first, first, (period,) if period.length else ())
    edges = (
        Period(period.start, start_of_day(first, site_zone)),
        Period(start_of_day(end, site_zone), period.end),
    )
    return Slices(first, end, tuple(edge for edge in edges if edge.length))


def _ceil_quarter(period: Period) -> datetime:
    floor = floor_quarter(period.end)
    return floor if floor == period.end else floor + QUARTER


def are_the_same_days(period: Period, zone: ZoneInfo, site_zone: ZoneInfo) -> bool:
    """Tell whether the days of two zones begin together throughout a period."""
    if zone.key == site_zone.key:
        return True
    return all(
        start_of_day(day, zone) == start_of_day(day, site_zone) for day in days_of(period, zone)
    )


def days_of(period: Period, zone: ZoneInfo) -> Iterator[date]:
    """Yield the days of a zone that share time with a period."""
    day = day_of(period.start, zone)
    while start_of_day(day, zone) < period.end:
        yield day
        day += DAY
