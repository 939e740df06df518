"""Routes with limits and a price that makes every sum exact, and asking for them through HTTP."""

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import redis

from apps.gateway.contract import UNSEEDED_KEY, CallRecord, LimitRoute, PriceRoute, RouteTable
from apps.gateway.segments import ADMITTED, SUFFIX, parse, unfinished
from tests.gateway.rig import DAY, KEY, NOW

# A generated token costs a thousandth of a dollar, a prompt nothing: so what a call may cost at
# most depends on its max_tokens alone, not on an estimate of its prompt.
TOKEN_NANO_USD = 1_000_000
PRICE = PriceRoute(NOW - DAY, None, input=0, cached=0, output=TOKEN_NANO_USD * 1_000_000)


def limited(*limits: LimitRoute, apart: str = "none") -> Callable[[RouteTable], RouteTable]:
    """Return a change of routes: limits for every pilot, prices for every candidate.

    Candidates with `apart` in their model's name get a provider of their own, whose failures then
    cannot keep calls from the others.
    """

    def change(routes: RouteTable) -> RouteTable:
        (provider,) = routes.providers.values()
        return replace(
            routes,
            pilots={id_: replace(pilot, limits=limits) for id_, pilot in routes.pilots.items()},
            candidates={
                id_: replace(
                    candidate,
                    prices=(PRICE,),
                    provider_id=6 if apart in candidate.upstream_model else provider.id,
                )
                for id_, candidate in routes.candidates.items()
            },
            providers={provider.id: provider, 6: replace(provider, id=6, slug="apart")},
        )

    return change


def body_of(model: str, most: int, *, stream: bool = False) -> dict[str, Any]:
    message = {"role": "user", "content": "hi"}
    return {"model": model, "stream": stream, "max_tokens": most, "messages": [message]}


class Asker:
    """Asks a gateway with the one key. Use it in an `async with` statement."""

    def __init__(self, url: str) -> None:
        self.url = f"{url}/v1/chat/completions"
        self.headers = {"Authorization": f"Bearer {KEY}"}

    async def __aenter__(self) -> "Asker":
        # A connection for each call, so that they reach every process.
        connector = aiohttp.TCPConnector(limit=0, force_close=True)
        self.session = aiohttp.ClientSession(connector=connector, headers=self.headers)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.session.close()

    async def ask(
        self, model: str = "plain", most: int = 10
    ) -> tuple[int, dict[str, str], dict[str, Any]]:
        """Return status, headers and body of a plain call."""
        async with self.session.post(self.url, json=body_of(model, most)) as answer:
            headers = {name.lower(): value for name, value in answer.headers.items()}
            return answer.status, headers, await answer.json()

    async def open(self, model: str, most: int = 10) -> aiohttp.ClientResponse:
        """Return a stream that goes on; the caller closes it."""
        return await self.session.post(self.url, json=body_of(model, most, stream=True))


def has_open_calls(data: Path) -> bool:
    """Tell whether any process has admitted a call that has not ended."""
    return any(unfinished(folder) for folder in (data / "journal").iterdir())


def admitted_ids(data: Path) -> set[str]:
    """Return the ids of all calls in the journals, ended or not."""
    return {
        CallRecord.from_json(line.raw).id
        for segment in (data / "journal").glob(f"*/*{SUFFIX}")
        for line in parse(segment.read_bytes())
        if line.kind == ADMITTED
    }


def spent_tokens(records: Iterable[CallRecord]) -> int:
    """Return the generated tokens that the records charge for."""
    return sum(record.completion_tokens or 0 for record in records)


def seed(valkey: "redis.Redis", records: Iterable[CallRecord] = ()) -> None:
    """Tell the counters of money what was spent before they began, as the worker does."""
    for name in valkey.smembers(UNSEEDED_KEY):
        start, since = valkey.hmget(name, "start", "since")
        if start is None or since is None:
            # A process that died held something in it: it begins anew with the next call.
            continue
        start, since = int(start), int(since)
        before = [record for record in records if start <= ended_ms(record) < since]
        valkey.hset(name, "seed", spent_tokens(before) * TOKEN_NANO_USD)
        valkey.srem(UNSEEDED_KEY, name)


def ended_ms(record: CallRecord) -> int:
    return round(record.admitted_at.timestamp() * 1000) + (record.total_ms or 0)


async def served_once_seeded(
    asker: Asker, valkey: "redis.Redis", *, most: int, records: Iterable[CallRecord] = ()
) -> None:
    """Call until the counters know their past; only then so much may be spent."""
    deadline = time.monotonic() + 10
    while (told := await asker.ask(most=most))[0] != 200:
        assert time.monotonic() < deadline, told
        seed(valkey, records)
        await asyncio.sleep(0.2)


async def money_left_is(asker: Asker, tokens: int) -> None:
    """Check that money for exactly so many tokens is left, soon: counters may lag a moment.

    A call by itself may always use the rest, so another one runs meanwhile that needs one token.
    """
    beside = await asker.open("endless", 1)
    assert beside.status == 200
    deadline = time.monotonic() + 10
    while True:
        status, _, body = await asker.ask(most=tokens)
        refused = (status, body.get("error", {}).get("code"))
        assert refused == (429, "rate_limit_exceeded"), body
        status, _, body = await asker.ask(most=tokens - 1)
        if status == 200:
            break
        assert time.monotonic() < deadline, body
        await asyncio.sleep(0.2)
    beside.close()
