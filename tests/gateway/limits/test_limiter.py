"""Limits as Redis counts them: every limiter here is a process of its own to it."""

import asyncio
from datetime import timedelta

import pytest

from apps.gateway.contract import LIMITS_PREFIX, UNSEEDED_KEY, LimitRoute
from apps.gateway.errors import Refusal
from tests.gateway.limits.counting import NOW, now_ms, process

pytestmark = pytest.mark.usefixtures("valkey")


async def passed(one, count, **more):
    """Return the reservations that were had of so many at the same moment."""
    found = await asyncio.gather(*(one.take(**more) for _ in range(count)), return_exceptions=True)
    refusals = [each for each in found if isinstance(each, BaseException)]
    assert all(isinstance(each, Refusal) for each in refusals), refusals
    return [each for each in found if not isinstance(each, BaseException)]


async def refusal(one, **more):
    with pytest.raises(Refusal) as caught:
        await one.take(**more)
    return caught.value


def money(valkey, name):
    (key,) = valkey.keys(f"{LIMITS_PREFIX}*:money:1:{name}")
    return {field.decode(): value.decode() for field, value in valkey.hgetall(key).items()}


def seed(valkey, nano=0):
    """Do what the worker does: say what was spent before anything was counted."""
    for name in valkey.smembers(UNSEEDED_KEY):
        valkey.hsetnx(name, "seed", nano)
        valkey.srem(UNSEEDED_KEY, name)


async def seeded(one, valkey, nano=0, **more):
    """Have all counters of a call known."""
    one.limiter.settle(await one.take(**more))
    await one.limiter._connection.ask("PING")
    seed(valkey, nano)


async def test_requests_of_all_processes_fill_one_bucket():
    limit = LimitRoute("person", requests_per_minute=60)
    async with process(limit) as here, process(limit) as there:
        counts = [len(await passed(here, 40)), len(await passed(there, 40))]
        refused = await refusal(here)

    assert counts == [40, 20]
    assert (refused.reason, refused.retry_after) == ("too_many_requests", 1)


async def test_a_bucket_refills_steadily(valkey):
    async with process(LimitRoute("key", 21, requests_per_minute=60)) as one:
        await passed(one, 60)
        (name,) = valkey.keys(f"{LIMITS_PREFIX}*:r:1:key:21")
        # As if two and a half seconds had gone by.
        valkey.set(name, int(valkey.get(name)) - 2_500_000)

        assert len(await passed(one, 10)) == 2


async def test_tokens_are_settled_by_what_was_used():
    async with process(LimitRoute("pilot", tokens_per_minute=1_000)) as one:
        taken = await one.take(tokens=900)
        before = await refusal(one, tokens=200)
        await one.settle(taken, tokens=100)
        after = await passed(one, 1, tokens=900)

    assert (before.reason, len(after)) == ("too_many_tokens", 1)


async def test_a_request_beyond_the_whole_minute_waits_for_a_full_bucket_and_is_paid_off():
    async with process(LimitRoute("pilot", tokens_per_minute=1_000)) as one:
        await one.take(tokens=3_000)
        refused = await refusal(one, tokens=1)

    assert refused.reason == "too_many_tokens"
    # Three minutes' worth is used, so the first token comes free in two minutes.
    assert "in 121 seconds" in refused.message or "in 120 seconds" in refused.message


async def test_calls_at_once_are_counted_over_all_processes_and_given_back():
    limit = LimitRoute("candidate", at_once=5)
    async with process(limit) as here, process(limit) as there:
        first = await passed(here, 3)
        second = await passed(there, 8)
        await here.settle(first[0])
        third = await passed(there, 8)

    assert [len(first), len(second), len(third)] == [3, 2, 1]


async def test_what_a_dead_process_held_is_free_when_its_lease_has_run_out(valkey):
    limits = (LimitRoute("key", 21, at_once=2), LimitRoute("pilot", nano_usd=100))
    async with process(*limits) as here, process(*limits) as there:
        await seeded(here, valkey)
        await passed(there, 2, nano=40)
        before = await refusal(here, nano=40)
        valkey.delete(there.limiter._epoch.lease_name)
        after = await passed(here, 1, nano=40)
        unknown = await refusal(here, nano=40)
        asked = len(valkey.smembers(UNSEEDED_KEY))
        seed(valkey, 10)
        known = await passed(here, 5, nano=40)

    assert (before.reason, len(after)) == ("money_held", 1)
    # What it had spent and not told is looked up before anybody else may spend.
    assert (unknown.reason, asked, len(known)) == ("money_unknown", 1, 1)


async def test_a_hundred_calls_at_once_against_money_for_five(valkey):
    limit = LimitRoute("person", nano_usd=500)
    async with process(limit) as here, process(limit) as there:
        await seeded(here, valkey)
        found = await asyncio.gather(passed(here, 50, nano=100), passed(there, 50, nano=100))
        running = sum(map(len, found))
        for one, taken in zip((here, there), found, strict=True):
            for each in taken:
                await one.settle(each, nano=100)
        refused = await refusal(there, nano=100)

    assert running == 5
    assert (refused.reason, refused.status) == ("money_spent", 429)
    assert money(valkey, "person:31:month:0")["spent"] == "500"


async def test_a_small_rest_can_be_used_by_one_call_at_a_time(valkey):
    async with process(LimitRoute("person", nano_usd=500)) as one:
        await seeded(one, valkey)
        first = await passed(one, 100, nano=10_000)
        held = await refusal(one, nano=10_000)
        await one.settle(first[0], nano=60)
        second = await passed(one, 100, nano=10_000)

    assert [len(first), held.reason, len(second)] == [1, "money_held", 1]


