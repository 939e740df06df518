"""Refusals are counted by reason, key and day, never stored as calls."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from datetime import UTC, datetime
from typing import Final

from apps.gateway.contract import REFUSALS_KEY
from apps.gateway.resp import Connection, Refused, Unavailable

FLUSH_SECONDS: Final = 1.0
# Reasons are a closed list and only known keys are named, so this is never reached by guessing.
MOST_FIELDS: Final = 10_000


class Refusals:
    """Counts in memory and adds to Redis once a second."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._waiting: Counter[str] = Counter()

    def count(self, reason: str, key_id: int | None) -> None:
        field = f"{reason}:{'-' if key_id is None else key_id}:{datetime.now(UTC):%Y-%m-%d}"
        if field in self._waiting or len(self._waiting) < MOST_FIELDS:
            self._waiting[field] += 1

    async def flush_for_ever(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            with contextlib.suppress(Unavailable):
                await self.flush()

    async def flush(self) -> None:
        """Raises Unavailable; what was counted is kept for the next time."""
        if not self._waiting:
            return
        flushed, self._waiting = self._waiting, Counter()
        try:
            replies = await self._connection.call(
                *(("HINCRBY", REFUSALS_KEY, field, count) for field, count in flushed.items())
            )
        except Unavailable:
            self._waiting.update(flushed)
            raise
        for (field, count), reply in zip(flushed.items(), replies, strict=True):
            if isinstance(reply, Refused):
                self._waiting[field] += count
