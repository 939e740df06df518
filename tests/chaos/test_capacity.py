"""However calls end, what they held is there again: places, tokens and money."""

import asyncio
import contextlib
import random
import time

import pytest

from apps.gateway.contract import LimitRoute
from tests.chaos.priced import (
    TOKEN_NANO_USD,
    Asker,
    admitted_ids,
    body_of,
    has_open_calls,
    limited,
    money_left_is,
    served_once_seeded,
    spent_tokens,
)
from tests.gateway.live import running_live, until

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(240)]

WORKERS = 2
AT_ONCE, SIDE_BY_SIDE = 10, 6
MOST = 5_000
TOKENS_PER_MINUTE = 100_000_000
MONEY_IN_TOKENS = 1_000_000
MODELS = {
    "plain": "theirs?events=3",
    "mute": "theirs?hang=head",
    "endless": "theirs?events=1000&pace=0.05",
    "picky": "theirs?status=400",
    "dead": "dead?hang=head",
}
# A thousand calls, by how they end.
ENDINGS = {
    "leaves before the answer": 280,
    "leaves in the middle": 250,
    "leaves at the end": 120,
    "the provider is silent": 30,
    "malformed": 160,
    "refused by the provider": 160,
}
LIMITS = (
    LimitRoute(
        "key", requests_per_minute=100_000, tokens_per_minute=TOKENS_PER_MINUTE, at_once=AT_ONCE
    ),
    LimitRoute("pilot", nano_usd=MONEY_IN_TOKENS * TOKEN_NANO_USD, period="pilot"),
)


@pytest.fixture
def live(tmp_path, valkey):
    routes = limited(*LIMITS, apart="dead")
    environment = {"GATEWAY_WORKERS": str(WORKERS), "PILOTDASH_FIRST_BYTE_SECONDS": "3"}
    with running_live(tmp_path, valkey, MODELS, change=routes, **environment) as live:
        until(lambda: len(live.workers) == WORKERS)
        yield live


async def end_one(asker: Asker, ending: str, rng: random.Random) -> int:
    """Make a call that ends so; return the status that the client saw, 0 where it had left."""
    match ending:
        case "leaves before the answer":
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(rng.uniform(0.0, 0.06)):
                    return (await asker.ask("mute", MOST))[0]
            return 0
        case "leaves in the middle" | "leaves at the end":
            is_middle = ending == "leaves in the middle"
            answer = await asker.open("endless" if is_middle else "plain", MOST)
            async for piece in answer.content.iter_any():
                if is_middle or b"[DONE]" in piece:
                    break
            answer.close()
            return answer.status
        case "malformed":
            async with asker.session.post(asker.url, data=b'{"model": "plain", ') as answer:
                return answer.status
        case "refused by the provider":
            return (await asker.ask("picky", MOST))[0]
        case _:
            return (await asker.ask("dead", MOST))[0]


EXPECTED = {
    "leaves before the answer": {0},
    "leaves in the middle": {200},
    "leaves at the end": {200},
    # Once it has failed often enough, it is left alone for a while.
    "the provider is silent": {502, 503, 504},
    "malformed": {400},
    "refused by the provider": {400},
}


async def end_all(asker: Asker) -> dict[str, set[int]]:
    """Make all calls, some side by side; return the statuses seen, by ending."""
    rng = random.Random(7)
    waiting = [ending for ending, count in ENDINGS.items() for _ in range(count)]
    rng.shuffle(waiting)
    seen: dict[str, set[int]] = {ending: set() for ending in ENDINGS}

    async def work() -> None:
        while waiting:
            ending = waiting.pop()
            # The gateway sees a departure a moment later, so there may be no place just now.
            while (status := await end_one(asker, ending, rng)) == 429:
                await asyncio.sleep(0.05)
            seen[ending].add(status)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(SIDE_BY_SIDE):
            tasks.create_task(work())
    return seen


async def hold_all_places(asker: Asker) -> list:
    """Open as many streams as the key may have at once."""
    deadline = time.monotonic() + 10
    while True:
        streams = await asyncio.gather(*(asker.open("endless") for _ in range(AT_ONCE)))
        if [stream.status for stream in streams] == [200] * AT_ONCE:
            return streams
        assert time.monotonic() < deadline, [stream.status for stream in streams]
        for stream in streams:
            stream.close()
        await asyncio.sleep(0.2)


async def all_ended(live) -> list:
    """Wait until every admitted call has its record, and return the records."""
    await asyncio.to_thread(until, lambda: not has_open_calls(live.data), 20)
    ids = admitted_ids(live.data)
    records = await asyncio.to_thread(live.records, len(ids), 20)
    assert {record.id for record in records} == ids
    assert len(records) == len(ids)
    return records


async def test_a_thousand_aborts_timeouts_and_400s_leave_the_full_capacity(live):
    async with Asker(live.url) as asker:
        await served_once_seeded(asker, live.valkey, most=MOST)

        seen = await end_all(asker)
        assert all(statuses <= EXPECTED[ending] for ending, statuses in seen.items()), seen
        assert sum(ENDINGS.values()) == 1_000

        streams = await hold_all_places(asker)
        status, headers, body = await asker.ask()
        assert (status, "retry-after" in headers) == (429, True), body
        for stream in streams:
            stream.close()

        records = await all_ended(live)
        spent = spent_tokens(records)
        used = spent + sum(record.prompt_tokens or 0 for record in records)
        await money_left_is(asker, MONEY_IN_TOKENS - spent)
        await tokens_are_back(asker, TOKENS_PER_MINUTE - used)


async def tokens_are_back(asker: Asker, left: int) -> None:
    """A minute's tokens come back with time, too; so at least so many are left."""
    status, headers, _ = await asker.ask(most=1)
    told = int(headers["x-ratelimit-remaining-tokens"])
    # The probes themselves: this one holds its prompt's estimate, the one before it used twelve.
    own = len(str(body_of("plain", 1))) + 1 + 12
    assert (status, left - own <= told <= TOKENS_PER_MINUTE) == (200, True)
