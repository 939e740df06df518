"""What is done once for each call that ends: the record, the figures, the log line."""

from __future__ import annotations

import time

from apps.gateway import metrics
from apps.gateway.call import Call
from apps.gateway.estimate import Calibration
from apps.gateway.ledger import Ledger


class Recorder:
    """Makes the end of calls durable and learns from them."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.calibration = Calibration()

    async def record(self, call: Call, outcome: str, error: str = "") -> None:
        """Record how a call ended; what comes after the first word on it changes nothing."""
        if call.record is not None:
            return
        now = time.monotonic()
        record = call.record = call.finished(outcome, error, now, self.calibration)
        await self.ledger.finish(record)
        meters = metrics.meters(call.target.candidate.slug)
        meters.count(outcome)
        meters.duration.observe(now - call.begun)
        if call.first_content is not None:
            meters.first_content.observe(call.first_content - call.begun)
        if record.overhead_us is not None:
            metrics.OVERHEAD_SECONDS.observe(record.overhead_us / 1_000_000)
