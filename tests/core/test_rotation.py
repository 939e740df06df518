"""Whose turn it is: balanced for everybody, the same each time, changing at 04:00 of a workday."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from apps.core.rotation import (
    Era,
    assigned,
    era_of,
    next_working_day,
    order_of,
    working_day,
    working_days_between,
)

DAY = timedelta(days=1)
MONDAY = date(2026, 3, 2)
SEED = "a seed"
BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
DAYS = st.dates(date(2020, 1, 1), date(2035, 12, 31))
ARMS = st.lists(st.integers(1, 999), min_size=1, max_size=6, unique=True).map(tuple)
PEOPLE = range(1, 21)


def working_days(first: date, count: int) -> list[date]:
    days = [first]
    while len(days) < count:
        days.append(next_working_day(days[-1]))
    return days


def turns(arms, *, person, days, seed=SEED, first_day=MONDAY):
    eras = (Era(first_day, arms),)
    return [assigned(eras, seed=seed, person_id=person, day=day) for day in days]


@pytest.mark.parametrize("count", [2, 3, 4, 5])
def test_over_thirty_days_twenty_people_meet_every_candidate_equally_often(count):
    arms = tuple(range(11, 11 + count))
    days = working_days(MONDAY, 30)

    for person in PEOPLE:
        met = Counter(turns(arms, person=person, days=days))
        assert set(met) == set(arms)
        assert max(met.values()) - min(met.values()) <= 1


@pytest.mark.parametrize("count", [2, 3, 4, 5])
def test_in_every_block_a_person_meets_each_candidate_once(count):
    arms = tuple(range(11, 11 + count))
    days = working_days(MONDAY, 6 * count)

    for person in PEOPLE:
        met = turns(arms, person=person, days=days)
        blocks = [met[start : start + count] for start in range(0, len(met), count)]
        assert [sorted(block) for block in blocks] == [list(arms)] * 6


def test_people_and_blocks_have_orders_of_their_own():
    days = working_days(MONDAY, 30)
    whole = {tuple(turns((11, 12, 13), person=person, days=days)) for person in PEOPLE}
    first = Counter(turns((11, 12, 13), person=n, days=[MONDAY])[0] for n in range(3_000))
    blocks = {tuple(turns((11, 12, 13), person=1, days=days)[n : n + 3]) for n in range(0, 30, 3)}

    assert len(whole) == 20
    # Whoever begins is anybody: 3,000 draws stay within five standard deviations of a third.
    assert all(abs(count - 1_000) < 130 for count in first.values())
    assert len(blocks) > 3


def test_the_order_is_the_same_for_good():
    """Golden values: recorded calls are analysed by them, so that a change would falsify trials."""
    days = working_days(MONDAY, 9)

    assert turns((11, 12, 13), person=1, days=days) == [12, 13, 11, 12, 11, 13, 12, 11, 13]
    assert turns((11, 12, 13), person=2, days=days) == [11, 12, 13, 13, 11, 12, 11, 13, 12]
    assert turns((11, 12, 13), person=1, days=days, seed="another") == [
        12,
        13,
        11,
        12,
        11,
        13,
        13,
        12,
        11,
    ]
    assert turns((13, 11, 12), person=1, days=days) == [12, 13, 11, 12, 11, 13, 12, 11, 13]


@given(arms=ARMS, person=st.integers(1, 10**9), first=DAYS, later=st.integers(0, 2_000))
def test_an_order_holds_everybody_once_and_begins_with_whose_turn_it_is(arms, person, first, later):
    eras = (Era(first, arms),)
    asked = {"seed": SEED, "person_id": person, "day": first + later * DAY}

    order = order_of(eras, **asked)

    assert sorted(order) == sorted(arms)
    assert assigned(eras, **asked) == order[0]
    assert order_of((Era(first, arms[::-1]),), **asked) == order


@given(arms=ARMS, first=DAYS, days=st.integers(1, 200), person=st.integers(1, 99))
def test_after_any_number_of_days_nobody_is_ahead_by_more_than_one(arms, first, days, person):
    assume(first.weekday() < 5)

    met = Counter(turns(arms, person=person, days=working_days(first, days), first_day=first))

    counts = [met[arm] for arm in arms]
    assert max(counts) - min(counts) <= 1
    assert sum(counts) == days


class TestEras:
    ERAS = (
        Era(date(2026, 3, 9), (11, 12)),
        Era(MONDAY, (11, 12, 13)),
        Era(date(2026, 3, 16), ()),
        Era(date(2026, 3, 18), (14,)),
    )

    @pytest.mark.parametrize(
        ("day", "arms"),
        [
            (MONDAY - DAY, None),
            (MONDAY, (11, 12, 13)),
            (date(2026, 3, 6), (11, 12, 13)),
            (date(2026, 3, 9), (11, 12)),
            (date(2026, 3, 16), ()),
            (date(2026, 3, 17), ()),
            (date(2026, 3, 18), (14,)),
            (date(2027, 3, 18), (14,)),
        ],
    )
    def test_the_last_that_has_begun_holds(self, day, arms):
        era = era_of(self.ERAS, day)
        order = order_of(self.ERAS, seed=SEED, person_id=1, day=day)

        assert (None if era is None else era.candidate_ids) == arms
        assert sorted(order) == list(arms or ())
        assert assigned(self.ERAS, seed=SEED, person_id=1, day=day) == next(iter(order), None)

    def test_balance_begins_anew_with_each(self):
        eras = (Era(MONDAY, (11, 12, 13)), Era(date(2026, 3, 12), (11, 13)))
        days = working_days(date(2026, 3, 12), 20)

        for person in PEOPLE:
            met = Counter(assigned(eras, seed=SEED, person_id=person, day=day) for day in days)
            assert met == {11: 10, 13: 10}

    def test_what_was_before_an_era_and_what_comes_after_it_change_nothing_in_it(self):
        days = working_days(date(2026, 3, 9), 5)
        alone = [order_of(self.ERAS[:1], seed=SEED, person_id=1, day=day) for day in days]

        assert [order_of(self.ERAS, seed=SEED, person_id=1, day=day) for day in days] == alone


@pytest.mark.parametrize(
    ("at", "zone", "day"),
    [
        # It begins at 04:00 by the clock on the wall.
        (datetime(2026, 3, 10, 2, 59, 59, tzinfo=UTC), BERLIN, date(2026, 3, 9)),
        (datetime(2026, 3, 10, 3, tzinfo=UTC), BERLIN, date(2026, 3, 10)),
        (datetime(2026, 3, 10, 7, 59, 59, tzinfo=UTC), NEW_YORK, date(2026, 3, 9)),
        (datetime(2026, 3, 10, 8, tzinfo=UTC), NEW_YORK, date(2026, 3, 10)),
        # Summer time began in the night to Sunday; Monday begins an hour of UTC earlier.
        (datetime(2026, 3, 27, 3, tzinfo=UTC), BERLIN, date(2026, 3, 27)),
        (datetime(2026, 3, 27, 2, 59, 59, tzinfo=UTC), BERLIN, date(2026, 3, 26)),
        (datetime(2026, 3, 30, 1, 59, 59, tzinfo=UTC), BERLIN, date(2026, 3, 27)),
        (datetime(2026, 3, 30, 2, tzinfo=UTC), BERLIN, date(2026, 3, 30)),
        # It ended in the night to Sunday, 25 October.
        (datetime(2026, 10, 26, 2, 59, 59, tzinfo=UTC), BERLIN, date(2026, 10, 23)),
        (datetime(2026, 10, 26, 3, tzinfo=UTC), BERLIN, date(2026, 10, 26)),
        # Clocks that change on a working day: Cairo goes forward in the night to Friday, 24 April.
        (datetime(2026, 4, 24, 0, 59, tzinfo=UTC), ZoneInfo("Africa/Cairo"), date(2026, 4, 23)),
        (datetime(2026, 4, 24, 1, tzinfo=UTC), ZoneInfo("Africa/Cairo"), date(2026, 4, 24)),
        # Quarters of an hour, and far from UTC.
        (datetime(2026, 3, 9, 22, 14, tzinfo=UTC), ZoneInfo("Asia/Kathmandu"), date(2026, 3, 9)),
        (datetime(2026, 3, 9, 22, 15, tzinfo=UTC), ZoneInfo("Asia/Kathmandu"), date(2026, 3, 10)),
        (datetime(2026, 3, 9, 14, tzinfo=UTC), ZoneInfo("Pacific/Kiritimati"), date(2026, 3, 10)),
        # Saturday and Sunday belong to Friday.
        (datetime(2026, 3, 14, 12, tzinfo=UTC), BERLIN, date(2026, 3, 13)),
        (datetime(2026, 3, 15, 23, 59, tzinfo=UTC), BERLIN, date(2026, 3, 13)),
        (datetime(2026, 3, 16, 2, 59, tzinfo=UTC), BERLIN, date(2026, 3, 13)),
        (datetime(2026, 3, 16, 3, 0, tzinfo=UTC), BERLIN, date(2026, 3, 16)),
    ],
)
def test_a_working_day_begins_at_four_in_the_pilots_zone(at, zone, day):
    assert working_day(at, zone) == day


@given(
    at=st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    zone=st.sampled_from(
        ["UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Pacific/Apia"]
    ),
)
def test_a_working_day_is_one_and_days_do_not_run_backwards(at, zone):
    zone = ZoneInfo(zone)

    day = working_day(at, zone)

    assert day.weekday() < 5
    assert timedelta(0) <= at.astimezone(zone).date() - day <= 3 * DAY
    assert working_day(at + timedelta(minutes=1), zone) in (day, next_working_day(day))


@pytest.mark.parametrize(
    ("first", "day", "count"),
    [
        (MONDAY, MONDAY, 0),
        (MONDAY, MONDAY - 5 * DAY, 0),
        (MONDAY, MONDAY + DAY, 1),
        (MONDAY, MONDAY + 4 * DAY, 4),
        (MONDAY, MONDAY + 5 * DAY, 5),
        (MONDAY, MONDAY + 7 * DAY, 5),
        (MONDAY + 4 * DAY, MONDAY + 7 * DAY, 1),
        (MONDAY + 5 * DAY, MONDAY + 7 * DAY, 0),
        (MONDAY, MONDAY + 364 * DAY, 260),
    ],
)
def test_working_days_between(first, day, count):
    assert working_days_between(first, day) == count


@given(first=DAYS, length=st.integers(0, 400))
def test_working_days_are_counted_as_one_would_by_hand(first, length):
    days = [first + n * DAY for n in range(length)]

    assert working_days_between(first, first + length * DAY) == sum(
        day.weekday() < 5 for day in days
    )


@given(DAYS)
def test_the_next_working_day_is_the_first_after(day):
    following = next_working_day(day)

    assert following == next(later for n in range(1, 4) if (later := day + n * DAY).weekday() < 5)
