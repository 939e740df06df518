from dataclasses import replace

import pytest

from apps.gateway.contract import LimitRoute
from apps.gateway.limits.cost import Need
from apps.gateway.limits.local import Allowance, LocalLimits, allowed
from apps.gateway.limits.plan import Plan, _counters
from tests.gateway.limits.counting import NOW, PILOT


def plan(*limits):
    return Plan(tuple([one for limit in limits for one in _counters(PILOT, limit, 1, NOW)]))


def judged(local, limits, need, now, running=()):
    """Take a call from its limits, or return the kind of the one that refuses and its wait."""
    if (found := local.refusing(limits, need, running, now)) is not None:
        return found[0].kind, found[1]
    local.move(limits, now, tokens=need.tokens, requests=1)
    return None


def test_a_bucket_begins_full_and_refills_steadily():
    local, minute = LocalLimits(), plan(LimitRoute("key", requests_per_minute=2))

    found = [judged(local, minute, Need(0, 0), now) for now in (0, 0, 0, 29.5, 30)]

    assert found == [None, None, ("r", 30_000), ("r", 500), None]


def test_more_tokens_than_a_minute_has_go_when_it_is_full():
    local, minute = LocalLimits(), plan(LimitRoute("key", tokens_per_minute=600))

    found = [
        judged(local, minute, Need(tokens, 0), now)
        for tokens, now in ((1_200, 0), (1, 0), (1, 60), (1, 60.1))
    ]

    assert found == [None, ("t", 60_100), ("t", 100), None]


def test_what_was_not_used_is_given_back():
    local, minute = LocalLimits(), plan(LimitRoute("key", None, 2, 600))
    judged(local, minute, Need(600, 0), 0)
    full = judged(local, minute, Need(600, 0), 0)
    local.move(minute, 0, tokens=-590, requests=-1)

    assert full == ("t", 60_000)
    assert local.left(minute, 0) == [0, 0, 0, 0, 0, 2, 2, 0, 600, 590, 1_000]


def test_calls_at_once_are_those_that_run_under_the_same_name():
    two, one = plan(LimitRoute("pilot", at_once=2)), plan(LimitRoute("pilot", at_once=1))

    assert judged(LocalLimits(), two, Need(0, 0), 0, [two]) is None
    assert judged(LocalLimits(), two, Need(0, 0), 0, [two, two]) == ("c", 1_000)
    # The limit was lowered while two calls ran.
    assert judged(LocalLimits(), one, Need(0, 0), 0, [two, two]) == ("c", 1_000)


def test_buckets_that_are_full_again_are_forgotten():
    local = LocalLimits()
    for number in range(10_001):
        pilot = replace(PILOT, id=number)
        counters = _counters(pilot, LimitRoute("key", requests_per_minute=60), 1, NOW)
        local.move(Plan(tuple(counters)), 0 if number else 5, tokens=0, requests=1)
    local.move(plan(LimitRoute("key", requests_per_minute=60)), 3, tokens=0, requests=1)

    assert len(local._full_at) == 2


@pytest.mark.parametrize(
    ("size", "most"), [(100, 1), (99, 0), (50 * 10**9, 5 * 10**8), (10**15, 10**9)]
)
def test_a_hundredth_passes_unseen_and_never_more_than_a_dollar(size, most):
    (counter,) = plan(LimitRoute("pilot", nano_usd=size)).counters

    assert allowed(counter) == most


def test_what_was_let_through_unseen_is_renewed_when_it_is_known():
    allowance, hard = Allowance(), plan(LimitRoute("pilot", nano_usd=1_000))

    found = []
    for nano in (6, 5, 4, 1, 0):
        found.append(allowance.suffices(hard, nano))
        if found[-1]:
            allowance.take(hard, nano)
    allowance.renew(hard)

    assert found == [True, False, True, False, True]
    assert allowance.suffices(hard, 10)


def test_soft_limits_let_all_money_pass():
    assert Allowance().suffices(plan(LimitRoute("pilot", nano_usd=1, is_hard=False)), 10**12)