async def test_what_costs_nothing_passes_money_that_is_spent(valkey):
    async with process(LimitRoute("pilot", nano_usd=10)) as one:
        await seeded(one, valkey, nano=10)

        assert len(await passed(one, 3, nano=0)) == 3
        assert (await refusal(one, nano=1)).reason == "money_spent"


async def test_a_soft_limit_warns_and_lets_through(valkey):
    async with process(LimitRoute("pilot", nano_usd=10, is_hard=False)) as one:
        await seeded(one, valkey, nano=9)
        quiet = await one.take(nano=5)
        await one.settle(quiet, nano=5)
        loud = await one.take(nano=5)

    warning = (b"x-pilotdash-warning", b"The pilot autumn has used up the budget for this month.")
    assert (quiet.headers, loud.headers) == ([], [warning])


async def test_the_full_capacity_is_there_after_a_thousand_calls_that_came_to_nothing(valkey):
    limits = (LimitRoute("key", 21, 1_000, 10_000, 10), LimitRoute("pilot", nano_usd=1_000))
    async with process(*limits) as one:
        await seeded(one, valkey)
        for _ in range(100):
            for taken in await passed(one, 10, tokens=900, nano=90):
                one.limiter.settle(taken)
                one.limiter.settle(taken)  # twice changes nothing
        await one.limiter._connection.ask("PING")
        all_of_it = await passed(one, 20, tokens=1_000, nano=100)

    assert len(all_of_it) == 10
    assert dict(all_of_it[0].headers)[b"x-ratelimit-remaining-requests"] == b"999"


async def test_nothing_is_taken_where_one_limit_refuses(valkey):
    limits = (LimitRoute("key", 21, 100, 1_000), LimitRoute("pilot", at_once=1))
    async with process(*limits) as one:
        first = await one.take(tokens=10)
        for _ in range(50):
            await refusal(one, tokens=10)
        await one.settle(first, tokens=10)
        second = await one.take(tokens=10)

    headers = dict(second.headers)
    assert headers[b"x-ratelimit-remaining-requests"] == b"98"
    assert headers[b"x-ratelimit-remaining-tokens"] == b"980"


async def test_a_refusal_shows_what_is_left():
    async with process(LimitRoute("key", 21, 60), LimitRoute("pilot", at_once=1)) as one:
        await one.take()
        refused = await refusal(one)

    assert dict(refused.headers)[b"x-ratelimit-limit-requests"] == b"60"
    assert dict(refused.headers)[b"x-ratelimit-remaining-requests"] == b"59"


async def test_a_new_day_begins_at_nothing(valkey):
    tomorrow = NOW + timedelta(days=1)
    async with process(LimitRoute("pilot", nano_usd=100, period="day")) as one:
        await seeded(one, valkey, nano=99)
        late = await one.take(nano=1)
        await one.settle(late, nano=1)
        refused = await refusal(one, nano=1)
        again = await passed(one, 3, nano=30, now=tomorrow)
        # What ended yesterday belongs to yesterday, whenever it is told.
        await one.settle(again[0], nano=30, ended_ms=now_ms())
        # A process whose clock is behind does not bring yesterday back.
        behind = await passed(one, 3, nano=30)

    state = money(valkey, "pilot:1:day:0")
    assert (refused.reason, len(again), len(behind)) == ("money_spent", 3, 1)
    assert (state["spent"], state["seed"]) == ("0", "0")


async def test_money_whose_past_is_unknown_passes_up_to_a_hundredth(valkey):
    async with process(LimitRoute("pilot", nano_usd=1_000)) as one:
        before = await passed(one, 100, nano=2)
        refused = await refusal(one, nano=2)
        unseeded = valkey.smembers(UNSEEDED_KEY)
        seed(valkey, 900)
        after = await passed(one, 100, nano=2)

    assert (len(before), refused.status, refused.reason) == (5, 503, "money_unknown")
    assert len(unseeded) == 1
    assert len(after) == 45


async def test_what_ended_before_counting_began_is_left_to_the_seed(valkey):
    async with process(LimitRoute("pilot", nano_usd=1_000)) as one:
        taken = await passed(one, 2, nano=2)
        since = int(money(valkey, "pilot:1:month:0")["since"])
        await one.settle(taken[0], nano=2, ended_ms=since - 1)
        await one.settle(taken[1], nano=2, ended_ms=since)

    assert money(valkey, "pilot:1:month:0")["spent"] == "2"


async def test_what_no_call_costs_is_counted_exactly_all_the_same(valkey):
    limits = (LimitRoute("pilot", tokens_per_minute=10**15, nano_usd=10**18),)
    async with process(*limits) as one:
        await seeded(one, valkey)
        taken = await passed(one, 3, tokens=1 << 31, nano=10**15)
        await one.settle(taken[0], tokens=1 << 31, nano=10**15 - 1)
        state = money(valkey, "pilot:1:month:0")

    held = [value for name, value in state.items() if name.startswith("h:")]
    assert (len(taken), held, state["spent"]) == (3, ["2000000000000000"], "999999999999999")


async def test_a_call_that_ends_after_midnight_counts_in_the_new_day(valkey):
    tomorrow = NOW + timedelta(days=1)
    async with process(LimitRoute("pilot", nano_usd=100, period="day")) as one:
        await seeded(one, valkey)
        taken = await one.take(nano=60)
        ended = int(tomorrow.timestamp() * 1000)
        one.limiter.begin_periods(await one.plan(now=tomorrow))
        await one.settle(taken, nano=60, ended_ms=ended)
        after = await passed(one, 5, nano=30, now=tomorrow)
        state = money(valkey, "pilot:1:day:0")

    assert (len(after), state["spent"], state["seed"]) == (1, "60", "0")
