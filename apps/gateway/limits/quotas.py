"""What one call takes from limits, from its admission to its end."""

from __future__ import annotations

from datetime import UTC, datetime
from types import TracebackType

from apps.gateway.access import Target
from apps.gateway.call import Call
from apps.gateway.contract import RouteTable
from apps.gateway.errors import Refusal
from apps.gateway.estimate import Calibration
from apps.gateway.limits.cost import Need, expected, used
from apps.gateway.limits.limiter import Limiter
from apps.gateway.limits.reservation import Reservation


class Quotas:
    """Takes calls from the limits that hold for them."""

    def __init__(self, limiter: Limiter, calibration: Calibration) -> None:
        self.limiter = limiter
        self._calibration = calibration

    async def take(self, call: Call, table: RouteTable, now: datetime) -> Quota:
        """Return what the call holds; leaving it gives back what was not used. Raises Refusal."""
        plan = self.limiter.plan(call.caller, call.target, table, now)
        taken = await self.limiter.take(
            call.caller, call.target, plan, self.need(call, call.target, now)
        )
        call.limit_headers = taken.headers
        return Quota(self, call, table, taken)

    def need(self, call: Call, target: Target, now: datetime) -> Need:
        """Return what the call may need if this target answers."""
        candidate = target.candidate
        return expected(candidate, call.request, call.endpoint, self._calibration, now)


class Quota:
    """What one call holds, for the length of a `with`."""

    __slots__ = ("_call", "_held", "_more", "_quotas", "_table", "_taken")

    def __init__(self, quotas: Quotas, call: Call, table: RouteTable, taken: Reservation) -> None:
        self._quotas = quotas
        self._call = call
        self._table = table
        self._taken = taken
        self._more: Reservation | None = None
        self._held: Reservation | None = None
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
            self._give_back()
            return
        ended_ms = (call.uuid.int >> 80) + (record.total_ms or 0)
        if ended_ms >= self._taken.plan.valid_until_ms:
            # It counts in the period in which it ended, which nobody may have begun yet.
            at = datetime.fromtimestamp(ended_ms / 1000, UTC)
            limiter.begin_periods(limiter.plan(call.caller, call.target, self._table, at))
        spent = used(call.target.candidate, record)
        elsewhere = call.asked is not None
        limiter.settle(self._taken, spent, ended_ms=ended_ms, answered_elsewhere=elsewhere)
        if self._more is not None:
            limiter.settle(self._more, spent, ended_ms=ended_ms)
        self._give_back()

    def _give_back(self) -> None:
        for taken in (self._more, self._held):
            if taken is not None:
                self._quotas.limiter.settle(taken)  # changes nothing where that has been done

    async def _take_at(self, target: Target) -> bool:
        """Take the call from what limits the candidate that is to answer in another one's place."""
        limiter, call, now = self._quotas.limiter, self._call, datetime.now(UTC)
        plan = limiter.plan(call.caller, target, self._table, now)
        need = self._quotas.need(call, target, now)
        try:
            self._more = await limiter.take(call.caller, target, plan.of_candidate, need)
            if need.nano_usd and not self._taken.need.nano_usd:
                # Who was asked first costs nothing by the token, and no limit on money was looked
                # at. What is held here is given back; what is spent, the first reservation tells.
                self._held = await limiter.take(call.caller, target, plan.of_others_money, need)
        except Refusal:
            self._give_back()
            return False
        return True
