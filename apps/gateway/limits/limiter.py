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
import time
from collections import Counter as Tally
from datetime import datetime
from functools import partial
from typing import Final

from apps.gateway.access import Caller, Target
from apps.gateway.contract import LIMITS_PREFIX, UNLESS_SET, LimitRoute, RouteTable
from apps.gateway.limits import words
from apps.gateway.limits.commands import (
    LEASE_SECONDS,
    RESERVE,
    SETTLE,
    Change,
    Epoch,
    changes_of,
)
from apps.gateway.limits.cost import NOTHING, Need
from apps.gateway.limits.local import Allowance, LocalLimits
from apps.gateway.limits.plan import MONEYS, Plan, calls_at_once, plan_of
from apps.gateway.limits.reservation import Reservation
from apps.gateway.resp import Command, Connection, Refused, Reply, Unavailable, packed

# An answer that takes longer is not waited for: the process limits by itself until all is well.
SLOW_SECONDS: Final = 0.25
TICK_SECONDS: Final = 0.05
RECONNECT_SECONDS: Final = 0.5
RENEW_SECONDS: Final = 2.0

log = logging.getLogger(__name__)


class Limiter:
    """The limits of one process. `counts` tells how it decided, by kind."""

    def __init__(self, connection: Connection, *, unless_set: LimitRoute = UNLESS_SET) -> None:
        self._connection = connection
        self._unless_set = unless_set
        self._epoch: Epoch | None = None
        self._last_lease = ""
        self._table: RouteTable | None = None
        self._plans: dict[tuple[int | tuple[int, int], int, bool], Plan] = {}
        self._running: set[Reservation] = set()
        self._distrusted: set[str] = set()
        self._local = LocalLimits()
        self._last_said = ""
        self._allowance = Allowance()
        self.counts: Tally[str] = Tally()

    @property
    def is_alone(self) -> bool:
        """Tell whether this process counts by itself, because Redis is away or slow."""
        return self._epoch is None

    def at_once(self, caller: Caller) -> int | None:
        """Return how many calls a key may have running, or None without a limit."""
        return calls_at_once(caller, self._unless_set)

    async def take(self, caller: Caller, target: Target, plan: Plan, need: Need) -> Reservation:
        """Reserve what a call may need. Raises Refusal: then nothing is reserved."""
        taken = Reservation(plan, need, self._epoch)
        # Registered before the answer is there: if the connection is lost, the next one knows.
        self._running.add(taken)
        try:
            reply = await self._ask(taken)
            if reply is None:
                self._judge_alone(caller, target, taken, time.monotonic())
            else:
                self._judge(reply, caller, target, taken)
        except BaseException:
            self._running.discard(taken)
            raise
        return taken

    def settle(self, taken: Reservation, used: Need = NOTHING, *, ended_ms: int = 0) -> None:
        """Give back what was reserved and count what was used. A second time changes nothing.

        A call without an end was not let through after all: it has used nothing, not even its
        request.
        """
        if taken not in self._running:
            return
        self._running.discard(taken)
        if taken.epoch is None:
            spent, requests = used.tokens - taken.need.tokens, 0 if ended_ms else -1
            self._local.move(taken.plan, time.monotonic(), tokens=spent, requests=requests)
        changes = changes_of(taken.plan, taken.need, used, was_let_through=bool(ended_ms))
        if changes:
            self._send(taken.epoch, changes, ended_ms)

    def begin_periods(self, plan: Plan) -> None:
        """Have the money counters of a plan begin their period, if nobody has yet."""
        if self._epoch is not None and plan.of_money.counters:
            with contextlib.suppress(Unavailable):
                _forget(self._connection.send(self._epoch.reserve(plan.of_money, NOTHING)))

    async def keep(self) -> None:
        """Connect, renew the lease, and part from a connection that is slow, for ever."""
        loop = asyncio.get_running_loop()
        renewed, was_slow = loop.time(), False
        while True:
            # When it is we who were busy, the answer is there and is read before the next look.
            is_slow = self._connection.oldest_wait > SLOW_SECONDS
            if self._epoch is None or not self._connection.is_open:
                try:
                    await self.connect()
                except (Unavailable, Refused) as error:
                    self.part(str(error))
                    await asyncio.sleep(RECONNECT_SECONDS)
                    continue
                renewed = loop.time()
            elif is_slow and was_slow:
                self.part("the server is slow")
            elif loop.time() - renewed > LEASE_SECONDS:
                self.part("this process stood still, and others have dropped what it held")
            elif loop.time() - renewed > RENEW_SECONDS:
                renewed = loop.time()
                _forget(self._connection.send(self._epoch.lease))
            was_slow = is_slow
            await asyncio.sleep(TICK_SECONDS)

    def part(self, reason: str) -> None:
        """Go on alone until keep() has connected again."""
        if reason != self._last_said:
            log.warning("limits are counted by this process alone: %s", reason)
            self._last_said = reason
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
            if taken.epoch is None or taken.epoch.prefix != prefix:
                # Its tokens were taken from buckets that are not these.
                taken.need = Need(0, taken.need.nano_usd)
            taken.epoch = epoch
            commands += epoch.registration(taken.plan, taken.need)
        _forget(self._connection.send(epoch.lease))
        for command in commands:
            _forget(self._connection.send(packed(command)))
        self._last_lease = epoch.lease_name
        self._distrusted.clear()
        self._last_said = ""

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
        is_blind = caller.is_untold(target.alias)
        # Callers without a key would share one number.
        whose = caller.key.id or (caller.pilot.id, caller.key.person_id)
        which = (whose, target.candidate.id, is_blind)
        found = self._plans.get(which)
        if found is None or now >= found.valid_until:
            found = plan_of(caller, target.candidate, now, self._unless_set, is_blind=is_blind)
            self._plans[which] = found
        return found

    async def _ask(self, taken: Reservation) -> list[int] | None:
        """Return the script's reply, or None where nobody answers. Raises Refusal."""
        if taken.epoch is None or not taken.plan.counters:
            return None
        try:
            reply = await self._connection.send(taken.epoch.reserve(taken.plan, taken.need))
        except Unavailable:
            taken.epoch = None
            return None
        except asyncio.CancelledError:
            # Nobody will ever know whether it was taken, but what is registered anew.
            self.part("a call was given up while its limits were asked")
            raise
        if not isinstance(reply, Refused):
            return list(reply)
        if str(reply).startswith("ERR"):  # something about this call, not about the server
            log.error("the limits of a call cannot be counted: %s", reply)
            raise words.not_countable()
        self.part(str(reply))
        taken.epoch = None
        return None

    def _judge(self, reply: list[int], caller: Caller, target: Target, taken: Reservation) -> None:
        refusing, wait_ms, left, unknown, warned = reply[:5]
        self.counts["together"] += 1
        counters = taken.plan.counters
        taken.headers = words.rate_headers(reply)
        if refusing:
            counter = counters[refusing - 1]
            self.counts[f"refused_{counter.kind}"] += 1
            raise words.refusal(
                counter, caller, target.alias, wait_ms=wait_ms, left=left
            ).with_headers(taken.headers)
        if not unknown:
            self._allowance.renew(taken.plan)
        elif self._allowance.suffices(taken.plan, taken.need.nano_usd):
            self._allowance.take(taken.plan, taken.need.nano_usd)
        else:
            self.counts["money_unknown"] += 1
            self.settle(taken)
            raise words.money_unknown()
        if warned and (counter := counters[warned - 1]).is_told:
            self.counts["warned"] += 1
            text = words.warning(counter, caller, target.alias)
            taken.headers.append((b"x-pilotdash-warning", text))

    def _judge_alone(self, caller: Caller, target: Target, taken: Reservation, now: float) -> None:
        plan, need = taken.plan, taken.need
        if not plan.counters:
            return
        self.counts["alone"] += 1
        if not self._allowance.suffices(plan, need.nano_usd):
            self.counts["money_unknown"] += 1
            raise words.money_unknown()
        others = [other.plan for other in self._running if other is not taken]
        if (refused := self._local.refusing(plan, need, others, now)) is not None:
            counter, wait_ms = refused
            self.counts[f"refused_{counter.kind}"] += 1
            raise words.refusal(
                counter, caller, target.alias, wait_ms=wait_ms, left=0
            ).with_headers(words.rate_headers(self._local.left(plan, now)))
        self._allowance.take(plan, need.nano_usd)
        self._local.move(plan, now, tokens=need.tokens, requests=1)
        taken.headers = words.rate_headers(self._local.left(plan, now))

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
        lost = reply.cancelled() or reply.exception() is not None
        if lost or isinstance(reply.result(), Refused):
            self._distrust(changes)

    def _distrust(self, changes: list[Change]) -> None:
        """Have the money looked up anew that was spent while nobody could be told."""
        self._distrusted.update(one.name for one, _, used in changes if one.kind in MONEYS and used)


def _forget(reply: Reply) -> None:
    """Let a reply come and go: what it says changes nothing."""
    reply.add_done_callback(lambda done: done.cancelled() or done.exception())
