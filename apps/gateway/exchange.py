"""One request and its answer, with limits for each phase; see upstream.py for who it is sent to."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from math import inf
from types import TracebackType
from typing import Final, Self

from multidict import CIMultiDict, CIMultiDictProxy

from apps.gateway.connections import Connections, UpstreamFailure
from apps.gateway.http1 import Connection, Origin

# One write of a large body would hold the loop for as long as the copy takes.
PIECE: Final = 1 << 18
Body = bytes | AsyncIterator[bytes]


@dataclass(slots=True)
class Try:
    """One try at the provider, in seconds of `time.monotonic()`."""

    started: float
    ended: float = 0.0
    status: int | None = None
    error: str = ""
    # Whether any of the request has left.
    was_sent: bool = False


@dataclass(slots=True)
class Outgoing:
    """What is to be sent. `head` is complete, with the empty line.

    `length` is what the head says of a body that is still arriving: bytes, or None where it is
    sent in chunks.
    """

    origin: Origin
    head: bytes
    body: Body
    is_head: bool = False
    length: int | None = None


class Exchange:
    """One request and its answer. Leaving it before its end closes the connection at once.

    A request on a reused connection that turns out to be dead is tried once more on a new one,
    provided that no byte of an answer came; `tries` tells of both. A body that is still arriving
    cannot be sent twice, so it gets a new connection at once.
    """

    def __init__(self, connections: Connections, outgoing: Outgoing) -> None:
        self._connections = connections
        self._outgoing = outgoing
        self._limits = connections.settings.timeouts
        self._connection: Connection | None = None
        self._status = 0
        self._headers: CIMultiDictProxy[str] | None = None
        self._time = asyncio.get_running_loop().time
        self._is_late = False
        self.tries: list[Try] = []
        # From here on the limits for the first byte and the whole count: the event loop's clock.
        self.started = self._time()
        # Whether any of the answer's body has come.
        self.has_begun = False
        # When the wait under way is given up; for Deadlines.
        self.instant = inf

    @property
    def status(self) -> int:
        assert self._status, "the exchange has not been entered"
        return self._status

    @property
    def headers(self) -> CIMultiDictProxy[str]:
        """The answer's headers; each byte of a value is one character of ISO 8859-1."""
        assert self._headers is not None, "the exchange has not been entered"
        return self._headers

    async def __aenter__(self) -> Self:
        connection = None
        if isinstance(self._outgoing.body, bytes):
            connection = self._connections.pool.take(self._outgoing.origin)
        try:
            if connection is None or not await self._ask(connection, is_reused=True):
                self._connection = None
                connection = await self._connect()
                await self._ask(connection, is_reused=False)
        except BaseException:
            self.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, *_: BaseException | TracebackType | None
    ) -> None:
        connection = self._connection
        if connection is None:
            return
        if kind is None and connection.is_whole:
            self._connection = None
            self._connections.pool.give_back(connection)
        else:
            self.close()

    async def chunk(self) -> bytes:
        """Return the next bytes as they came, or nothing at the end. Raises UpstreamFailure."""
        connection = self._connection
        assert connection is not None, "the exchange has not been entered, or has been left"
        if not (connection.pieces or connection.is_whole or connection.error):
            await self._await_body(connection)
        if connection.pieces:
            self.has_begun = True
            return connection.take()
        if connection.is_whole:
            return b""
        self._note("broken")
        raise UpstreamFailure("broken", f"The provider's answer broke off ({connection.why}).")

    async def read(self, limit: int) -> bytes:
        """Return the whole body. Raises UpstreamFailure, also beyond `limit` bytes."""
        pieces, size = [], 0
        while piece := await self.chunk():
            pieces.append(piece)
            size += len(piece)
            if size > limit:
                self._note("size")
                raise UpstreamFailure("size", f"The provider's answer is over {limit} bytes.")
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    async def chunks(self) -> AsyncIterator[bytes]:
        while piece := await self.chunk():
            yield piece

    def close(self) -> None:
        """Close the connection at once, wherever the exchange stands."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.abort()

    def expire(self) -> None:
        """End the wait under way; for Deadlines."""
        if self._connection is not None and self._connection.wake():
            self._is_late = True

    async def _connect(self) -> Connection:
        self.tries.append(Try(time.monotonic()))
        try:
            with self._connections.deadlines.at(self.started + self._limits.first_byte):
                return await self._connections.connect(self._outgoing.origin)
        except UpstreamFailure as failure:
            self._note(failure.kind)
            raise
        except TimeoutError:
            self._note("first_byte")
            raise UpstreamFailure("first_byte", "The provider did not answer in time.") from None

    async def _ask(self, connection: Connection, *, is_reused: bool) -> bool:
        """Send the request and wait for the answer's head; False where it may be tried again."""
        self._connection = connection
        outgoing = self._outgoing
        body = outgoing.body
        if is_reused:
            self.tries.append(Try(time.monotonic()))
        self.tries[-1].was_sent = True
        try:
            if isinstance(body, bytes) and len(body) <= PIECE:
                head = outgoing.head + body
                connection.begin(head, is_head=outgoing.is_head, is_sent=True)
            else:
                connection.begin(outgoing.head, is_head=outgoing.is_head, is_sent=False)
                await self._send(connection, body)
            until = self.started + self._limits.first_byte
            while not (connection.has_head or connection.error):
                await self._arrival(connection, until)
        except TimeoutError:
            self._note("first_byte")
            raise UpstreamFailure("first_byte", "The provider did not answer in time.") from None
        if connection.has_head:
            self._status = connection.status
            self._headers = CIMultiDictProxy(
                CIMultiDict(
                    [
                        (name.decode("latin-1"), value.decode("latin-1"))
                        for name, value in connection.headers
                    ]
                )
            )
            self._note("", self._status)
            return True
        if connection.error == "broken":
            self._note("broken")
            detail = f"The provider's answer cannot be read ({connection.why})."
            raise UpstreamFailure("broken", detail)
        self._note("dead_connection" if is_reused else "connect")
        if is_reused:
            return False
        detail = f"The provider closed the connection ({connection.why})."
        raise UpstreamFailure("connect", detail)

    async def _send(self, connection: Connection, body: Body) -> None:
        """Send a large body, or one that is still arriving, until it or our interest ends."""
        until = self.started + self._limits.first_byte
        with self._connections.deadlines.at(until):
            if isinstance(body, bytes):
                view = memoryview(body)
                for start in range(0, len(body), PIECE):
                    if not await _has_room(connection):
                        return
                    connection.write(view[start : start + PIECE])
                connection.is_sent = True
            else:
                await self._pass_on(connection, body)

    async def _pass_on(self, connection: Connection, body: AsyncIterator[bytes]) -> None:
        length, size = self._outgoing.length, 0
        async for piece in body:
            if not await _has_room(connection):
                return
            size += len(piece)
            if length is None:
                if piece:  # an empty chunk would be the end
                    connection.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            elif size <= length:
                connection.write(piece)
        if length is None:
            connection.write(b"0\r\n\r\n")
        elif size != length:
            self._note("request")
            detail = "The request's body is not as long as its head says."
            raise UpstreamFailure("request", detail)
        connection.is_sent = True

    async def _await_body(self, connection: Connection) -> None:
        now, limits = self._time(), self._limits
        silent_until = now + limits.silence if self.has_begun else self.started + limits.first_byte
        whole_until = self.started + limits.whole
        until = min(silent_until, whole_until)
        try:
            while not (connection.pieces or connection.is_whole or connection.error):
                await self._arrival(connection, until)
        except TimeoutError:
            kind = "whole" if whole_until < silent_until else "silence"
            self._note(kind if self.has_begun else "first_byte")
            raise UpstreamFailure(self.tries[-1].error, "The provider fell silent.") from None

    async def _arrival(self, connection: Connection, until: float) -> None:
        deadlines = self._connections.deadlines
        self.instant = until
        deadlines.add(self)
        try:
            await connection.arrival()
        finally:
            deadlines.discard(self)
        if self._is_late:
            raise TimeoutError

    def _note(self, error: str, status: int | None = None) -> None:
        last = self.tries[-1]
        last.ended, last.error = time.monotonic(), error
        last.status = last.status if status is None else status


async def _has_room(connection: Connection) -> bool:
    """Wait until more may be sent; False where that is of no use any more.

    It is of none once the server has gone or has answered with an error.
    """
    while connection.is_writing_paused and not _is_over(connection):
        await connection.arrival()
    return not _is_over(connection)


def _is_over(connection: Connection) -> bool:
    is_refused = connection.has_head and connection.status >= 300
    return is_refused or connection.is_whole or bool(connection.error)
