"""kill -9 of every process under light load: rows = admitted calls, each exactly once."""

import asyncio
import logging
import os
import random
import signal
import sys
import time
from dataclasses import dataclass, field

import aiohttp
import pytest

from tests.chaos.upstream import EVENTS, RecordingUpstream
from tests.product import Product, children_of

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.timeout(400),
    pytest.mark.skipif(sys.platform != "linux", reason="finds processes through /proc"),
]

log = logging.getLogger(__name__)

CLIENTS = 6
LOAD_AROUND_KILL_S = 2.5
STORED_WITHIN_S = 90

STAGE = """
from datetime import timedelta
from django.utils import timezone
from apps.accounts.actions import create_person
from apps.catalog.actions import add_provider
from apps.catalog.candidates import register_candidate
from apps.pilots.actions import add_trial, create_pilot, enroll, issue_key
now = timezone.now()
today = now.date()
provider = add_provider(slug="up", name="Up", base_url=argv[0], auth="none", now=now)
candidate = register_candidate(
    provider=provider, slug="c", name="C", upstream_model="m", now=now)
pilot = create_pilot(slug="p", name="P", starts_on=today - timedelta(days=1),
    ends_on=today + timedelta(days=9), now=now)
add_trial(pilot=pilot, candidate=candidate, alias="chat", now=now)
result = [
    issue_key(enrollment=enroll(pilot=pilot, person=create_person(now=now), now=now), now=now)[1]
    for _ in range(int(argv[1]))
]
"""
ROWS = """
from apps.usage.models import Call, DeadLetter
assert DeadLetter.objects.count() == 0, list(DeadLetter.objects.values("reason"))
result = list(Call.objects.order_by("id").values("id", "client_request_id", "outcome",
    "prompt_tokens", "completion_tokens", "usage_source"))
"""


@dataclass
class Load:
    """What the clients did and were told. `ids` are the call ids that they saw, by marker."""

    product: Product
    keys: list[str]
    rng: random.Random
    is_over: bool = False
    sent: int = 0
    ids: dict[str, str] = field(default_factory=dict)
    whole: set[str] = field(default_factory=set)

    async def client(self, key: str) -> None:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as session:
            while not self.is_over:
                self.sent += 1
                marker = f"marker-{self.sent:06d}"
                try:
                    await self._call(session, key, marker)
                except (aiohttp.ClientError, TimeoutError, ConnectionError):
                    await asyncio.sleep(0.1)

    async def _call(self, session: aiohttp.ClientSession, key: str, marker: str) -> None:
        body = {
            "model": "chat",
            "messages": [{"role": "user", "content": marker}],
            "stream": self.rng.random() < 0.7,
        }
        headers = {"Authorization": f"Bearer {key}", "X-Request-Id": marker}
        url = f"{self.product.url}/v1/chat/completions"
        leaves = self.rng.random() < 0.15
        async with session.post(url, json=body, headers=headers) as response:
            if response.status != 200:
                await asyncio.sleep(0.1)
                return
            self.ids[marker] = response.headers["x-request-id"]
            text = b""
            async for chunk in response.content.iter_any():
                text += chunk
                if leaves:
                    return
            if b"[DONE]" in text or not body["stream"]:
                self.whole.add(marker)
        await asyncio.sleep(self.rng.uniform(0, 0.05))


async def kill_each(product: Product) -> None:
    """Kill one process after the other, each while the load goes on."""
    await asyncio.sleep(LOAD_AROUND_KILL_S)
    for part in ("worker-ingest", "valkey", "postgres", "gateway worker", "gateway"):
        name = part.split()[0]
        before = await asyncio.to_thread(product.wait_running, name)
        victim = children_of(before)[0] if part == "gateway worker" else before
        os.kill(victim, signal.SIGKILL)
        await asyncio.sleep(LOAD_AROUND_KILL_S)
        if victim == before:
            await asyncio.to_thread(product.wait_running, name, other_than=before)
        await asyncio.sleep(LOAD_AROUND_KILL_S)


async def run_load(product: Product, upstream: RecordingUpstream) -> Load:
    address = f"http://127.0.0.1:{upstream.port}/v1"
    keys = await asyncio.to_thread(product.django, STAGE, address, str(CLIENTS))
    load = Load(product, keys, random.Random(5))
    async with asyncio.TaskGroup() as tasks:
        for key in keys:
            tasks.create_task(load.client(key))
        await kill_each(product)
        load.is_over = True
    return load


async def stored_rows(product: Product, upstream: RecordingUpstream) -> list[dict]:
    """Wait until every call that the provider saw is stored, and nothing more comes."""
    deadline, before = time.monotonic() + STORED_WITHIN_S, -1
    while True:
        rows = await asyncio.to_thread(product.django, ROWS)
        stored = {row["client_request_id"] for row in rows}
        if (upstream.seen.keys() <= stored and len(rows) == before) or time.monotonic() > deadline:
            return rows
        before = len(rows)
        await asyncio.sleep(2)


async def test_no_call_is_lost_or_counted_twice_whatever_is_killed():
    upstream = RecordingUpstream()
    await upstream.start()
    with Product() as product:
        load = await run_load(product, upstream)
        rows = await stored_rows(product, upstream)
        restarts = {name: part["restarts"] for name, part in product.parts().items()}
        await upstream.stop()

    by_marker = {row["client_request_id"]: row for row in rows}
    lost = upstream.seen.keys() - by_marker.keys()
    duplicated = len(rows) - len(by_marker)
    recovered = sum(row["outcome"] == "crashed_unknown" for row in rows)
    finished = load.whole & upstream.finished
    log.info("sent %s, rows %s, finished %s", load.sent, len(rows), len(finished))
    log.info("lost %s, duplicated %s, recovered %s", len(lost), duplicated, recovered)
    assert lost == set()
    assert duplicated == 0
    assert {m: by_marker[m]["id"] for m in load.ids} == load.ids
    names = ("outcome", "usage_source", "prompt_tokens", "completion_tokens")
    told = {marker: tuple(by_marker[marker][name] for name in names) for marker in finished}
    assert told == {marker: ("ok", "provider", len(marker), EVENTS) for marker in finished}
    # What never reached the provider was admitted all the same, and says so.
    never_reached = {by_marker[marker]["outcome"] for marker in by_marker.keys() - upstream.seen}
    assert never_reached <= {"crashed_unknown", "client_cancelled", "upstream_error"}
    assert len(finished) > 100
    assert all(restarts[name] >= 1 for name in ("worker-ingest", "valkey", "postgres", "gateway"))
