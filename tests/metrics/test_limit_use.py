"""What is spent of limits on money, and what leads are told of those that are used up."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from apps.core.periods import Period
from apps.metrics.limit_use import budget_spent, present_period, spent_by_subject, used_up
from apps.metrics.readers import Reader
from apps.usage.ingest import store_records
from tests.factories import (
    NOON,
    make_candidate,
    make_enrollment,
    make_key,
    make_limit,
    make_pilot,
    make_price,
    make_record,
    make_trial,
)
from tests.metrics.derived import make_hosted, make_usage

pytestmark = pytest.mark.django_db
TODAY = NOON.date()
EVERYONE, GROUPS = Reader(0), Reader(5)


@pytest.fixture
def pilot():
    return make_pilot(starts_on=date(2026, 10, 5), zone="UTC")


def told(pilot, reader=EVERYONE):
    return used_up(pilot, reader=reader, now=NOON)


@pytest.mark.parametrize(
    ("period", "zone", "begins", "ends"),
    [
        ("day", "UTC", "2026-11-18T00:00Z", "2026-11-19T00:00Z"),
        ("day", "Pacific/Auckland", "2026-11-18T11:00Z", "2026-11-19T11:00Z"),
        ("month", "Europe/Berlin", "2026-10-31T23:00Z", "2026-11-18T23:00Z"),
        ("pilot", "Europe/Berlin", "2026-11-01T23:00Z", "2026-11-29T23:00Z"),
    ],
)
def test_periods_are_those_of_the_pilots_zone(period, zone, begins, ends):
    found = present_period(make_pilot(zone=zone), period, now=NOON)

    assert found == Period(NOON.fromisoformat(begins), NOON.fromisoformat(ends))


def test_spending_is_told_by_what_a_limit_names(pilot):
    first, second = make_candidate(), make_candidate()
    make_usage(pilot, first, TODAY, person=1, token_usd=1, hosting_usd=50)
    make_usage(pilot, first, TODAY - timedelta(days=1), person=2, token_usd=2)
    make_usage(pilot, second, TODAY, person=2, token_usd=4)
    make_usage(make_pilot(), second, TODAY, person=2, token_usd=8)
    week = Period(NOON.replace(hour=0) - timedelta(days=6), NOON.replace(hour=0, day=19))

    def usd(scope):
        return {key: spent.usd for key, spent in spent_by_subject(pilot, scope, week).items()}

    assert usd("person") == {1: 1, 2: 6}
    assert usd("candidate") == {first.id: 3, second.id: 4}
    assert usd("pilot") == {pilot.id: 7}


def test_spending_by_key_is_read_from_the_calls(pilot):
    candidate = make_candidate()
    make_price(candidate)

    def call(at=NOON, **fields):
        told = {"pilot_id": pilot.id, "person_id": 7, "candidate_id": candidate.id}
        return make_record(at=at, **told | fields)

    store_records(
        [
            call(key_id=1),
            call(key_id=1),
            call(key_id=2, person_id=8),
            call(key_id=2, source="probe"),
            call(key_id=None),
            call(key_id=3, prompt_tokens=None, completion_tokens=None),
            call(key_id=4, pilot_id=pilot.id + 1),
            call(key_id=4, at=NOON - timedelta(days=1)),
        ]
    )

    found = spent_by_subject(pilot, "key", present_period(pilot, "day", now=NOON))

    assert {key: (spent.usd, spent.callers) for key, spent in found.items()} == {
        1: (Decimal("0.0048"), {7}),
        2: (Decimal("0.0024"), {8}),
        3: (0, {7}),
    }


def test_budget_is_compared_with_everything_the_pilot_cost():
    pilot = make_pilot(budget_usd=10)
    candidate = make_candidate()
    make_usage(pilot, candidate, TODAY, token_usd=4)
    make_hosted(pilot, candidate, TODAY, busy=5, idle=Decimal("0.5"))

    before = told(pilot)
    make_hosted(pilot, make_candidate(), TODAY, idle=Decimal("0.5"))

    assert (before, told(pilot)) == ([], ["Budget of $10.00 is used up: $10.00 is spent."])
    assert budget_spent(pilot, now=NOON) == 10
    # Who has the sum already need not have it read again.
    assert used_up(pilot, reader=GROUPS, now=NOON, spent_usd=Decimal(9)) == []


def test_money_limit_of_the_whole_pilot_takes_the_budgets_place(pilot):
    pilot.budget_usd = 1
    make_limit(pilot, "pilot", usd=3, period="day")
    make_usage(pilot, make_candidate(), TODAY - timedelta(days=1), token_usd=9)
    before = told(pilot)

    make_usage(pilot, make_candidate(), TODAY, token_usd=3)

    assert before == []
    assert told(pilot) == ["The limit of $3.00 a day is used up: calls are refused."]


def test_candidates_limit_is_told_but_not_of_few_people(pilot):
    candidate = make_trial(pilot, make_candidate(name="Qwen")).candidate
    make_limit(pilot, "candidate", candidate=candidate, usd=2, is_hard=False)
    make_limit(pilot, "candidate", candidate=make_candidate(), usd=2)
    for person in range(1, 5):
        make_usage(pilot, candidate, TODAY, person=person, calls=1, token_usd=Decimal("0.5"))

    few, all_of_them = told(pilot, GROUPS), told(pilot)
    make_usage(pilot, candidate, TODAY, person=5, calls=1)

    assert few == []
    assert all_of_them == told(pilot, GROUPS)
    assert all_of_them == ["The limit of $2.00 a month for Qwen is used up: calls go on."]


def test_general_limits_tell_how_many_used_them_up_and_leave_exceptions_out(pilot):
    exception = make_enrollment(pilot)
    make_limit(pilot, "person", usd=2)
    make_limit(pilot, "person", enrollment=exception, usd=1)
    candidate = make_candidate()
    spent = {1000: 2, 1001: 3, 1002: 1, exception.person_id: 9}
    for person, usd in spent.items():
        make_usage(pilot, candidate, TODAY, person=person, calls=1, token_usd=usd)

    assert told(pilot) == ["2 people have used up $2.00 a month: calls are refused."]
    assert told(pilot, GROUPS) == []


def test_one_is_told_as_one(pilot):
    make_limit(pilot, "candidate", usd=1)
    make_usage(pilot, make_candidate(), TODAY, calls=1, token_usd=1)

    assert told(pilot) == ["1 candidate has used up $1.00 a month: calls are refused."]


def test_what_one_person_or_key_used_up_is_told_to_nobody_here(pilot):
    enrollment = make_enrollment(pilot)
    make_limit(pilot, "person", enrollment=enrollment, usd=1)
    make_limit(pilot, "key", key=make_key(enrollment)[0], usd=1)
    make_usage(pilot, make_candidate(), TODAY, person=enrollment.person_id, calls=1, token_usd=9)

    assert told(pilot) == []


def test_a_pilot_without_limits_on_money_costs_one_query(pilot, django_assert_num_queries):
    make_limit(pilot, "key", at_once=10)

    with django_assert_num_queries(1):
        told(pilot)
