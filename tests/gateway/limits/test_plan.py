from dataclasses import replace
from datetime import UTC, datetime

import pytest

from apps.gateway.access import Caller
from apps.gateway.contract import UNLESS_SET, CandidateRoute, KeyRoute, LimitRoute, PilotRoute
from apps.gateway.limits.plan import FAR, calls_at_once, period_of, plan_of

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
PILOT = PilotRoute(
    1, "autumn", datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC), {"chat": 11}
)
KEY = KeyRoute(21, 31, 1, "developer", datetime(2027, 1, 1, tzinfo=UTC))
CANDIDATE = CandidateRoute(11, "cand", 5, "m")


def caller(*limits, zone="UTC"):
    return Caller(KEY, replace(PILOT, limits=limits, zone=zone))


def counted(*limits, zone="UTC", now=NOW):
    plan = plan_of(caller(*limits, zone=zone), CANDIDATE, now)
    return {(one.kind, one.scope, one.name): one.size for one in plan.counters}


def test_keys_are_protected_where_nobody_has_set_a_limit():
    assert counted() == {
        ("r", "key", "r:1:key:21"): 6_000,
        ("t", "key", "t:1:key:21"): 10_000_000,
        ("c", "key", "c:1:key:21"): 10,
    }


def test_every_scope_is_counted_under_its_own_subject():
    limits = [LimitRoute(scope, requests_per_minute=9) for scope in ("key", "person", "candidate")]

    assert counted(*limits, LimitRoute("pilot", at_once=3)) == {
        ("r", "key", "r:1:key:21"): 9,
        ("r", "person", "r:1:person:31"): 9,
        ("r", "candidate", "r:1:candidate:11"): 9,
        ("c", "pilot", "c:1:pilot:1"): 3,
    }


def test_what_a_limit_of_ones_own_leaves_open_the_general_one_fills_in():
    general = LimitRoute("key", None, 60, 1_000, 5, nano_usd=7, period="day", is_hard=False)
    own = LimitRoute("key", 21, requests_per_minute=90)
    other = LimitRoute("key", 22, at_once=1)

    assert counted(general, own, other) == {
        ("r", "key", "r:1:key:21"): 90,
        ("t", "key", "t:1:key:21"): 1_000,
        ("c", "key", "c:1:key:21"): 5,
        ("m", "key", "money:1:key:21:day:0"): 7,
    }


def test_money_of_ones_own_comes_with_its_period_and_hardness():
    general = LimitRoute("person", None, nano_usd=7, period="day", is_hard=False)
    own = LimitRoute("person", 31, nano_usd=9, period="pilot", set_at=4)
    (money,) = plan_of(caller(UNLESS_SET, general, own), CANDIDATE, NOW).counters[3:]

    assert (money.kind, money.name, money.size, money.is_hard, money.ends_at) == (
        "p",
        "money:1:person:31:pilot:4",
        9,
        True,
        PILOT.closes_at,
    )


@pytest.mark.parametrize(
    ("limits", "most"),
    [
        ((), 10),
        ((LimitRoute("key", at_once=3),), 3),
        ((LimitRoute("key", tokens_per_minute=3),), None),
    ],
)
def test_calls_at_once_of_a_key(limits, most):
    assert calls_at_once(caller(*limits)) == most


@pytest.mark.parametrize(
    ("period", "zone", "now", "start", "end"),
    [
        ("day", "UTC", "2026-03-10T12:00", "2026-03-10T00:00", "2026-03-11T00:00"),
        ("day", "Europe/Berlin", "2026-03-29T12:00", "2026-03-28T23:00", "2026-03-29T22:00"),
        ("day", "Europe/Berlin", "2026-10-25T12:00", "2026-10-24T22:00", "2026-10-25T23:00"),
        ("day", "America/Santiago", "2026-09-06T12:00", "2026-09-06T04:00", "2026-09-07T03:00"),
        ("month", "UTC", "2026-12-31T23:59", "2026-12-01T00:00", "2027-01-01T00:00"),
        ("month", "Asia/Tokyo", "2026-01-31T15:00", "2026-01-31T15:00", "2026-02-28T15:00"),
        ("month", "Europe/Berlin", "2026-10-31T12:00", "2026-09-30T22:00", "2026-10-31T23:00"),
        ("pilot", "Asia/Tokyo", "2026-03-10T12:00", "2026-01-01T00:00", "2027-01-01T00:00"),
    ],
)
def test_a_period_is_that_of_the_pilots_zone(period, zone, now, start, end):
    found = period_of(
        period, replace(PILOT, zone=zone), datetime.fromisoformat(now).replace(tzinfo=UTC)
    )

    assert [f"{moment:%Y-%m-%dT%H:%M}" for moment in found] == [start, end]


def test_a_plan_holds_until_its_first_period_ends():
    day = LimitRoute("person", nano_usd=1, period="day")
    month = LimitRoute("pilot", nano_usd=1, period="month")

    assert plan_of(caller(), CANDIDATE, NOW).valid_until == FAR
    assert plan_of(caller(month), CANDIDATE, NOW).valid_until == datetime(2026, 4, 1, tzinfo=UTC)
    assert plan_of(caller(month, day), CANDIDATE, NOW).valid_until == datetime(
        2026, 3, 11, tzinfo=UTC
    )
