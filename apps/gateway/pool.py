"""Connections that wait for their next request."""

from __future__ import annotations

import asyncio
from typing import Final

from apps.gateway.http1 import Connection, Origin

KEEPALIVE_SECONDS: Final = 30.0
# More than a burst leaves behind is not worth a server's memory.
MOST_IDLE: Final = 256
SWEEP_SECONDS: Final = 1.0


class Pool:
    """The connections of one event loop, idle and busy. The last one used is used again first."""

    def __init__(self) -> None:
        self._idle: dict[Origin, dict[Connection, None]] = {}
        self._open: set[Connection] = set()
        self._sweeper: asyncio.TimerHandle | None = None

    def new(self, origin: Origin) -> Connection:
        """Return a connection that is still to be made."""
        return Connection(origin, self._forget)

    def add(self, connection: Connection) -> None:
        """Know a connection that has been made."""
        self._open.add(connection)

    def take(self, origin: Origin) -> Connection | None:
        """Return an idle connection, which may have died without our having been told."""
        idle = self._idle.get(origin)
        if not idle:
            return None
        connection, _ = idle.popitem()
        if connection.idle_since + KEEPALIVE_SECONDS > asyncio.get_running_loop().time():
            return connection
        # It was the youngest; the sweeper closes the others.
        connection.abort()
        return None

    def give_back(self, connection: Connection) -> None:
        """Keep a connection whose answer has ended, if it can be used again; else close it."""
        if not connection.finish():
            return
        idle = self._idle.setdefault(connection.origin, {})
        if len(idle) >= MOST_IDLE:
            connection.abort()
            return
        loop = asyncio.get_running_loop()
        connection.idle_since = loop.time()
        idle[connection] = None
        if self._sweeper is None:
            self._sweeper = loop.call_later(SWEEP_SECONDS, self._sweep)

    async def aclose(self) -> None:
        """Close every connection, those in use as well."""
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None
        for connection in list(self._open):
            connection.abort()
        # The event loop closes sockets in its next rounds.
        for _ in range(3):
            await asyncio.sleep(0)

    def _forget(self, connection: Connection) -> None:
        self._open.discard(connection)
        idle = self._idle.get(connection.origin)
        if idle is not None:
            idle.pop(connection, None)

    def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        oldest = loop.time() - KEEPALIVE_SECONDS
        for origin, idle in list(self._idle.items()):
            for connection in [one for one in idle if one.idle_since <= oldest]:
                connection.abort()
            if not idle:
                del self._idle[origin]
        self._sweeper = loop.call_later(SWEEP_SECONDS, self._sweep) if self._idle else None
