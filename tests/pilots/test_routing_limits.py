"""What the table of routes says of prices, of who stands in for whom, and of limits."""

from datetime import timedelta
from decimal import Decimal

import pytest

from apps.gateway.contract import LimitRoute, PriceRoute
from apps.pilots.routing import build_route_table
from tests.factories import (
    NOON,
    make_candidate,
    make_enrollment,
    make_key,
    make_limit,
    make_pilot,
    make_price,
    make_provider,
    make_trial,
)

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
# When make_pilot has made its pilots.
CREATED = int((NOON - timedelta(days=20)).timestamp() * 1000)


def limits_of(pilot):
    return build_route_table(NOON).pilots[pilot.id].limits


def test_prices_in_force_and_later_ones_are_told_in_their_order():
    candidate = make_candidate()
    make_price(candidate, 9, 9, 9, valid_from=NOON - 2 * HOUR, valid_to=NOON)
    make_price(candidate, 3, 4, 1, valid_from=NOON + HOUR)
    make_price(candidate, 2, 4, 1, valid_from=NOON, valid_to=NOON + HOUR)
    make_price(make_candidate(), 5)

    prices = build_route_table(NOON).candidates[candidate.id].prices

    assert prices == (
        PriceRoute(NOON, NOON + HOUR, input=2 * 10**9, cached=10**9, output=4 * 10**9),
        PriceRoute(NOON + HOUR, None, input=3 * 10**9, cached=10**9, output=4 * 10**9),
    )


@pytest.mark.parametrize(
    ("usd", "nano"),
    [
        ("0", 0),
        ("0.000000000499", 0),
        ("0.000000000500", 1),  # halves up
        ("0.000000001500", 2),
        ("0.1", 100_000_000),
        ("99999999.999999999999", 10**17),
    ],
)
def test_prices_are_whole_nano_dollars(usd, nano):
    candidate = make_candidate()
    make_price(candidate, Decimal(usd))

    assert build_route_table(NOON).candidates[candidate.id].prices[0].input == nano


@pytest.mark.parametrize(
    ("provider", "candidate", "is_told"),
    [
        ({}, {}, True),
        ({}, {"state": "paused"}, True),  # the gateway knows its state
        ({}, {"state": "retired"}, False),
        ({"retired_at": NOON}, {}, False),
        ({"residence": "outside"}, {}, False),
        ({"residence": "inside"}, {}, False),
    ],
)
def test_fallback_is_told_as_long_as_code_may_go_there(provider, candidate, is_told):
    fallback = make_candidate(
        provider=make_provider(**{"residence": "private"} | provider), **candidate
    )
    asked = make_candidate(provider=make_provider(residence="private"), fallback=fallback)

    told = build_route_table(NOON).candidates[asked.id].fallback_id

    assert told == (fallback.id if is_told else None)


def test_limits_are_told_by_the_ids_that_the_gateway_knows():
    pilot, other = make_pilot(), make_pilot()
    enrollment = make_enrollment(pilot)
    key, _ = make_key(enrollment)
    candidate = make_trial(pilot).candidate
    make_limit(pilot, "key", requests_per_minute=60, tokens_per_minute=9_000, at_once=2)
    make_limit(pilot, "key", key=key, usd=Decimal("1.5"), period="day", is_hard=False)
    make_limit(pilot, "person", enrollment=enrollment, usd=Decimal("0.000000000500"))
    make_limit(pilot, "candidate", candidate=candidate, at_once=4)
    make_limit(pilot, "pilot", usd=500, period="pilot")

    assert limits_of(pilot) == (
        LimitRoute("key", None, 60, 9_000, 2),
        LimitRoute(
            "key", key.id, nano_usd=1_500_000_000, period="day", is_hard=False, set_at=CREATED
        ),
        LimitRoute("person", enrollment.person_id, nano_usd=1, set_at=CREATED),
        LimitRoute("candidate", candidate.id, at_once=4),
        LimitRoute("pilot", None, nano_usd=500 * 10**9, period="pilot", set_at=CREATED),
    )
    assert limits_of(other) == ()


def test_limits_of_revoked_keys_and_of_people_who_left_are_left_out():
    pilot = make_pilot()
    enrollment = make_enrollment(pilot, left_at=NOON)
    key, _ = make_key(enrollment, revoked_at=NOON)
    make_limit(pilot, "key", key=key, at_once=1)
    make_limit(pilot, "person", enrollment=enrollment, at_once=1)

    assert limits_of(pilot) == ()


BUDGET = LimitRoute("pilot", nano_usd=5 * 10**9, period="pilot", is_hard=False, set_at=CREATED)


@pytest.mark.parametrize(
    ("limit", "told"),
    [
        (None, BUDGET),
        (
            {"usd": 3, "period": "day"},
            LimitRoute("pilot", nano_usd=3 * 10**9, period="day", set_at=CREATED),
        ),
        (
            {"at_once": 7},
            LimitRoute("pilot", None, None, None, 7, 5 * 10**9, "pilot", False, CREATED),
        ),
    ],
)
def test_budget_is_a_soft_limit_unless_money_is_limited_there_already(limit, told):
    pilot = make_pilot(budget_usd=5)
    if limit:
        make_limit(pilot, "pilot", **limit)

    assert limits_of(pilot) == (told,)


def test_general_limit_of_others_leaves_the_budget_in_force():
    pilot = make_pilot(budget_usd=5)
    make_limit(pilot, "person", usd=3)

    assert limits_of(pilot) == (
        LimitRoute("person", nano_usd=3 * 10**9, set_at=CREATED),
        BUDGET,
    )
