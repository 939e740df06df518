"""A revoked key is refused by every process of the gateway within a second, under load."""

import asyncio
import random
import time
from collections import defaultdict
from contextlib import contextmanager

import pytest

from apps.core.keys import digest
from apps.gateway.contract import CallRecord
from apps.gateway.segments import ADMITTED, SUFFIX, parse
from tests.chaos.clients import Clients
from tests.chaos.staging import stage
from tests.chaos.upstream import RecordingUpstream
from tests.product import Product

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]

CLIENTS = 12
WORKERS = 2
WITHIN_MS = 1_000
REVOKE = """
import time
from django.db import transaction
from django.utils import timezone
from apps.pilots.actions import revoke_key
from apps.pilots.models import Key
key = Key.objects.get(digest=argv[0])
committed = []
with transaction.atomic():
    # Before the hook that publishes: the clock starts at the commit itself.
    transaction.on_commit(lambda: committed.append(time.time_ns() // 1_000_000))
    revoke_key(key=key, now=timezone.now())
result = [key.id, committed[0]]
"""


def admissions(product: Product) -> list[dict[int, list[int]]]:
    """Return, for each process of the gateway, when it admitted calls of which key (in ms)."""
    found = []
    for folder in sorted((product.data / "journal").iterdir()):
        by_key = defaultdict(list)
        for segment in sorted(folder.glob(f"*{SUFFIX}")):
            for line in parse(segment.read_bytes()):
                if line.kind == ADMITTED:
                    record = CallRecord.from_json(line.raw)
                    by_key[record.key_id].append(round(record.admitted_at.timestamp() * 1000))
        found.append(dict(by_key))
    return found


async def until(condition, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        await asyncio.sleep(0.1)


@contextmanager
def stopping(clients: Clients):
    try:
        yield
    finally:
        clients.stop()


async def test_no_process_admits_a_call_a_second_after_the_revocation():
    upstream = RecordingUpstream()
    await upstream.start()
    with Product(GATEWAY_WORKERS=str(WORKERS)) as product:
        keys = await asyncio.to_thread(stage, product, upstream.url, 2)
        clients = Clients(product.url, keys, random.Random(3), 1)
        async with asyncio.TaskGroup() as tasks:
            with stopping(clients):
                for _ in range(CLIENTS):
                    tasks.create_task(clients.run())
                both_keys = [2] * WORKERS
                await until(lambda: [len(by_key) for by_key in admissions(product)] == both_keys)
                revoked, committed = await asyncio.to_thread(
                    product.django, REVOKE, digest(keys[0])
                )
                over = committed + WITHIN_MS

                # The other key shows that every process goes on admitting calls.
                def go_on() -> bool:
                    kept = [
                        times
                        for by_key in admissions(product)
                        for key_id, times in by_key.items()
                        if key_id != revoked
                    ]
                    return all(max(times) > over for times in kept)

                await until(go_on)
                refused = clients.told.refused[401]
                await until(lambda: clients.told.refused[401] > refused)
        by_process = [by_key[revoked] for by_key in admissions(product)]
        await upstream.stop()

    assert [times for times in by_process if max(times) > over] == []
    assert len(by_process) == WORKERS
    assert clients.told.refused.keys() == {401}
