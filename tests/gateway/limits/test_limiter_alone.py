"""What a process does while Redis is away, and when it is back."""

import asyncio
import contextlib

import pytest

from apps.gateway.contract import LIMITS_PREFIX, UNSEEDED_KEY, LimitRoute
from apps.gateway.limits.cost import Need
from apps.gateway.limits.limiter import Limiter
from apps.gateway.resp import Connection
from tests.gateway.limits.counting import Process, process
from tests.gateway.limits.test_limiter import money, passed, refusal, seed, seeded

pytestmark = pytest.mark.usefixtures("valkey")
LIMITS = (LimitRoute("key", 21, 100, 1_000, 4), LimitRoute("pilot", nano_usd=1_000))


async def cut(one):
    """Lose the connection as a server that goes away makes us lose it."""
    one.limiter._connection.close("cut")


async def test_requests_tokens_and_calls_are_limited_on_and_money_by_the_hundredth(valkey):
    async with process(*LIMITS) as one:
        await seeded(one, valkey)
        first = await passed(one, 3, tokens=100, nano=100)
        await cut(one)
        second = await passed(one, 9, tokens=100)
        full = await refusal(one, tokens=100)
        one.limiter.settle(first[0])
        poor = await refusal(one, tokens=100, nano=11)
        await one.take(tokens=100, nano=10)

    assert (len(first), len(second), full.reason) == (3, 1, "too_many_at_once")
    assert (poor.status, poor.reason) == (503, "money_unknown")
    assert one.limiter.counts["alone"] == 12


async def test_what_runs_is_registered_with_the_next_connection(valkey):
    async with process(*LIMITS) as here, process(*LIMITS) as there:
        await seeded(here, valkey)
        first = await passed(here, 2, nano=400)
        await cut(here)
        alone = await passed(here, 1, nano=10)
        await here.limiter.connect()
        held = await refusal(there, nano=300)
        at_once = await passed(there, 9, nano=0)
        for taken in (*first, *alone):
            await here.settle(taken, nano=1)
        state = money(valkey, "pilot:1:month:0")

    assert (held.reason, len(at_once)) == ("money_held", 1)
    assert [field for field in state if field.startswith("h:")] == []
    assert state["spent"] == "3"


async def test_money_that_moved_unseen_is_looked_up_anew(valkey):
    async with process(*LIMITS) as one:
        await seeded(one, valkey)
        taken = await one.take(nano=400)
        await one.settle(taken, nano=400)
        unseen = await one.take(nano=5)
        await cut(one)
        one.limiter.settle(unseen, Need(0, 5), ended_ms=1)
        await one.limiter.connect()
        await one.limiter._connection.ask("PING")  # all that was sent has been done
        before = money(valkey, "pilot:1:month:0")
        await one.take(nano=1)
        asked = valkey.smembers(UNSEEDED_KEY)
        seed(valkey, 405)
        state = money(valkey, "pilot:1:month:0")

    assert "since" not in before
    assert len(asked) == 1
    assert (state["spent"], state["seed"]) == ("0", "405")


async def test_the_old_epoch_ends_with_its_connection(valkey):
    async with process(*LIMITS) as one:
        await passed(one, 4)
        await cut(one)
        await one.limiter.connect()
        refused = await refusal(one)
        leases = valkey.keys(f"{LIMITS_PREFIX}*:lease:*")

    assert refused.reason == "too_many_at_once"
    assert len(leases) == 1


async def test_a_server_that_does_not_answer_is_not_waited_for():
    """A server that takes connections and commands, answers the first ones, and then no more."""
    is_mute = asyncio.Event()

    async def serve(reader, writer):
        with contextlib.suppress(ConnectionError), contextlib.closing(writer):
            while line := await reader.readline():
                if line.startswith(b"*") and not is_mute.is_set():
                    writer.write(b"$14\r\nrun_id:mute\r\n0\r\n")

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    one = Process(Limiter(Connection(f"redis://127.0.0.1:{port}/0")), LIMITS)
    await one.limiter.connect()
    keeping = asyncio.create_task(one.limiter.keep())
    is_mute.set()

    taken = await passed(one, 9, tokens=1)

    assert (len(taken), one.limiter.counts) == (4, {"alone": 9, "refused_c": 5})
    keeping.cancel()
    await one.limiter.stop()
    server.close()
    await server.wait_closed()


async def test_keep_connects_again_by_itself():
    async with process(*LIMITS) as one:
        keeping = asyncio.create_task(one.limiter.keep())
        await cut(one)
        async with asyncio.timeout(10):
            while not one.limiter._connection.is_open:
                await asyncio.sleep(0.01)
            while one.limiter.is_alone:
                await asyncio.sleep(0.01)
        await one.take()
        keeping.cancel()

    assert one.limiter.counts["together"] == 1


async def test_alone_a_refusal_for_money_takes_no_request():
    limits = (LimitRoute("key", 21, 3), LimitRoute("pilot", nano_usd=1_000))
    async with process(*limits) as one:
        one.limiter.part("away")
        for _ in range(9):
            await refusal(one, nano=11)
        taken = await passed(one, 9)

    assert len(taken) == 3
    assert dict(taken[0].headers)[b"x-ratelimit-remaining-requests"] == b"2"


async def test_alone_tokens_are_settled_by_what_was_used():
    async with process(LimitRoute("key", 21, tokens_per_minute=1_000)) as one:
        one.limiter.part("away")
        for _ in range(5):
            taken = await one.take(tokens=900)
            one.limiter.settle(taken, Need(10, 0), ended_ms=1)
        refused = await refusal(one, tokens=1_000)

    assert refused.reason == "too_many_tokens"
    assert dict(refused.headers)[b"x-ratelimit-remaining-tokens"] == b"950"


async def test_tokens_that_were_taken_alone_count_when_the_server_is_back():
    async with process(LimitRoute("key", 21, tokens_per_minute=1_000)) as one:
        one.limiter.part("away")
        taken = await one.take(tokens=900)
        await one.limiter.connect()
        await one.settle(taken, tokens=700)
        after = await one.take(tokens=100)

    assert dict(after.headers)[b"x-ratelimit-remaining-tokens"] in (b"200", b"201", b"202")
