from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from apps.core.periods import period_of_days
from apps.metrics.queries_days import DaySpend, days_by_candidate, spending_by_candidate
from tests.factories import make_candidate, make_pilot
from tests.metrics.derived import make_hosted, make_latency, make_usage

pytestmark = pytest.mark.django_db
UTC_ZONE, BERLIN = ZoneInfo("UTC"), ZoneInfo("Europe/Berlin")


def day(number):
    return date(2026, 11, number)


def test_every_day_stands_in_its_place_empty_ones_too():
    pilot, candidate = make_pilot(), make_candidate()
    make_usage(pilot, candidate, day(2), calls=3, token_usd="0.5")
    make_usage(pilot, candidate, day(4), calls=5)
    make_hosted(pilot, candidate, day(4), idle=2)
    make_latency(pilot, candidate, day(4), first=[40])

    days = days_by_candidate(pilot.id, period_of_days(day(2), day(4), UTC_ZONE), UTC_ZONE)

    own = days[candidate.id]
    assert [each.day for each in own] == [day(2), day(3), day(4)]
    assert [each.figures.usage.calls for each in own] == [3, 0, 5]
    assert [each.figures.cost_usd for each in own] == [Decimal("0.5"), 0, 2]
    assert [each.figures.latency.first_ms(0.5) for each in own] == [None, None, 40]


def test_days_of_another_zone_are_made_of_quarter_hours():
    pilot, candidate = make_pilot(), make_candidate()
    # Half past eleven at night in UTC is the next day in Berlin.
    make_usage(pilot, candidate, datetime(2026, 11, 2, 22, 45, tzinfo=UTC), calls=1, token_usd=1)
    make_usage(pilot, candidate, datetime(2026, 11, 2, 23, 0, tzinfo=UTC), calls=2, token_usd=2)
    make_hosted(pilot, candidate, datetime(2026, 11, 3, 23, 0, tzinfo=UTC), idle=9)
    make_usage(pilot, candidate, day(2), calls=100)
    period = period_of_days(day(2), day(3), BERLIN)

    days = days_by_candidate(pilot.id, period, BERLIN)
    spent = spending_by_candidate(pilot.id, period, BERLIN)

    assert [each.figures.usage.calls for each in days[candidate.id]] == [1, 2]
    assert [each.usd for each in spent[candidate.id]] == [1, 2]


def test_spending_is_tokens_and_machines_and_says_what_it_misses():
    pilot, candidate, idle = make_pilot(), make_candidate(), make_candidate()
    make_usage(pilot, candidate, day(2), calls=3, token_usd="0.5", uncosted=1)
    make_usage(pilot, candidate, day(2), calls=3, token_usd="0.25", uncosted=1, person=2)
    make_hosted(pilot, candidate, day(2), busy=1, idle=3)
    make_hosted(pilot, idle, day(3), idle=4)

    spent = spending_by_candidate(pilot.id, period_of_days(day(2), day(3), UTC_ZONE), UTC_ZONE)

    assert spent == {
        candidate.id: [
            DaySpend(day(2), Decimal("4.75"), Decimal(3), 2, frozenset({1, 2})),
            DaySpend(day(3), Decimal(0), Decimal(0), 0),
        ],
        idle.id: [
            DaySpend(day(2), Decimal(0), Decimal(0), 0),
            DaySpend(day(3), Decimal(4), Decimal(4), 0),
        ],
    }
