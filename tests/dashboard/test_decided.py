from datetime import date, timedelta
from decimal import Decimal

import pytest

from apps.catalog.models import HostingInterval, Price
from apps.core.periods import Period
from apps.dashboard.decided import decided_moves, price_change, rate
from apps.metrics.queries_prices import CostTerms
from apps.pilots.models import Pilot, Trial
from tests.dashboard.pieces import candidate
from tests.factories import NOON

WEEK = Period(NOON - timedelta(days=6), NOON + timedelta(days=1))
PILOT = Pilot(starts_on=date(2026, 11, 2), ends_on=date(2026, 11, 29), zone="Europe/Berlin")
MODEL = candidate(1)


def price(input_usd, output_usd, at=NOON):
    return Price(
        input_usd_per_mtok=Decimal(str(input_usd)),
        cached_usd_per_mtok=Decimal(0),
        output_usd_per_mtok=Decimal(str(output_usd)),
        valid_from=at,
    )


def machines(started_at, ended_at=None, count=1):
    return HostingInterval(
        usd_per_hour=Decimal("1.79"), count=count, started_at=started_at, ended_at=ended_at
    )


def moves(*, prices=(), hosting=(), trials=()):
    terms = {1: CostTerms(tuple(prices), tuple(hosting))}
    found = decided_moves(PILOT, [MODEL], trials, terms, WEEK)
    return [(move.text, move.day, move.kind) for move in found]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ((1, 2), (1, 1.5), ("price fell 25%, from $2.00 to $1.50 per million tokens out", "good")),
        ((1, 2), (1.1, 2), ("price rose 10%, from $1.00 to $1.10 per million tokens in", "bad")),
        ((0, 0), (1, 2), ("price rose, from $0 to $2.00 per million tokens out", "bad")),
        ((1, 2), (1, 2), None),
    ],
)
def test_a_price_change_is_told_by_what_is_written(old, new, told):
    assert price_change(price(*old), price(*new)) == told


def test_a_price_changes_on_the_pilots_own_day():
    late = NOON.replace(hour=23, minute=30)  # the 19th in Berlin

    assert moves(prices=[price(1, 2, NOON - timedelta(days=9)), price(1, 1, late)]) == [
        ("price fell 50%, from $2.00 to $1.00 per million tokens out", date(2026, 11, 19), "good")
    ]


def test_only_what_was_decided_this_week_is_told():
    before = NOON - timedelta(days=8)

    assert moves(
        prices=[price(1, 2, before - timedelta(days=1)), price(1, 1, before)],
        hosting=[machines(before, NOON, count=2), machines(NOON)],
        trials=[
            Trial(candidate_id=1, added_at=before, dropped_at=NOON),
            Trial(candidate_id=1, added_at=NOON),
        ],
    ) == [
        ("machines stopped: 2 × $1.79 an hour", NOON.date(), ""),
        ("machines started: $1.79 an hour", NOON.date(), ""),
        ("left the pilot", NOON.date(), ""),
        ("joined the pilot", NOON.date(), ""),
    ]


def test_nights_and_weekends_of_the_same_machines_are_no_decisions():
    days = [NOON + timedelta(days=day) for day in (-2, -1, 0)]
    nightly = [machines(day, day + timedelta(hours=9)) for day in days]

    assert moves(hosting=nightly) == [("machines started: $1.79 an hour", days[0].date(), "")]


def test_machines_that_stay_away_were_stopped():
    before = NOON - timedelta(days=9)

    assert moves(hosting=[machines(before, NOON)]) == [
        ("machines stopped: $1.79 an hour", NOON.date(), "")
    ]


def test_what_was_on_trial_from_the_start_did_not_join_this_week():
    new = Pilot(starts_on=date(2026, 11, 19), ends_on=date(2026, 11, 29), zone="UTC")
    trial = Trial(candidate_id=1, added_at=NOON)

    assert decided_moves(new, [MODEL], [trial], {1: CostTerms((), ())}, WEEK) == []


def test_a_rate_is_told_by_the_hour():
    assert rate(machines(NOON, count=3)) == "3 × $1.79 an hour"
