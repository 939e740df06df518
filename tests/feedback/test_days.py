from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.periods import Period
from apps.core.rotation import working_day
from apps.feedback.days import (
    clock_day,
    day_period,
    hour_has_come,
    is_weekend,
    week_in_view,
    week_period,
)

BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "start", "end"),
    [
        (date(2026, 11, 18), utc(2026, 11, 18, 3), utc(2026, 11, 19, 3)),
        # Saturday and Sunday belong to Friday.
        (date(2026, 11, 20), utc(2026, 11, 20, 3), utc(2026, 11, 23, 3)),
        # Clocks go back in the night to Sunday, 25 October: that Friday is an hour longer.
        (date(2026, 10, 23), utc(2026, 10, 23, 2), utc(2026, 10, 26, 3)),
    ],
)
def test_working_day_has_its_time(day, start, end):
    assert day_period(day, BERLIN) == Period(start, end)


TWO_YEARS = (utc(2026, 1, 1).replace(tzinfo=None), utc(2027, 12, 31).replace(tzinfo=None))


@given(st.datetimes(*TWO_YEARS, timezones=st.just(UTC)))
def test_every_instant_lies_in_the_time_of_its_working_day(at):
    period = day_period(working_day(at, NEW_YORK), NEW_YORK)

    assert period.start <= at < period.end


@pytest.mark.parametrize(
    ("hour", "now", "has_come"),
    [
        (16, utc(2026, 11, 18, 14, 59), False),  # 15:59 in Berlin
        (16, utc(2026, 11, 18, 15), True),
        (16, utc(2026, 11, 19, 2, 59), True),  # 03:59: still Wednesday
        (16, utc(2026, 11, 19, 3), False),
        (4, utc(2026, 11, 18, 3), True),
        (1, utc(2026, 11, 18, 23, 59), False),  # 00:59
        (1, utc(2026, 11, 19, 0), True),
    ],
)
def test_hour_of_a_day_comes_once(hour, now, has_come):
    assert hour_has_come(hour, now=now, zone=BERLIN) is has_come


def test_day_of_the_clock_begins_at_four_on_weekends_too():
    saturday = utc(2026, 11, 21, 3)

    assert clock_day(saturday, BERLIN) == date(2026, 11, 21)
    assert clock_day(saturday - timedelta(seconds=1), BERLIN) == date(2026, 11, 20)
    assert [is_weekend(date(2026, 11, day)) for day in (20, 21, 22, 23)] == [
        False,
        True,
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("now", "week"),
    [
        (utc(2026, 11, 19, 2, 59), date(2026, 11, 9)),  # Wednesday night
        (utc(2026, 11, 19, 3), date(2026, 11, 16)),  # Thursday, 04:00
        (utc(2026, 11, 22, 12), date(2026, 11, 16)),  # Sunday
        (utc(2026, 11, 25, 12), date(2026, 11, 16)),  # Wednesday after
        (utc(2026, 11, 26, 3), date(2026, 11, 23)),
    ],
)
def test_week_is_spoken_of_from_its_thursday_to_the_next_one(now, week):
    assert week_in_view(now, BERLIN) == week


def test_week_begins_on_monday_at_four():
    assert week_period(date(2026, 10, 19), BERLIN) == Period(
        utc(2026, 10, 19, 2), utc(2026, 10, 26, 3)
    )
