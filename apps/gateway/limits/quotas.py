"""What one call takes from limits, from its admission to its end."""

from __future__ import annotations

from datetime import datetime
from types import TracebackType

from apps.gateway.call import Call
from apps.gateway.contract import RouteTable
from apps.gateway.estimate import Calibration
from apps.gateway.limits.cost import expected, used
from apps.gateway.limits.limiter import Limiter, Reservation


class Quotas:
    """Takes calls from the limits that hold for them."""

    def __init__(self, limiter: Limiter, calibration: Calibration) -> None:
        self._limiter = limiter
        self._calibration = calibration

    async def take(self, call: Call, table: RouteTable, now: datetime) -> Quota:
        """Return what the call holds; leaving it gives back what was not used. Raises Refusal."""
        candidate = call.target.candidate
        need = expected(candidate, call.request, call.endpoint, self._calibration, now)
        taken = await self._limiter.take(call.caller, call.target, need, table, now)
        call.limit_headers = taken.headers
        return Quota(self._limiter, call, table, taken)


class Quota:
    """What one call holds, for the length of a `with`."""

    __slots__ = ("_call", "_limiter", "_table", "_taken")

    def __init__(self, limiter: Limiter, call: Call, table: RouteTable, taken: Reservation) -> None:
        self._limiter = limiter
        self._call = call
        self._table = table
        self._taken = taken

    def __enter__(self) -> None:
        return

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        call = self._call
        if (record := call.record) is None:
            self._limiter.settle(self._taken)
            return
        other = None
        if call.asked is not None:
            at = record.admitted_at
            other = self._limiter.plan(call.caller, call.target, self._table, at)
        self._limiter.settle(
            self._taken,
            used(call.target.candidate, record),
            ended_ms=(call.uuid.int >> 80) + (record.total_ms or 0),
            answered_by=other,
        )
