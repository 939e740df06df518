"""The newest route table, swapped whole; kept on disk, so that a gateway starts on its own."""

from __future__ import annotations

import asyncio
import contextlib
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from apps.gateway.contract import (
    ROUTES_CHANNEL,
    ROUTES_KEY,
    ROUTES_VERSION_KEY,
    RouteTable,
)
from apps.gateway.resp import Connection, Refused, Unavailable

POLL_SECONDS: Final = 0.5
# A database that was set up anew counts from one again; clocks of two web servers differ by less.
RESET_AGE: Final = timedelta(seconds=60)
EMPTY: Final = RouteTable(version=0, built_at=datetime(1970, 1, 1, tzinfo=UTC))


class Routes:
    """Holds the table in force as `table`. Tables that cannot be read leave it as it is."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rejected = b""
        self.table = EMPTY

    @property
    def version(self) -> int:
        return self.table.version

    def load(self) -> None:
        """Take the table that the last process left on disk, if it can be read."""
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            self.table = RouteTable.from_json(self._path.read_bytes())

    async def follow(self, connection: Connection) -> None:
        """Look for a newer version twice a second, for ever."""
        while True:
            with contextlib.suppress(Unavailable, Refused):
                await self.refresh(connection)
            await asyncio.sleep(POLL_SECONDS)

    async def listen(self, listening: Connection, asking: Connection) -> None:
        """Fetch the table whenever a change is announced, for ever."""
        while True:
            with contextlib.suppress(Unavailable, Refused):
                async for _ in listening.messages(ROUTES_CHANNEL):
                    await self.refresh(asking)
            await asyncio.sleep(POLL_SECONDS)

    async def refresh(self, connection: Connection) -> bool:
        """Fetch the table if its version is another. Raises Unavailable or Refused."""
        version = await connection.ask("GET", ROUTES_VERSION_KEY)
        if version is None or version == self._rejected or version == b"%d" % self.version:
            return False
        raw = await connection.ask("GET", ROUTES_KEY)
        if raw is None:
            return False
        taken = await self.offer(raw)
        self._rejected = b"" if taken else version
        return taken

    async def offer(self, raw: bytes) -> bool:
        """Put a table in force if it is newer; return whether it was."""
        try:
            # A table of thousands of keys takes long enough to be felt by streams.
            table = await asyncio.to_thread(RouteTable.from_json, raw)
        except (ValueError, KeyError, TypeError):
            return False
        if not _is_newer(table, self.table):
            return False
        self.table = table
        with contextlib.suppress(OSError):
            await asyncio.to_thread(_keep, self._path, raw)
        return True


def _is_newer(offered: RouteTable, current: RouteTable) -> bool:
    return offered.version > current.version or offered.built_at > current.built_at + RESET_AGE


def _keep(path: Path, raw: bytes) -> None:
    """Replace the file as a whole: it holds sealed credentials, so it is ours alone."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    building = path.with_name(f"{path.name}.{os.getpid()}")
    file = os.open(building, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(file, "wb") as out:
        out.write(raw)
    building.replace(path)
