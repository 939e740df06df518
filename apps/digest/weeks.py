"""Weeks of a zone: from Monday to Sunday, whatever its clocks do in between. Pure.

A week is named by its Monday.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from apps.core.periods import DAY, Period, day_of, period_of_days

WEEK: Final = timedelta(days=7)
# When people begin to read, and long after the last call of Sunday has been counted.
SENT_AT: Final = time(7)


def monday_of(day: date) -> date:
    """Return the Monday of the week that holds a day."""
    return day - day.weekday() * DAY


def last_week(*, now: datetime, zone: ZoneInfo) -> date:
    """Return the last week that is over in a zone."""
    return monday_of(day_of(now, zone)) - WEEK


def week_period(week: date, zone: ZoneInfo) -> Period:
    """Return the period of a week in a zone: 167, 168 or 169 hours."""
    return period_of_days(week, week + 6 * DAY, zone)


def due_at(week: date, zone: ZoneInfo) -> datetime:
    """Return when a week's summary goes out: on the Monday after it, in the morning."""
    return datetime.combine(week + WEEK, SENT_AT, tzinfo=zone).astimezone(UTC)


def days_in_words(week: date) -> str:
    """Say a week's days to people, months and years only as often as they are needed."""
    last = week + 6 * DAY
    if week.year != last.year:
        return f"{week.day} {week:%B %Y} to {last.day} {last:%B %Y}"
    if week.month != last.month:
        return f"{week.day} {week:%B} to {last.day} {last:%B %Y}"
    return f"{week.day} to {last.day} {last:%B %Y}"
