from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from apps.digest.weeks import days_in_words, due_at, last_week, monday_of, week_period

BERLIN, AUCKLAND, LOS_ANGELES = (
    ZoneInfo(name) for name in ("Europe/Berlin", "Pacific/Auckland", "America/Los_Angeles")
)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize("day", range(16, 23))
def test_every_day_of_a_week_has_the_same_monday(day):
    assert monday_of(date(2026, 11, day)) == date(2026, 11, 16)


@pytest.mark.parametrize(
    ("now", "zone", "week"),
    [
        # Berlin is an hour ahead: its Monday begins on Sunday at 23:00 UTC.
        (datetime(2026, 11, 22, 22, 59, tzinfo=UTC), BERLIN, date(2026, 11, 9)),
        (datetime(2026, 11, 22, 23, 0, tzinfo=UTC), BERLIN, date(2026, 11, 16)),
        (datetime(2026, 11, 22, 10, 59, tzinfo=UTC), AUCKLAND, date(2026, 11, 9)),
        (datetime(2026, 11, 22, 11, 0, tzinfo=UTC), AUCKLAND, date(2026, 11, 16)),
        (datetime(2026, 11, 23, 7, 59, tzinfo=UTC), LOS_ANGELES, date(2026, 11, 9)),
        (datetime(2026, 11, 23, 8, 0, tzinfo=UTC), LOS_ANGELES, date(2026, 11, 16)),
    ],
)
def test_a_week_is_over_when_it_is_over_in_the_pilots_zone(now, zone, week):
    assert last_week(now=now, zone=zone) == week


@pytest.mark.parametrize(
    ("week", "hours"),
    [(date(2026, 10, 12), 168), (date(2026, 10, 19), 169), (date(2026, 3, 23), 167)],
)
def test_a_week_has_the_hours_that_its_clocks_give_it(week, hours):
    period = week_period(week, BERLIN)

    assert period.length == hours * HOUR
    assert period.end == week_period(week + timedelta(days=7), BERLIN).start


@pytest.mark.parametrize(
    ("week", "due"),
    [
        (date(2026, 11, 16), datetime(2026, 11, 23, 6, tzinfo=UTC)),  # 07:00 in winter
        (date(2026, 10, 19), datetime(2026, 10, 26, 6, tzinfo=UTC)),  # the clocks went back
        (date(2026, 10, 12), datetime(2026, 10, 19, 5, tzinfo=UTC)),  # 07:00 in summer
    ],
)
def test_a_summary_is_due_on_monday_morning_by_the_clock_on_the_wall(week, due):
    assert due_at(week, BERLIN) == due


@pytest.mark.parametrize(
    ("week", "words"),
    [
        (date(2026, 11, 16), "16 to 22 November 2026"),
        (date(2026, 11, 30), "30 November to 6 December 2026"),
        (date(2026, 12, 28), "28 December 2026 to 3 January 2027"),
    ],
)
def test_days_are_said_without_repeating(week, words):
    assert days_in_words(week) == words
