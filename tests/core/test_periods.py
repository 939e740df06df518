from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.periods import (
    QUARTER,
    Period,
    day_of,
    floor_quarter,
    last_days,
    period_of_days,
    quarters,
    start_of_day,
)
from tests.factories import NOON

BERLIN = ZoneInfo("Europe/Berlin")
HOUR = timedelta(hours=1)
INSTANTS = st.integers(0, 9 * 365 * 86_400).map(lambda s: NOON + timedelta(seconds=s))
ZONES = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"]
).map(ZoneInfo)


def test_a_period_has_a_length_and_one_before_it():
    period = Period(NOON, NOON + HOUR)

    assert (period.length, period.before()) == (HOUR, Period(NOON - HOUR, NOON))


@pytest.mark.parametrize(
    ("start", "end", "problem"),
    [
        (NOON, NOON - HOUR, "ends after"),
        (NOON.replace(tzinfo=None), NOON, "aware"),
        (NOON, NOON.replace(tzinfo=None), "aware"),
    ],
)
def test_what_is_no_period_is_refused(start, end, problem):
    with pytest.raises(ValueError, match=problem):
        Period(start, end)


def test_a_period_may_be_empty():
    assert Period(NOON, NOON).length == timedelta(0)


@pytest.mark.parametrize(
    ("start", "end", "first", "last"),
    [
        (-2, 4, 0, 2),  # wider
        (0, 2, 0, 2),
        (0.5, 1, 0.5, 1),  # inside
        (-1, 1, 0, 1),
        (1, 9, 1, 2),
        (-3, -1, 0, 0),  # apart: empty
        (5, 6, 2, 2),
    ],
)
def test_a_period_is_clipped_to_what_it_shares(start, end, first, last):
    period = Period(NOON, NOON + 2 * HOUR)

    clipped = period.clipped(NOON + start * HOUR, NOON + end * HOUR)

    if first == last:
        assert clipped.length == timedelta(0)
    else:
        assert clipped == Period(NOON + first * HOUR, NOON + last * HOUR)


@pytest.mark.parametrize(
    ("at", "start"),
    [
        (NOON, NOON),
        (NOON + QUARTER - timedelta(microseconds=1), NOON),
        (NOON + QUARTER, NOON + QUARTER),
        # 13:05 at an offset of 5:45 is 7:20 of UTC
        (
            datetime(2026, 11, 18, 13, 5, tzinfo=timezone(timedelta(hours=5, minutes=45))),
            datetime(2026, 11, 18, 7, 15, tzinfo=UTC),
        ),
    ],
)
def test_an_instant_lies_in_a_quarter_hour_of_utc(at, start):
    assert floor_quarter(at) == start
    assert floor_quarter(at).tzinfo is UTC


@pytest.mark.parametrize(
    ("minutes", "count"), [((0, 15), 1), ((0, 16), 2), ((14, 15), 1), ((14, 16), 2), ((0, 0), 0)]
)
def test_quarter_hours_of_a_period_are_those_it_shares_time_with(minutes, count):
    start, end = (NOON + timedelta(minutes=minute) for minute in minutes)

    assert list(quarters(Period(start, end))) == [NOON + QUARTER * n for n in range(count)]


@pytest.mark.parametrize(
    ("day", "start", "hours"),
    [
        (date(2026, 10, 25), datetime(2026, 10, 24, 22, tzinfo=UTC), 25),
        (date(2026, 3, 29), datetime(2026, 3, 28, 23, tzinfo=UTC), 23),
        (date(2026, 11, 18), datetime(2026, 11, 17, 23, tzinfo=UTC), 24),
    ],
)
def test_days_of_a_zone_are_as_long_as_its_clocks_make_them(day, start, hours):
    assert start_of_day(day, BERLIN) == start
    assert period_of_days(day, day, BERLIN) == Period(start, start + hours * HOUR)


@given(INSTANTS, ZONES)
def test_every_instant_lies_in_its_day(at, zone):
    day = day_of(at, zone)

    period = period_of_days(day, day, zone)

    assert period.start <= at < period.end
    # A day's bounds are bounds of quarter-hours: its sums are sums of theirs.
    assert floor_quarter(period.start) == period.start


def test_the_last_days_end_with_today():
    late = datetime(2026, 11, 18, 23, 30, tzinfo=UTC)  # the 19th in Berlin

    assert last_days(1, now=late, zone=BERLIN) == period_of_days(
        date(2026, 11, 19), date(2026, 11, 19), BERLIN
    )
    assert last_days(7, now=late, zone=BERLIN) == period_of_days(
        date(2026, 11, 13), date(2026, 11, 19), BERLIN
    )
