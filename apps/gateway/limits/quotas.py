"""What one call takes from limits, from its admission to its end."""

from __future__ import annotations

from datetime import UTC, datetime
from types import TracebackType

from apps.gateway.access import Target
from apps.gateway.call import Call
from apps.gateway.contract import RouteTable
from apps.gateway.errors import Refusal
from apps.gateway.estimate import Calibration
from apps.gateway.limits.cost import expected, used
from apps.gateway.limits.limiter import Limiter
from apps.gateway.limits.reservation import Reservation


class Quotas:
    """Takes calls from the limits that hold for them."""

    def __init__(self, limiter: Limiter, calibration: Calibration) -> None:
        self.limiter = limiter
        self._calibration = calibration

    async def take(self, call: Call, table: RouteTable, now: datetime) -> Quota:
        """Return what the call holds; leaving it gives back what was not used. Raises Refusal."""
        return Quota(self, call, table, await self.reserve(call, call.target, table, now))

    async def reserve(
        self, call: Call, target: Target, table: RouteTable, now: datetime
    ) -> Reservation:
        """Return what a call holds when this candidate answers it. Raises Refusal."""
        need = expected(target.candidate, call.request, call.endpoint, self._calibration, now)
        plan = self.limiter.plan(call.caller, target, table, now)
        taken = await self.limiter.take(call.caller, target, plan, need)
        call.limit_headers = taken.headers
        return taken


class Quota:
    """What one call holds, for the length of a `with`."""

    __slots__ = ("_call", "_quotas", "_table", "_taken")

    def __init__(self, quotas: Quotas, call: Call, table: RouteTable, taken: Reservation) -> None:
        self._quotas = quotas
        self._call = call
        self._table = table
        self._taken = taken
        call.takes_at = self._take_at

    def __enter__(self) -> None:
        return

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        call, limiter = self._call, self._quotas.limiter
        call.takes_at = None  # else both would wait for the garbage collector, bodies and all
        if (record := call.record) is None:
            limiter.settle(self._taken)
            return
        ended_ms = (call.uuid.int >> 80) + (record.total_ms or 0)
        if ended_ms >= self._taken.plan.valid_until_ms:
            # It counts in the period in which it ended, which nobody may have begun yet.
            at = datetime.fromtimestamp(ended_ms / 1000, UTC)
            limiter.begin_periods(limiter.plan(call.caller, call.target, self._table, at))
        limiter.settle(self._taken, used(call.target.candidate, record), ended_ms=ended_ms)

    async def _take_at(self, target: Target) -> bool:
        """Hold what the call needs of the candidate that is to answer, instead of the asked one."""
        self._quotas.limiter.settle(self._taken)
        now = datetime.now(UTC)
        try:
            self._taken = await self._quotas.reserve(self._call, target, self._table, now)
        except Refusal:
            return False
        return True
