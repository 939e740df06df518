"""Money for five calls buys five, to a hundred at a time and whatever is restarted."""

import asyncio
import json
import os
import signal
import time
from collections import Counter
from decimal import Decimal
from itertools import count, islice

import aiohttp
import pytest
import redis

from apps.gateway.contract import GATEWAYS_KEY
from tests.chaos.staging import cost, stage, stored
from tests.chaos.upstream import RecordingUpstream, body_of, usage_of
from tests.product import Product

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]

CHAT = "chat/completions"
WORKERS = 2
TOKENS = 5
# A generated token costs a thousandth of a dollar, a prompt nothing.
CALL_USD = Decimal("0.001") * TOKENS
LIMIT = """
from decimal import Decimal
from django.utils import timezone
from apps.pilots.limits import Allowance, set_limit
from apps.pilots.models import Pilot
from apps.pilots.routing import routes_version
pilot, now = Pilot.objects.get(), timezone.now()
set_limit(pilot=pilot, scope="key", allowance=Allowance(at_once=200), now=now)
set_limit(pilot=pilot, scope="pilot", now=now,
    allowance=Allowance(usd=Decimal(argv[0]), period="pilot"))
result = routes_version()
"""
MARKERS = (
    marker
    for marker in (f"money-{number:06d}" for number in count())
    if usage_of(marker, CHAT).completion == TOKENS
)


async def until(condition, seconds: float = 60):
    end = time.monotonic() + seconds
    while not (found := await condition()):
        assert time.monotonic() < end, "it did not happen in time"
        await asyncio.sleep(0.2)
    return found


class Spender:
    """Calls the product with one key, many calls at a time."""

    def __init__(self, product: Product, key: str) -> None:
        self.product = product
        self.key = key

    async def spend(self, calls: int) -> Counter:
        """Make so many calls at the same time; return how many were answered how."""
        connector = aiohttp.TCPConnector(limit=0, force_close=True)
        async with aiohttp.ClientSession(connector=connector) as session:
            asked = (self._call(session, marker) for marker in islice(MARKERS, calls))
            return Counter(await asyncio.gather(*asked))

    async def _call(self, session: aiohttp.ClientSession, marker: str) -> tuple:
        body = body_of(marker, CHAT, streamed=False)
        headers = {"Authorization": f"Bearer {self.key}", "X-Request-Id": marker}
        try:
            async with session.post(
                f"{self.product.url}/v1/{CHAT}", json=body, headers=headers
            ) as answer:
                code = (await answer.json()).get("error", {}).get("code", "")
                return answer.status, code, answer.headers.get("x-should-retry", "")
        except aiohttp.ClientError:
            return (0, "", "")

    async def is_served(self) -> bool:
        return await self.spend(1) == {(200, "", ""): 1}

    async def is_refused_for_good(self) -> bool:
        """Tell whether the past is known: until then the refusal is for the time being."""
        told = await self.spend(1)
        assert 200 not in {status for status, *_ in told}, "there was no money left"
        return told == {(429, "insufficient_quota", "false"): 1}


async def limit(product: Product, calls: int) -> None:
    """Allow money for so many calls, and wait until every process knows."""
    version = await asyncio.to_thread(product.django, LIMIT, str(CALL_USD * calls))
    saved = json.loads((product.data / "environment.json").read_text())
    broker = redis.Redis.from_url(saved["REDIS_URL"])

    async def is_known() -> bool:
        beats = [json.loads(beat) for beat in broker.hvals(GATEWAYS_KEY)]
        return [beat["routes_version"] >= version for beat in beats].count(True) >= WORKERS

    await until(is_known)
    broker.close()


async def kill(product: Product, part: str) -> None:
    before = await asyncio.to_thread(product.wait_running, part)
    os.kill(before, signal.SIGKILL)
    await asyncio.to_thread(product.wait_running, part, other_than=before)


async def test_money_for_five_calls_buys_five_whatever_is_restarted():
    upstream = RecordingUpstream()
    await upstream.start()
    with Product(GATEWAY_WORKERS=str(WORKERS)) as product:
        (key,) = await asyncio.to_thread(
            stage, product, upstream.url, 1, prices=("0", "0", "1000"), money=CALL_USD
        )
        await limit(product, 6)
        spender = Spender(product, key)
        # Until the worker has said that nothing was spent before, nearly nothing passes.
        await until(spender.is_served)

        told = await spender.spend(100)

        # Some are told that the rest is held by calls that run, others that nothing is left.
        assert told[200, "", ""] == 5
        assert {status for status, *_ in told} == {200, 429}
        await kill(product, "gateway")
        await until(spender.is_refused_for_good)
        assert await spender.spend(20) == {(429, "insufficient_quota", "false"): 20}
        await kill(product, "valkey")
        await until(spender.is_refused_for_good)
        # What was spent is known exactly: money for one more call buys one more.
        await limit(product, 7)
        await until(spender.is_served)
        assert await spender.spend(20) == {(429, "insufficient_quota", "false"): 20}

        async def is_stored() -> bool:
            return len(await asyncio.to_thread(stored, product)) == 7

        await until(is_stored)
        costs = cost(product)
        await upstream.stop()
    assert costs == 7 * CALL_USD
    assert len(upstream.seen) == 7
