"""The set test: kill -9 of every process in turn under load, and every call must be accounted for.

Run it with `make set-test`; `test_kill.py` is the same for a single round and few clients.
"""

import asyncio
import os
import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import psycopg

from tests.chaos.clients import Clients
from tests.chaos.staging import cost, counted, dead_letters, stage, stored
from tests.chaos.upstream import RecordingUpstream
from tests.chaos.verdict import Row, Verdict, judge
from tests.product import NotReady, Product, children_of

GATEWAY_WORKERS: Final = 2
WORKER: Final = "gateway worker"
# Each in turn; and at once those two whose deaths lose what the other may not have yet.
VICTIMS: Final = (
    (WORKER,),
    ("gateway",),
    ("worker-ingest",),
    ("worker",),
    ("valkey",),
    ("postgres",),
    ("valkey", "gateway"),
)
KILLS: Final = sum(map(len, VICTIMS))
# How long the load goes on before a kill, at random in this range.
BEFORE_KILL_S: Final = (1.0, 2.5)
STORED_WITHIN_S: Final = 90.0
COUNTED_WITHIN_S: Final = 30.0
POLL_S: Final = 1.0
# Rows must not change any more for so long: later than any second delivery of a restart.
QUIET_S: Final = 3.0


@dataclass(frozen=True)
class Plan:
    rounds: int
    clients: int
    keys: int
    seed: int


class SetTest:
    """One run of all rounds against one product. `say` is told how it goes."""

    def __init__(self, plan: Plan, say: Callable[[str], None]) -> None:
        self.plan = plan
        self.say = say
        self.rng = random.Random(plan.seed)
        self.product = Product(GATEWAY_WORKERS=str(GATEWAY_WORKERS))
        self.upstream = RecordingUpstream()
        self.kills = 0
        self.dead_letters = 0
        self.cost = Decimal(0)
        self.counted: Decimal | None = None

    @property
    def is_good(self) -> bool:
        """Tell whether nothing was set aside, and money counted is money spent."""
        return not self.dead_letters and self.counted == self.cost

    async def run(self) -> Verdict:
        """Return the sum of all rounds. Raises NotReady when a part does not come back."""
        plan = self.plan
        self.say(
            f"{plan.rounds} rounds, {plan.clients} clients, {plan.keys} keys, seed {plan.seed}"
        )
        await self.upstream.start()
        try:
            with self.product as product:
                keys = await asyncio.to_thread(stage, product, self.upstream.url, plan.keys)
                rounds = [await self._round(number, keys) for number in range(1, plan.rounds + 1)]
                total = sum((self._judge(clients) for clients, _ in rounds), Verdict())
                # Rows of an earlier round that came twice, or changed, only now.
                before = sum((verdict for _, verdict in rounds), Verdict())
                self.dead_letters = dead_letters(product)
                await self._compare_money(keys)
        finally:
            await self.upstream.stop()
        self.say(f"in all:   {total.line()}")
        self.say(
            f"killed {self.kills} processes, {self.dead_letters} dead letters;"
            f" rows cost {self.cost.normalize():f} USD, the counter says {_usd(self.counted)}"
        )
        for fault in total.faults():
            self.say(f"  {fault}")
        if (before.rows, before.unequal) != (total.rows, total.unequal):
            raise AssertionError(f"rows changed after their round: {before.line()}")
        return total

    async def _round(self, number: int, keys: list[str]) -> tuple[Clients, Verdict]:
        clients = Clients(self.product.url, keys, self.rng, number)
        async with asyncio.TaskGroup() as tasks:
            for _ in range(self.plan.clients):
                tasks.create_task(clients.run())
            await self._kill_each()
            clients.stop()
        await self._settled(clients)
        verdict = self._judge(clients)
        self.say(f"round {number:2}: {verdict.line()}")
        for fault in verdict.faults()[:3]:
            self.say(f"  {fault}")
        return clients, verdict

    async def _kill_each(self) -> None:
        """Kill one after the other while the load goes on."""
        for victims in self.rng.sample(VICTIMS, len(VICTIMS)):
            await asyncio.sleep(self.rng.uniform(*BEFORE_KILL_S))
            if victims == (WORKER,):
                await asyncio.to_thread(self._kill_worker)
            else:
                await asyncio.to_thread(self._kill, victims)
            self.kills += len(victims)
        await asyncio.sleep(self.rng.uniform(*BEFORE_KILL_S))

    def _kill(self, names: tuple[str, ...]) -> None:
        """Kill parts at once and wait until the supervisor has replaced them."""
        before = {name: self.product.wait_running(name) for name in names}
        for pid in before.values():
            os.kill(pid, signal.SIGKILL)
        for name, pid in before.items():
            self.product.wait_running(name, other_than=pid)

    def _kill_worker(self) -> None:
        """Kill one of the gateway's workers and wait until granian has replaced it."""
        server = self.product.wait_running("gateway")
        worker = self.rng.choice(children_of(server))
        os.kill(worker, signal.SIGKILL)
        deadline = time.monotonic() + 30
        while len(now := children_of(server)) < GATEWAY_WORKERS or worker in now:
            if time.monotonic() > deadline:
                raise NotReady(f"{WORKER} {worker} was not replaced: {now}")
            time.sleep(0.1)

    async def _settled(self, clients: Clients) -> None:
        """Wait until every call of the round is stored and nothing more comes."""
        deadline = time.monotonic() + STORED_WITHIN_S
        awaited = self._seen(clients) | clients.told.ids.keys()
        count, since = -1, time.monotonic()
        while time.monotonic() < deadline:
            try:
                rows = await asyncio.to_thread(self._rows, clients)
            except psycopg.Error:  # it has just been killed
                rows = []
            if len(rows) != count:
                count, since = len(rows), time.monotonic()
            is_complete = awaited <= {row.marker for row in rows}
            if is_complete and time.monotonic() - since >= QUIET_S:
                return
            await asyncio.sleep(POLL_S)

    async def _compare_money(self, keys: list[str]) -> None:
        """Compare what the rows cost with the counter, which may have to look up its past."""
        deadline = time.monotonic() + COUNTED_WITHIN_S
        # A counter that has begun anew asks for its past at the next call.
        await Clients(self.product.url, keys, self.rng, 0).call_once()
        while time.monotonic() < deadline:
            self.cost = await asyncio.to_thread(cost, self.product)
            self.counted = await asyncio.to_thread(counted, self.product)
            if self.counted == self.cost:
                return
            await asyncio.sleep(POLL_S)

    def _rows(self, clients: Clients) -> list[Row]:
        return stored(self.product, f"r{clients.round:02d}-%")

    def _seen(self, clients: Clients) -> set[str]:
        return self.upstream.seen.keys() & clients.told.endpoints.keys()

    def _judge(self, clients: Clients) -> Verdict:
        told = clients.told
        verdict = judge(
            endpoints=told.endpoints,
            ids=told.ids,
            whole=told.whole,
            seen=self._seen(clients),
            finished=self.upstream.finished,
            rows=self._rows(clients),
        )
        verdict.refused, verdict.unanswered = told.refused, told.unanswered
        return verdict


def _usd(money: Decimal | None) -> str:
    return "nothing" if money is None else f"{money.normalize():f} USD"
