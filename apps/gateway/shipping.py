"""Carry finished calls from journal folders into the stream, in batches over one connection.

A segment is deleted a minute after its last record was acknowledged, and everything kept is shipped
again when the server comes back as another process: it may have lost its last second.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import orjson

from apps.gateway.contract import GATEWAYS_KEY, STREAM
from apps.gateway.journal import Folder, Journal, adopt_orphans
from apps.gateway.resp import Command, Connection, Refused, Unavailable, packed_argument
from apps.gateway.segments import FINISHED, Segment

BATCH_SECONDS: Final = 0.1
IDLE_SECONDS: Final = 0.5
BACK_OFF_SECONDS: Final = 0.5
KEEP_SECONDS: Final = 60.0
BEAT_SECONDS: Final = 1.0
ADOPT_SECONDS: Final = 5.0
GONE_SECONDS: Final = 60.0
# All of the command but the record; what packs any command would take its time for each.
_XADD: Final = b"*5\r\n" + b"".join(
    [packed_argument(part.encode()) for part in ("XADD", STREAM, "*", "r")]
)


class Shipper:
    """Ships the folder of this process and those it adopted from dead ones."""

    def __init__(
        self,
        root: Path,
        connection: Connection,
        *,
        routes_version: Callable[[], int],
        keep_seconds: float = KEEP_SECONDS,
    ) -> None:
        self._root = root
        self._connection = connection
        self._routes_version = routes_version
        self._keep_seconds = keep_seconds
        self._wake = asyncio.Event()
        self._run_id = ""
        self.folders: list[Folder] = []
        self.is_connected = False

    def wake(self) -> None:
        self._wake.set()

    @property
    def backlog(self) -> int:
        return sum(folder.waiting for folder in self.folders)

    def oldest_age(self) -> float:
        """Return the age in seconds of the oldest finished call that is not in the stream."""
        found = [ms for folder in self.folders if (ms := folder.oldest_ms()) is not None]
        return max(0.0, time.time() - min(found) / 1000) if found else 0.0

    async def ship_for_ever(self) -> None:
        while True:
            try:
                more = await self.ship_once()
            except Unavailable:
                self.is_connected = False
                await asyncio.sleep(BACK_OFF_SECONDS)
                continue
            self._forget_shipped()
            if not more:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(IDLE_SECONDS):
                        await self._wake.wait()
                # One batch for all the calls of the next moments.
                await asyncio.sleep(BATCH_SECONDS)
            self._wake.clear()

    async def ship_once(self) -> bool:
        """Ship a block of every segment; return whether there is more. Raises Unavailable."""
        more = False
        for folder in self.folders:
            for segment in folder.segments:
                if not segment.is_shipped:
                    await self._ship(segment)
                    more = more or not segment.is_shipped
        return more

    async def beat_for_ever(self, name: str) -> None:
        """Tell the others every second how we are; it also notices a restarted server."""
        while True:
            with contextlib.suppress(Unavailable, Refused):
                await self.beat(name)
            await asyncio.sleep(BEAT_SECONDS)

    async def beat(self, name: str) -> None:
        state = {
            "at": time.time(),
            "backlog": self.backlog,
            "oldest_age_s": round(self.oldest_age(), 1),
            "routes_version": self._routes_version(),
        }
        beats, _ = await self._call(
            ("HGETALL", GATEWAYS_KEY), ("HSET", GATEWAYS_KEY, name, orjson.dumps(state))
        )
        pairs = zip(beats[::2], beats[1::2], strict=True) if isinstance(beats, list) else ()
        gone = [field for field, raw in pairs if state["at"] - _at(raw) > GONE_SECONDS]
        if gone:
            await self._call(("HDEL", GATEWAYS_KEY, *gone))

    async def adopt_for_ever(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            # Reading what a dead process left can take a while; the event loop has streams to feed.
            self.folders += await loop.run_in_executor(None, adopt_orphans, self._root)
            self.wake()
            await asyncio.sleep(ADOPT_SECONDS)

    def close(self) -> None:
        """Release the adopted folders; somebody else goes on with them."""
        for folder in self.folders:
            if not isinstance(folder, Journal):
                folder.release()

    async def _ship(self, segment: Segment) -> None:
        lines = segment.lines()
        finished = [line for line in lines if line.kind == FINISHED]
        if not finished:
            segment.shipped = lines[-1].end if lines else segment.size
            segment.acked_at = time.monotonic()
            return
        replies = await self._call(*[_XADD + packed_argument(line.raw) for line in finished])
        for line, reply in zip(finished, replies, strict=True):
            if isinstance(reply, Refused):
                # Full, or still loading: what follows is offered again with it.
                raise Unavailable(str(reply))
            segment.shipped = line.end
            segment.finished_shipped += 1
        segment.shipped = lines[-1].end
        segment.acked_at = time.monotonic()

    async def _call(self, *commands: Command) -> list[object]:
        replies = await self._connection.call(*commands)
        self.is_connected = True
        run_id = self._connection.run_id
        if self._run_id and run_id != self._run_id:
            for folder in self.folders:
                for segment in folder.segments:
                    segment.ship_again()
            self._run_id = run_id
            self.wake()
            raise Unavailable("the server was restarted; all that is kept is shipped again")
        self._run_id = run_id
        return replies

    def _forget_shipped(self) -> None:
        due = time.monotonic() - self._keep_seconds
        for folder in list(self.folders):
            for segment in list(folder.segments):
                if segment.sealed and segment.is_shipped:
                    if segment.acked_at is None:
                        segment.acked_at = time.monotonic()
                    elif segment.acked_at <= due:
                        folder.drop(segment)
            if not folder.segments and not isinstance(folder, Journal):
                folder.remove()
                self.folders.remove(folder)


def _at(raw: bytes) -> float:
    try:
        return float(orjson.loads(raw)["at"])
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        return 0.0
