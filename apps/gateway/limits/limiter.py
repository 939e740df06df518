"""Take each call from the limits that hold for it, in one round trip, and settle it afterwards.

All processes count together in Redis. Each connection of a process is an epoch: what is reserved
under it counts as long as its lease is renewed. When the connection is lost or slow, the process
goes on by itself; on the next one it registers what is still running under a new epoch, and
whatever money moved unseen is looked up anew by whoever reads the stored calls.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections import Counter as Tally
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Final

from apps.gateway.access import Caller, Target
from apps.gateway.asgi import Headers
from apps.gateway.contract import LIMITS_PREFIX, LimitRoute, RouteTable
from apps.gateway.limits import words
from apps.gateway.limits.commands import RESERVE, SETTLE, Change, Epoch, changes_of
from apps.gateway.limits.cost import NOTHING, Need
from apps.gateway.limits.local import Allowance, LocalLimits
from apps.gateway.limits.plan import MONEYS, UNLESS_SET, Plan, calls_at_once, plan_of
from apps.gateway.resp import Command, Connection, Refused, Reply, Unavailable, packed

# An answer that takes longer is not waited for: the process limits by itself until all is well.
SLOW_SECONDS: Final = 0.25
TICK_SECONDS: Final = 0.05
RECONNECT_SECONDS: Final = 0.5
RENEW_SECONDS: Final = 2.0

log = logging.getLogger(__name__)


class Reservation:
    """What one call holds. `headers` are for its answer, whichever way it ends."""

    __slots__ = ("epoch", "headers", "need", "plan")

    def __init__(self, plan: Plan, need: Need, epoch: Epoch | None) -> None:
        self.plan = plan
        self.need = need
        self.epoch = epoch
        self.headers: Headers = []


class Limiter:
    """The limits of one process. `counts` tells how it decided, by kind."""

    def __init__(self, connection: Connection, *, unless_set: LimitRoute = UNLESS_SET) -> None:
        self._connection = connection
        self._unless_set = unless_set
        self._epoch: Epoch | None = None
        self._last_lease = ""
        self._table: RouteTable | None = None
        self._plans: dict[tuple[int, int], Plan] = {}
        self._running: set[Reservation] = set()
        self._distrusted: set[str] = set()
        self._local = LocalLimits()
        self._allowance = Allowance()
        self.counts: Tally[str] = Tally()

    @property
    def is_alone(self) -> bool:
        """Tell whether this process counts by itself, because Redis is away or slow."""
        return self._epoch is None

    def at_once(self, caller: Caller) -> int | None:
        """Return how many calls a key may have running, or None without a limit."""
        return calls_at_once(caller, self._unless_set)

    async def take(
        self, caller: Caller, target: Target, need: Need, table: RouteTable, now: datetime
    ) -> Reservation:
        """Reserve what a call may need. Raises Refusal: then nothing is reserved."""
        plan = self.plan(caller, target, table, now)
        taken = Reservation(plan, need, self._epoch)
        # Registered before the answer is there: if the connection is lost, the next one knows.
        self._running.add(taken)
        try:
            reply = await self._ask(taken)
            if reply is None:
                self._judge_alone(caller, target, taken, now)
            else:
                self._judge(reply, caller, target, taken, now)
        except BaseException:
            self._running.discard(taken)
            raise
        return taken

    def settle(
        self,
        taken: Reservation,
        used: Need = NOTHING,
        *,
        ended_ms: int = 0,
        answered_by: Plan | None = None,
    ) -> None:
        """Give back what was reserved and count what was used. A second time changes nothing.

        A call without an end was not let through after all: it has used nothing, not even its
        request. Where another candidate answered, the money counts against that one's limits.
        """
        if taken not in self._running:
            return
        self._running.discard(taken)
        plan = taken.plan
        changes = changes_of(plan, taken.need, used, was_let_through=bool(ended_ms))
        if answered_by is not None:
            changes = [
                (one, held, 0 if one.kind in MONEYS and one.scope == "candidate" else spent)
                for one, held, spent in changes
            ]
            changes += [
                (one, 0, used.nano_usd)
                for one in answered_by.counters
                if one.kind in MONEYS and one.scope == "candidate" and used.nano_usd
            ]
        if changes:
            self._send(taken.epoch, changes, ended_ms)

    async def keep(self) -> None:
        """Connect, renew the lease, and part from a connection that is slow, for ever."""
        loop = asyncio.get_running_loop()
        renewed, was_slow = 0.0, False
        while True:
            # When it is we who were busy, the answer is there and is read before the next look.
            is_slow = self._connection.oldest_wait > SLOW_SECONDS
            if self._epoch is None or not self._connection.is_open:
                try:
                    await self.connect()
                except (Unavailable, Refused) as error:
                    self.part(f"limits are counted by this process alone: {error}")
                    await asyncio.sleep(RECONNECT_SECONDS)
                    continue
                renewed = loop.time()
            elif is_slow and was_slow:
                self.part("limits are counted by this process alone: the server is slow")
            elif loop.time() - renewed > RENEW_SECONDS:
                renewed = loop.time()
                _forget(self._connection.send(self._epoch.lease))
            was_slow = is_slow
            await asyncio.sleep(TICK_SECONDS)

    def part(self, reason: str) -> None:
        """Go on alone until keep() has connected again."""
        log.warning("%s", reason)
        self._epoch = None
        self._connection.close(reason)

    async def connect(self) -> None:
        """Begin an epoch: register what is running. Raises Unavailable or Refused."""
        await self._connection.connect()
        await self._connection.ask("SCRIPT", "LOAD", RESERVE)
        await self._connection.ask("SCRIPT", "LOAD", SETTLE)
        # From here on nothing waits, so that no call begins or ends in between.
        prefix = f"{LIMITS_PREFIX}{self._connection.run_id}:"
        self._epoch = epoch = Epoch(prefix, secrets.token_hex(8))
        commands: list[Command] = [
            ("HDEL", prefix + name, "since", "start") for name in self._distrusted
        ]
        if self._last_lease:
            commands.append(("DEL", self._last_lease))
        for taken in self._running:
            taken.epoch = epoch
            commands += epoch.registration(taken.plan, taken.need)
        _forget(self._connection.send(epoch.lease))
        for command in commands:
            _forget(self._connection.send(packed(command)))
        self._last_lease = epoch.lease_name
        self._distrusted.clear()
        self._local.clear()

    async def stop(self) -> None:
        """Wait for what has been sent, and give back the lease."""
        if self._epoch is not None:
            with contextlib.suppress(Unavailable, Refused):
                await self._connection.ask("DEL", self._epoch.lease_name)
        self._epoch = None
        self._connection.close("stopped")

    def plan(self, caller: Caller, target: Target, table: RouteTable, now: datetime) -> Plan:
        """Return the limits that hold for a call."""
        if table is not self._table:
            self._table = table
            self._plans.clear()
        found = self._plans.get((caller.key.id, target.candidate.id))
        if found is None or now >= found.valid_until:
            found = plan_of(caller, target.candidate, now, self._unless_set)
            self._plans[caller.key.id, target.candidate.id] = found
        return found

    async def _ask(self, taken: Reservation) -> list[int] | None:
        """Return the script's reply, or None where nobody answers."""
        if taken.epoch is None or not taken.plan.counters:
            return None
        try:
            reply = await self._connection.send(taken.epoch.reserve(taken.plan, taken.need))
        except Unavailable:
            return None
        except asyncio.CancelledError:
            self.settle(taken)
            raise
        if isinstance(reply, Refused):
            self.part(f"limits are counted by this process alone: {reply}")
            return None
        return list(reply)

    def _judge(
        self, reply: list[int], caller: Caller, target: Target, taken: Reservation, now: datetime
    ) -> None:
        refusing, wait_ms, left, unknown, warned = reply[:5]
        self.counts["together"] += 1
        counters = taken.plan.counters
        # A candidate's own limits would tell which one answers for a blind alias.
        if target.alias not in caller.pilot.blind or not taken.plan.tells_candidate:
            taken.headers = words.rate_headers(reply)
        if refusing:
            counter = counters[refusing - 1]
            self.counts[f"refused_{counter.kind}"] += 1
            raise words.refusal(
                counter, caller, target.alias, wait_ms=wait_ms, left=left, now=now
            ).with_headers(taken.headers)
        if not unknown:
            self._allowance.renew(taken.plan)
        elif not self._allowance.takes(taken.plan, taken.need.nano_usd):
            self.counts["money_unknown"] += 1
            self.settle(taken)
            raise words.money_unknown()
        if warned:
            self.counts["warned"] += 1
            text = words.warning(counters[warned - 1], caller, target.alias)
            taken.headers.append((b"x-pilotdash-warning", text))

    def _judge_alone(
        self, caller: Caller, target: Target, taken: Reservation, now: datetime
    ) -> None:
        self.counts["alone"] += 1
        plans = [other.plan for other in self._running if other is not taken]
        if (refused := self._local.refusing(taken.plan, taken.need, plans)) is not None:
            counter, wait_ms = refused
            self.counts[f"refused_{counter.kind}"] += 1
            raise words.refusal(counter, caller, target.alias, wait_ms=wait_ms, left=0, now=now)
        if not self._allowance.takes(taken.plan, taken.need.nano_usd):
            self.counts["money_unknown"] += 1
            raise words.money_unknown()

    def _send(self, epoch: Epoch | None, changes: list[Change], ended_ms: int) -> None:
        if epoch is None or epoch is not self._epoch:
            self._distrust(changes)
            return
        try:
            reply = self._connection.send(epoch.settle(changes, ended_ms))
        except Unavailable:
            self._distrust(changes)
        else:
            reply.add_done_callback(partial(self._after_settling, changes))

    def _after_settling(self, changes: list[Change], reply: Reply) -> None:
        if reply.cancelled() or reply.exception() is not None:
            self._distrust(changes)
        elif isinstance(refused := reply.result(), Refused):
            self._distrust(changes)
            self.part(f"limits are counted by this process alone: {refused}")

    def _distrust(self, changes: list[Change]) -> None:
        """Have the money looked up anew that was spent while nobody could be told."""
        self._distrusted.update(one.name for one, _, used in changes if one.kind in MONEYS and used)


def unless_set(calls_at_once: int) -> LimitRoute:
    """Return the limit of keys in pilots that have set none."""
    return replace(UNLESS_SET, at_once=calls_at_once)


def _forget(reply: Reply) -> None:
    """Let a reply come and go: what it says changes nothing."""
    reply.add_done_callback(lambda done: done.cancelled() or done.exception())
