"""Spans of time: half-open, in UTC, cut into quarter-hours and into days of a zone."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

QUARTER = timedelta(minutes=15)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Period:
    """From `start` up to, not including, `end`; both aware and in UTC."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("a period needs aware datetimes")
        if self.end < self.start:
            raise ValueError("a period ends after it starts")

    @property
    def length(self) -> timedelta:
        return self.end - self.start

    def before(self) -> "Period":
        """The period of the same length that ends where this one starts."""
        return Period(self.start - self.length, self.start)

    def clipped(self, start: datetime, end: datetime) -> "Period":
        """The part of it inside [start, end); empty where there is none."""
        first = min(max(self.start, start), max(start, end))
        return Period(first, max(first, min(self.end, end)))


def floor_quarter(at: datetime) -> datetime:
    """Return the start of the quarter-hour that holds the instant."""
    at = at.astimezone(UTC)
    return at.replace(minute=at.minute // 15 * 15, second=0, microsecond=0)


def quarters(period: Period) -> Iterator[datetime]:
    """Yield the start of every quarter-hour that shares time with the period."""
    quarter = floor_quarter(period.start)
    while quarter < period.end:
        yield quarter
        quarter += QUARTER


def start_of_day(day: date, zone: ZoneInfo) -> datetime:
    """Return in UTC when a day begins in a zone; 23- and 25-hour days come out right."""
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)


def day_of(at: datetime, zone: ZoneInfo) -> date:
    """Return the calendar day of an instant in a zone."""
    return at.astimezone(zone).date()


def period_of_days(first: date, last: date, zone: ZoneInfo) -> Period:
    """Return the period from the start of one day to the end of another, both included."""
    return Period(start_of_day(first, zone), start_of_day(last + DAY, zone))


def last_days(count: int, *, now: datetime, zone: ZoneInfo) -> Period:
    """Return today and the days before it, `count` in all, in a zone."""
    today = day_of(now, zone)
    return period_of_days(today - (count - 1) * DAY, today, zone)
