"""What is done once for each call that ends: the record, the figures, the log line."""

from __future__ import annotations

import time

from apps.gateway.call import Call
from apps.gateway.call_log import CallLog, line_of_call
from apps.gateway.estimate import Calibration
from apps.gateway.ledger import Ledger
from apps.gateway.meters import count_call


class Recorder:
    """Makes the end of calls durable, and tells and learns from them."""

    def __init__(self, ledger: Ledger, log: CallLog | None = None) -> None:
        self.ledger = ledger
        self.log = log
        self.calibration = Calibration()

    async def record(self, call: Call, outcome: str, error: str = "") -> None:
        """Record how a call ended; what comes after the first word on it changes nothing."""
        if call.record is not None:
            return
        now = time.monotonic()
        record = call.record = call.finished(outcome, error, now, self.calibration)
        await self.ledger.finish(record)
        first = call.first_content
        count_call(
            record,
            call.target.candidate.slug,
            call.asked.candidate.slug if call.asked is not None else None,
            seconds=now - call.begun,
            first_content=first - call.begun if first is not None else None,
        )
        if self.log is not None:
            self.log.add(line_of_call(call, record))
