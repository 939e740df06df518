from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.periods import DAY, QUARTER, Period, period_of_days, quarters, start_of_day
from apps.metrics.slices import Slices, are_the_same_days, days_of, slices_of

UTC_ZONE = ZoneInfo("UTC")
BERLIN = ZoneInfo("Europe/Berlin")


def at(day, hour=0, minute=0):
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        # Whole days need no quarter-hours.
        (at(2), at(5), Slices(date(2026, 11, 2), date(2026, 11, 5), ())),
        # What sticks out at either side does.
        (
            at(2, 22),
            at(5, 6),
            Slices(
                date(2026, 11, 3),
                date(2026, 11, 5),
                (Period(at(2, 22), at(3)), Period(at(5), at(5, 6))),
            ),
        ),
        # No whole day lies within.
        (
            at(2, 10),
            at(3, 9),
            Slices(date(2026, 11, 3), date(2026, 11, 3), (Period(at(2, 10), at(3, 9)),)),
        ),
        # Widened to quarter-hours, or their calls would be lost.
        (
            at(2, 10, 7),
            at(2, 10, 20),
            Slices(date(2026, 11, 3), date(2026, 11, 3), (Period(at(2, 10), at(2, 10, 30)),)),
        ),
        (at(2), at(2), Slices(date(2026, 11, 2), date(2026, 11, 2), ())),
    ],
)
def test_a_period_is_days_and_the_quarters_beside_them(start, end, expected):
    assert slices_of(Period(start, end), UTC_ZONE) == expected


@given(
    start=st.integers(0, 5000),
    length=st.integers(0, 1000),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kathmandu", "America/New_York"]),
)
def test_slices_hold_every_quarter_of_a_period_once(start, length, zone):
    # Across the days on which clocks change.
    begin = datetime(2026, 10, 20, tzinfo=UTC) + start * QUARTER
    period = Period(begin, begin + length * QUARTER)
    site = ZoneInfo(zone)

    cut = slices_of(period, site)

    found = [quarter for edge in cut.edges for quarter in quarters(edge)]
    if cut.has_days:
        last = cut.end_day - DAY
        found += quarters(period_of_days(cut.first_day, last, site))
    assert sorted(found) == list(quarters(period))


def test_days_of_two_zones_are_the_same_only_where_they_begin_together():
    summer = Period(datetime(2026, 7, 1, tzinfo=UTC), datetime(2026, 7, 8, tzinfo=UTC))

    assert are_the_same_days(summer, BERLIN, ZoneInfo("Europe/Paris"))
    assert not are_the_same_days(summer, BERLIN, UTC_ZONE)


def test_days_of_a_period_are_those_that_share_time_with_it():
    period = Period(start_of_day(date(2026, 10, 24), BERLIN), at(2, 12))

    assert list(days_of(period, BERLIN)) == [date(2026, 10, 24) + n * DAY for n in range(10)]
