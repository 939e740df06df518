"""Working days as spans of time. Pure; see core/rotation.py for which day an instant belongs to."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from apps.core.periods import DAY, Period
from apps.core.rotation import DAY_BEGINS, next_working_day

_WEEKEND: Final = 5
_THREE_DAYS: Final = 3 * DAY


def day_period(day: date, zone: ZoneInfo) -> Period:
    """Return the time that belongs to a working day: Friday's goes on until Monday at 04:00."""
    return Period(begins_at(day, zone), begins_at(next_working_day(day), zone))


def begins_at(day: date, zone: ZoneInfo) -> datetime:
    """Return in UTC when a day begins: at 04:00 by the zone's clocks."""
    return (datetime.combine(day, time(), tzinfo=zone) + DAY_BEGINS).astimezone(UTC)


def clock_day(now: datetime, zone: ZoneInfo) -> date:
    """Return the day that it is, from 04:00 on, weekends included."""
    return (now.astimezone(zone).replace(tzinfo=None) - DAY_BEGINS).date()


def is_weekend(day: date) -> bool:
    return day.weekday() >= _WEEKEND


def hour_has_come(hour: int, *, now: datetime, zone: ZoneInfo) -> bool:
    """Tell whether it is `hour` o'clock or later on the day that it is.

    Hours before four are those after midnight, at the end of the day.
    """
    day = clock_day(now, zone)
    if timedelta(hours=hour) < DAY_BEGINS:
        day += DAY
    return now.astimezone(zone).replace(tzinfo=None) >= datetime.combine(day, time(hour))


def monday_of(day: date) -> date:
    return day - day.weekday() * DAY


def week_in_view(now: datetime, zone: ZoneInfo) -> date:
    """Return the Monday of the week that one may speak of: from its Thursday to the next one's."""
    return monday_of(clock_day(now, zone) - _THREE_DAYS)


def week_period(week: date, zone: ZoneInfo) -> Period:
    """Return the time of a week, from Monday at 04:00 to the next one's."""
    return Period(begins_at(week, zone), begins_at(week + 7 * DAY, zone))
