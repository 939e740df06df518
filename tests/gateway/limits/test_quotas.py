"""Limits as a developer meets them: through the whole gateway."""

import asyncio
import gc
from dataclasses import replace
from datetime import timedelta

import pytest

from apps.gateway.call import Call
from apps.gateway.contract import LIMITS_PREFIX, UNSEEDED_KEY, LimitRoute, PriceRoute
from tests.gateway.rig import GOOD, NOW
from tests.gateway.stand_ins import rotate

OFF = LimitRoute("key")
# A dollar for a million tokens in, four for a million out: a call of 9 and 3 costs 21,000 nano-USD.
PRICE = PriceRoute(NOW - timedelta(9), None, 10**9, 10**9, 4 * 10**9)
COST = 9 * 1_000 + 3 * 4_000


def limit(rig, *limits):
    table = rig.service.routes.table
    pilot = replace(table.pilots[1], limits=limits)
    priced = {id_: replace(one, prices=(PRICE,)) for id_, one in table.candidates.items()}
    rig.service.routes.table = replace(table, pilots={1: pilot}, candidates=priced)


async def seed(rig, valkey, nano=0):
    """Have the counters known, as the worker does once a first call has named them."""
    async with asyncio.timeout(10):
        while not (names := valkey.smembers(UNSEEDED_KEY)):
            await rig.chat(max_tokens=1)
    for name in names:
        valkey.hset(name, mapping={"seed": nano, "spent": 0})
        valkey.srem(UNSEEDED_KEY, name)


async def counted(rig):
    """Wait until what has been sent to Redis has been done: replies come in order."""
    await rig.service.limiter._connection.ask("PING")


async def test_the_six_headers_stand_on_answers_and_refusals(rig):
    limit(rig, LimitRoute("key", None, 2, 5_000))

    replies = [await rig.chat() for _ in range(3)]

    assert [reply.status for reply in replies] == [200, 200, 429]
    heads = [
        {name[12:]: value for name, value in reply.headers.items() if "ratelimit" in name}
        for reply in replies
    ]
    assert [head["limit-requests"] for head in heads] == ["2", "2", "2"]
    assert [head["remaining-requests"] for head in heads] == ["1", "0", "0"]
    assert heads[0]["limit-tokens"] == "5000"
    assert replies[2].error == {
        "message": "Your key may use 2 requests a minute, and they are used up. "
        "There is room again in 30 seconds.",
        "type": "rate_limit_error",
        "code": "rate_limit_exceeded",
        "param": None,
    }
    assert replies[2].headers["retry-after"] == "30"


async def test_streams_count_in_tokens_a_minute(rig):
    limit(rig, LimitRoute("key", None, tokens_per_minute=1_100))

    statuses = [(await rig.chat(stream=True, max_tokens=1_000)).status for _ in range(3)]

    # Each reserves a thousand and more, and gives back what its twelve tokens leave.
    assert statuses == [200, 200, 200]
    assert sum(record.completion_tokens for record in rig.records()) == 9


async def test_money_is_taken_as_the_calls_cost(rig, valkey):
    limit(rig, OFF, LimitRoute("person", nano_usd=10 * COST))
    await seed(rig, valkey)

    statuses = [(await rig.chat(max_tokens=3)).status for _ in range(12)]
    refused = await rig.chat(max_tokens=3)

    assert statuses == [200] * 10 + [429] * 2
    assert refused.error["code"] == "insufficient_quota"
    assert refused.headers["x-should-retry"] == "false"
    await counted(rig)
    (name,) = valkey.keys(f"{LIMITS_PREFIX}*:money:*")
    assert int(valkey.hget(name, "spent")) == 10 * COST


