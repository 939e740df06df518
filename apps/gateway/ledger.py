"""One place to record a call: in the journal, or in Redis while the journal cannot be written.

Where neither takes the admission, the call is not let through: nothing is served uncounted.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Final

from apps.gateway.contract import ADMITTED_KEY, STREAM, CallRecord
from apps.gateway.journal import Journal, Unwritable
from apps.gateway.resp import Connection, Refused, Unavailable

RETRY_SECONDS: Final = 0.5
SWEEP_SECONDS: Final = 60.0
LONGEST_SECONDS: Final = 900.0
# An admission that is older than the longest call by so much belongs to a dead process.
DEAD_SECONDS: Final = 300.0


class NotRecordable(Exception):
    """Neither the journal nor Redis takes the record."""


class Ledger:
    """Records calls. The ordinary way is one write to the journal, without waiting for anybody."""

    def __init__(
        self,
        journal: Journal,
        connection: Connection,
        *,
        longest_seconds: float = LONGEST_SECONDS,
    ) -> None:
        """`longest_seconds` is how long a call may last."""
        self.journal = journal
        self._dead_seconds = longest_seconds + DEAD_SECONDS
        self._connection = connection
        self._remote: set[str] = set()
        self._unwritten: list[CallRecord] = []

    @property
    def unwritten(self) -> int:
        """How many finished calls are in memory only."""
        return len(self._unwritten)

    async def admit(self, record: CallRecord) -> None:
        """Make it durable that the call is let through. Raises NotRecordable."""
        try:
            self.journal.admit(record, now_ms())
        except Unwritable:
            line = b"%d %b" % (now_ms(), record.to_json())
            try:
                await self._connection.ask("HSET", ADMITTED_KEY, record.id, line)
            except (Unavailable, Refused) as error:
                raise NotRecordable(str(error)) from None
            self._remote.add(record.id)

    async def finish(self, record: CallRecord) -> None:
        """Make it durable how the call ended; what cannot be written now is tried again."""
        try:
            if record.id in self._remote:
                await self._finish_remotely(record)
            else:
                self.journal.finish(record, now_ms())
        except (Unwritable, Unavailable, Refused):
            self._unwritten.append(record)

    async def retry_for_ever(self) -> None:
        last_sweep = 0.0
        while True:
            await asyncio.sleep(RETRY_SECONDS)
            for record in self._unwritten[:]:
                with contextlib.suppress(Unwritable, Unavailable, Refused):
                    await self._finish_somewhere(record)
                    self._unwritten.remove(record)
            if time.monotonic() - last_sweep > SWEEP_SECONDS:
                last_sweep = time.monotonic()
                with contextlib.suppress(Unavailable, Refused):
                    await self.sweep(before_ms=now_ms() - int(self._dead_seconds * 1000))

    async def sweep(self, *, before_ms: int) -> None:
        """Record as crashed what was admitted through Redis by processes that died since."""
        pairs = await self._connection.ask("HGETALL", ADMITTED_KEY)
        for field, line in zip(pairs[::2], pairs[1::2], strict=True):
            written, _, raw = bytes(line).partition(b" ")
            if written.isdigit() and int(written) < before_ms:
                await self._connection.call(
                    ("XADD", STREAM, "*", "r", raw), ("HDEL", ADMITTED_KEY, field)
                )

    async def _finish_somewhere(self, record: CallRecord) -> None:
        if record.id not in self._remote:
            with contextlib.suppress(Unwritable):
                self.journal.finish(record, now_ms())
                return
        await self._finish_remotely(record)
        self.journal.forget(record.id)

    async def _finish_remotely(self, record: CallRecord) -> None:
        await self._connection.ask("XADD", STREAM, "*", "r", record.to_json())
        self._remote.discard(record.id)
        with contextlib.suppress(Unavailable, Refused):  # else the sweep repeats it, harmlessly
            await self._connection.ask("HDEL", ADMITTED_KEY, record.id)


def now_ms() -> int:
    return time.time_ns() // 1_000_000
