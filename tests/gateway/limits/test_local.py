import pytest

from apps.gateway.contract import LimitRoute
from apps.gateway.limits.cost import Need
from apps.gateway.limits.local import Allowance, LocalLimits, allowed
from apps.gateway.limits.plan import Plan, _counters
from tests.gateway.limits.counting import NOW, PILOT


def plan(*limits):
    counters = [one for limit in limits for one in _counters(PILOT, limit, 1, NOW)]
    return Plan(tuple(counters), NOW)


def refused(found):
    return (found[0].kind, found[1]) if found is not None else None


def test_a_bucket_begins_full_and_refills_steadily():
    local, minute = LocalLimits(), plan(LimitRoute("key", requests_per_minute=2))

    found = [refused(local.refusing(minute, Need(0, 0), (), now)) for now in (0, 0, 0, 29.5, 30)]

    assert found == [None, None, ("r", 30_000), ("r", 500), None]


def test_more_tokens_than_a_minute_has_go_when_it_is_full():
    local, minute = LocalLimits(), plan(LimitRoute("key", tokens_per_minute=600))

    found = [
        refused(local.refusing(minute, Need(tokens, 0), (), now))
        for tokens, now in ((1_200, 0), (1, 0), (1, 60), (1, 60.1))
    ]

    assert found == [None, ("t", 60_100), ("t", 100), None]


def test_nothing_is_taken_from_one_limit_where_another_refuses():
    local = LocalLimits()
    both = plan(LimitRoute("key", requests_per_minute=5, tokens_per_minute=10))
    local.refusing(both, Need(10, 0), (), 0)

    found = [refused(local.refusing(both, Need(10, 0), (), 0)) for _ in range(9)]
    after = [refused(local.refusing(both, Need(0, 0), (), 0)) for _ in range(5)]

    assert found == [("t", 60_000)] * 9
    assert after == [None] * 4 + [("r", 12_000)]


def test_calls_at_once_are_those_that_run():
    local, two = LocalLimits(), plan(LimitRoute("pilot", at_once=2))

    assert refused(local.refusing(two, Need(0, 0), [two], 0)) is None
    assert refused(local.refusing(two, Need(0, 0), [two, two], 0)) == ("c", 1_000)


@pytest.mark.parametrize(
    ("size", "most"), [(100, 1), (99, 0), (50 * 10**9, 5 * 10**8), (10**15, 10**9)]
)
def test_a_hundredth_passes_unseen_and_never_more_than_a_dollar(size, most):
    (counter,) = plan(LimitRoute("pilot", nano_usd=size)).counters

    assert allowed(counter) == most


def test_what_was_let_through_unseen_is_renewed_when_it_is_known():
    allowance, hard = Allowance(), plan(LimitRoute("pilot", nano_usd=1_000))

    found = [allowance.takes(hard, nano) for nano in (6, 5, 4, 1, 0)]
    allowance.renew(hard)

    assert found == [True, False, True, False, True]
    assert allowance.takes(hard, 10)


def test_soft_limits_let_all_money_pass():
    assert Allowance().takes(plan(LimitRoute("pilot", nano_usd=1, is_hard=False)), 10**12)