async def test_a_hundred_calls_at_once_against_money_for_five(rig, valkey):
    prompt = round(len(GOOD.replace(b"}]}", b'}],"max_tokens":50}')) / 4)
    need = prompt * 1_000 + 50 * 4_000
    limit(rig, OFF, LimitRoute("pilot", nano_usd=5 * need))
    await seed(rig, valkey)
    rig.service.recorder.calibration._ratios.clear()
    body = GOOD.replace(b"}]}", b'}],"max_tokens":50}')
    rig.route("theirs?pace=0.2")
    limit(rig, OFF, LimitRoute("pilot", nano_usd=5 * need))

    replies = await asyncio.gather(
        *(rig.request("POST", "/v1/chat/completions", body) for _ in range(100))
    )

    assert sum(reply.status == 200 for reply in replies) == 5
    assert sum(reply.status == 429 for reply in replies) == 95


@pytest.mark.parametrize(
    ("model", "status"), [("theirs?status=400", 400), ("theirs?status=500", 500)]
)
async def test_calls_that_fail_give_back_all_they_held(rig, valkey, model, status):
    rig.route(model)
    limit(rig, LimitRoute("key", None, 1_000, 2_000, 2), LimitRoute("pilot", nano_usd=10**9))
    await seed(rig, valkey)

    # Fewer than make a provider rest.
    statuses = {(await rig.chat(max_tokens=1_000)).status for _ in range(3)}
    await counted(rig)

    held = [valkey.hgetall(key) for key in valkey.keys(f"{LIMITS_PREFIX}*:c:*")]
    (money,) = [valkey.hgetall(key) for key in valkey.keys(f"{LIMITS_PREFIX}*:money:*")]
    assert statuses == {status}
    assert held == []
    assert {name: value for name, value in money.items() if name.startswith(b"h:")} == {}
    assert money[b"spent"] == b"0"


async def test_a_developer_who_leaves_gives_back_and_pays_for_what_was_written(rig, valkey):
    rig.route("theirs?hang=mid")
    limit(rig, LimitRoute("key", None, at_once=1), LimitRoute("pilot", nano_usd=10**9))
    await seed_by_leaving(rig, valkey)
    leave = asyncio.Event()

    await rig.chat(stream=True, max_tokens=100, leave=leave, on_piece=lambda _: leave.set())
    again = await rig.chat(stream=True, leave=leave, max_tokens=100)

    record = rig.records()[-2]
    spent = record.prompt_tokens * 1_000 + record.completion_tokens * 4_000
    await counted(rig)
    (name,) = valkey.keys(f"{LIMITS_PREFIX}*:money:*")
    assert again.status in (0, 200)
    assert record.outcome == "client_cancelled"
    assert int(valkey.hget(name, "spent")) >= spent > 0


async def seed_by_leaving(rig, valkey):
    leave = asyncio.Event()
    await rig.chat(stream=True, max_tokens=1, leave=leave, on_piece=lambda _: leave.set())
    for name in valkey.smembers(UNSEEDED_KEY):
        valkey.hset(name, mapping={"seed": 0, "spent": 0})
        valkey.srem(UNSEEDED_KEY, name)


async def test_while_redis_is_away_money_is_refused_and_the_rest_goes_on(rig):
    limit(rig, OFF, LimitRoute("pilot", nano_usd=1_000))
    rig.service.limiter.part("away")
    rig.service.limiter._connection._url = "redis://127.0.0.1:1/0"

    refused = await rig.chat()
    limit(rig, LimitRoute("key", None, 1))
    replies = [await rig.chat() for _ in range(2)]

    assert (refused.status, refused.headers["retry-after"]) == (503, "5")
    assert [reply.status for reply in replies] == [200, 429]
    assert [reply.headers["x-ratelimit-remaining-requests"] for reply in replies] == ["0", "0"]


async def test_a_blind_alias_does_not_show_what_its_candidate_has_left(rig):
    limit(rig, LimitRoute("key", None, 100), LimitRoute("candidate", None, 5))
    open_reply = await rig.chat()
    pilot = rig.service.routes.table.pilots[1]
    blind = rotate(pilot, "pilot-chat", 11)
    rig.service.routes.table = replace(rig.service.routes.table, pilots={1: blind})

    blind_reply = await rig.chat()

    assert open_reply.headers["x-ratelimit-remaining-requests"] == "4"
    assert blind_reply.headers["x-ratelimit-remaining-requests"] == "98"


