"""Every constraint refuses what it is there for."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError

from tests.factories import NOON, make_candidate, make_hosting, make_price, make_provider

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"auth": "magic"}, "provider_auth_is_known"),
        ({"stream_usage": "sometimes"}, "provider_stream_usage_is_known"),
        ({"residence": "moon"}, "provider_residence_is_known"),
    ],
)
def test_provider_constraints(fields, constraint):
    with pytest.raises(IntegrityError, match=constraint):
        make_provider(**fields)


def test_candidate_constraints():
    make_candidate(position=500)

    with pytest.raises(IntegrityError, match="position"):
        make_candidate(position=500)


def test_candidate_state_is_known():
    with pytest.raises(IntegrityError, match="candidate_state_is_known"):
        make_candidate(state="lost")


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"valid_from": NOON, "valid_to": NOON}, "price_ends_after_it_starts"),
        ({"input_usd": -1}, "price_is_not_negative"),
        ({"cached_usd": -1}, "price_is_not_negative"),
        ({"output_usd": -1}, "price_is_not_negative"),
        ({"currency": "EUR"}, "price_other_currency_is_dated"),
        ({"usd_per_unit": Decimal("1.1")}, "price_other_currency_is_dated"),
    ],
)
def test_price_constraints(fields, constraint):
    with pytest.raises(IntegrityError, match=constraint):
        make_price(make_candidate(), **fields)


# Against a row that is in force from noon to one, and against one without an end.
OVERLAPS = [
    (NOON - HOUR, NOON, False),
    (NOON - HOUR, NOON + timedelta(microseconds=1), True),
    (NOON + HOUR / 2, None, True),
    (NOON + HOUR, None, False),
    (NOON - HOUR, None, True),
]


@pytest.mark.parametrize(("start", "end", "clashes"), OVERLAPS)
def test_prices_exclude_one_another(start, end, clashes):
    candidate = make_candidate()
    make_price(candidate, valid_from=NOON, valid_to=NOON + HOUR)
    make_price(make_candidate(), valid_from=start, valid_to=end)

    if clashes:
        with pytest.raises(IntegrityError, match="price_one_at_a_time"):
            make_price(candidate, valid_from=start, valid_to=end)
    else:
        make_price(candidate, valid_from=start, valid_to=end)


def test_open_price_excludes_all_that_follow():
    candidate = make_candidate()
    make_price(candidate, valid_from=NOON)

    with pytest.raises(IntegrityError, match="price_one_at_a_time"):
        make_price(candidate, valid_from=NOON + 1000 * HOUR)


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"started_at": NOON, "ended_at": NOON}, "hosting_ends_after_it_starts"),
        ({"usd_per_hour": -1}, "hosting_is_not_negative"),
        ({"count": 0}, "hosting_is_not_negative"),
    ],
)
def test_hosting_constraints(fields, constraint):
    with pytest.raises(IntegrityError, match=constraint):
        make_hosting(make_candidate(), **fields)


@pytest.mark.parametrize(("start", "end", "clashes"), OVERLAPS)
def test_machines_of_a_candidate_exclude_one_another(start, end, clashes):
    candidate = make_candidate()
    make_hosting(candidate, started_at=NOON, ended_at=NOON + HOUR)

    if clashes:
        with pytest.raises(IntegrityError, match="hosting_one_at_a_time"):
            make_hosting(candidate, started_at=start, ended_at=end)
    else:
        make_hosting(candidate, started_at=start, ended_at=end)