async def test_a_limit_of_one_of_the_candidates_tells_none_of_them(rig):
    """Neither headers nor warnings nor sentences differ from candidate to candidate."""
    own = (LimitRoute("candidate", 11, 1, nano_usd=1, period="day", is_hard=False),)
    limit(rig, LimitRoute("key", None, 100), *own)
    table = rig.service.routes.table
    blind = rotate(table.pilots[1], "pilot-chat", 11, 12)
    rig.service.routes.table = replace(table, pilots={1: blind})

    first, second = [await rig.chat() for _ in range(2)]

    assert first.headers["x-ratelimit-remaining-requests"] == "99"
    assert "x-pilotdash-warning" not in first.headers
    assert second.headers["x-ratelimit-limit-requests"] == "100"
    assert second.error["message"] == (
        "The model 'pilot-chat' is at its limit. There is room again in 60 seconds."
    )


async def test_no_request_can_ask_for_so_much_that_nobody_is_limited(rig, valkey):
    limit(rig, LimitRoute("key", None, 3), LimitRoute("pilot", nano_usd=10**9))
    await seed(rig, valkey)

    statuses = [(await rig.chat(max_tokens=10**18)).status for _ in range(4)]

    # One has gone to seeding. The rest of the money may be used by one call at a time.
    assert statuses == [200, 200, 429, 429]
    assert not rig.service.limiter.is_alone


async def test_a_fallback_answers_within_the_limits_of_its_own_candidate(rig):
    rig.route("theirs?status=503")
    limit(rig, OFF, LimitRoute("candidate", 12, 1))
    table = rig.service.routes.table
    failing = replace(table.candidates[11], fallback_id=12)
    other = replace(failing, id=12, slug="cand-12", upstream_model="theirs", fallback_id=None)
    rig.service.routes.table = replace(table, candidates={11: failing, 12: other})

    replies = [await rig.chat() for _ in range(3)]

    assert [reply.status for reply in replies] == [200, 503, 503]
    assert [record.candidate_id for record in rig.records()] == [12, 11, 11]


@pytest.mark.parametrize(
    "whose", [("candidate", 12), ("key", None), ("person", 31), ("pilot", None)]
)
async def test_a_fallback_paid_by_the_token_is_held_by_money_where_the_first_is_not(
    rig, valkey, whose
):
    rig.route("theirs?status=503")
    limit(rig, LimitRoute(*whose, nano_usd=2 * COST))
    table = rig.service.routes.table
    hosted = replace(table.candidates[11], fallback_id=12, prices=())
    other = replace(
        table.candidates[11], id=12, slug="cand-12", upstream_model="theirs", fallback_id=None
    )
    rig.service.routes.table = replace(table, candidates={11: hosted, 12: other})
    await seed(rig, valkey)

    statuses = [(await rig.chat(max_tokens=3)).status for _ in range(4)]

    assert statuses == [200, 200, 503, 503]
    await counted(rig)
    (name,) = valkey.keys(f"{LIMITS_PREFIX}*:money:*")
    held = {key: int(value) for key, value in valkey.hgetall(name).items() if key[:2] == b"h:"}
    assert int(valkey.hget(name, "spent")) == 2 * COST
    assert sum(held.values()) == 0


@pytest.mark.parametrize("stream", [False, True])
async def test_a_call_that_has_ended_does_not_wait_for_the_garbage_collector(rig, stream):
    gc.collect()
    gc.disable()
    try:
        await rig.chat(stream=stream)
        kept = [one for one in gc.get_objects() if isinstance(one, Call)]
    finally:
        gc.enable()

    assert kept == []
