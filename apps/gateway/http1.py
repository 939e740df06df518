"""One HTTP/1.1 connection to a server: a request goes out, its answer is parsed as it comes.

llhttp does the parsing, strictly. What is decided here is where an answer ends, how much of it may
wait, and whether anything came that nobody asked for: such a connection is never used again, or its
bytes would be taken for the answer to somebody else's request.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, NamedTuple, cast

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

# Bytes of all header lines of an answer; also of chunk extensions and trailers between two pieces.
HEADER_LIMIT: Final = 65_536
# Bytes of an answer that may wait here to be taken before the server is made to wait.
MOST_WAITING: Final = 1 << 18


class Origin(NamedTuple):
    """What two requests must have in common to go over one connection."""

    scheme: str
    host: str
    port: int
    ca_pem: str = ""


class TooManyHeaders(ValueError):
    """The header lines of an answer are over HEADER_LIMIT."""


class Connection(asyncio.Protocol):
    """One connection: one request at a time, and its answer as it arrives.

    `pieces` is what has come of the body and was not taken yet. `error` is empty, "dead" where the
    connection ended before any byte of an answer, or "broken"; `why` names what was the matter.
    """

    def __init__(self, origin: Origin, on_end: Callable[[Connection], None]) -> None:
        """`on_end` is called once, when the connection can no longer take a request."""
        self.origin = origin
        self.idle_since = 0.0
        self.pieces: list[bytes] = []
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.has_head = self.is_whole = self.is_reusable = self.is_sent = False
        self.is_writing_paused = False
        self.error = self.why = ""
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport
        self._on_end: Callable[[Connection], None] | None = on_end
        self._waiter: asyncio.Future[None] | None = None
        self._is_busy = self._is_head = self._is_reading_paused = False
        self._renew()
        self._reset()

    def _renew(self) -> None:
        # Straight into the list: a function of ours for each piece would be felt.
        self.on_body = self.pieces.append
        self._parser: HttpResponseParser | None = HttpResponseParser(self)

    def _reset(self) -> None:
        self._fields: list[tuple[bytes, bytes]] = []
        self._has_answered = self._is_followed = self._ends_with_connection = False
        self._keeps_alive = False
        # Bytes: of header lines or between pieces, of the segment that is being parsed, waiting;
        # and how many pieces there were when the answer was whole.
        self._overhead = self._arriving = self._waiting = self._end = 0

    # What an exchange does.

    def begin(self, data: bytes, *, is_head: bool, is_sent: bool) -> None:
        """Send a request, or the beginning of one whose rest is written later."""
        self._reset()
        self.has_head = self.is_whole = self.is_reusable = False
        self._is_busy, self._is_head, self.is_sent = True, is_head, is_sent
        self._transport.write(data)

    def write(self, data: bytes | memoryview) -> None:
        """Send more of a request. While `is_writing_paused`, wait for an arrival first."""
        self._transport.write(data)

    def arrival(self) -> asyncio.Future[None]:
        """Return what is done as soon as anything has come, ended, or may be written again."""
        self._waiter = waiter = self._loop.create_future()
        return waiter

    def wake(self) -> bool:
        """End the wait for an arrival, if there is one."""
        waiter, self._waiter = self._waiter, None
        if waiter is None or waiter.done():
            return False
        waiter.set_result(None)
        return True

    def take(self) -> bytes:
        """Return all of the body that has come and was not taken yet."""
        pieces = self.pieces
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        pieces.clear()
        self._waiting = 0
        if self._is_reading_paused:
            self._read_on()
        return data

    def finish(self) -> bool:
        """Let go of an answer that is whole; return whether another request may follow."""
        self._is_busy = False
        self.pieces.clear()
        if not self.is_reusable or self.is_writing_paused:
            self.abort()
            return False
        if self._is_reading_paused:
            self._read_on()
        if self._is_head:
            self._renew()  # it waits for a body that does not come
        return True

    def abort(self) -> None:
        """Close at once; what was not sent yet is dropped."""
        self._leave_pool()
        self._transport.abort()

    # What the event loop tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are none of asyncio's classes.
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if not self._is_busy or self.is_whole or self.error:
            self._refuse_more()
            return
        self._has_answered = True
        self._arriving = size = len(data)
        before = len(self.pieces)
        assert self._parser is not None
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            if not self.is_whole:
                self._break(type(error).__name__)
                return
            self._is_followed = True
        if self.is_whole:
            if self._is_followed or len(self.pieces) > self._end:
                del self.pieces[self._end :]
                self._refuse_more()
        elif len(self.pieces) == before:
            self._overhead += size
            if self._overhead > HEADER_LIMIT:
                self._break(TooManyHeaders.__name__)
                return
        else:
            self._overhead = 0
        self._waiting += size
        if self._waiting > MOST_WAITING and not self._is_reading_paused and not self.is_whole:
            self._is_reading_paused = True
            self._transport.pause_reading()
        self.wake()

    def pause_writing(self) -> None:
        self.is_writing_paused = True

    def resume_writing(self) -> None:
        self.is_writing_paused = False
        self.wake()

    def eof_received(self) -> None:
        self._input_ended(None)
        self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._input_ended(exc)
        self._parser = None  # it and we hold each other

    # What the parser tells.

    def on_message_begin(self) -> None:
        # Only the first byte is told of, so a second answer is noticed however little came of it.
        self._is_followed = self.is_whole

    def on_header(self, name: bytes, value: bytes) -> None:
        self._fields.append((name, value))

    def on_headers_complete(self) -> None:
        if self.is_whole:
            return
        assert self._parser is not None
        status = self._parser.get_status_code()
        fields, self._fields = self._fields, []
        if self._overhead + self._arriving > HEADER_LIMIT and _size(fields) > HEADER_LIMIT:
            raise TooManyHeaders
        if status < 200:
            return  # an interim answer: the real one follows
        self.status, self.headers, self.has_head = status, fields, True
        self._keeps_alive = self._parser.should_keep_alive()
        if self._is_head:
            self._complete()
        elif not self._keeps_alive:
            self._ends_with_connection = not _is_framed(fields)

    def on_message_complete(self) -> None:
        if self.has_head and not self.is_whole:
            self._complete()

    def _complete(self) -> None:
        self.is_whole = True
        self._end = len(self.pieces)
        self.is_reusable = self._keeps_alive and self.is_sent

    def _input_ended(self, error: Exception | None) -> None:
        self._leave_pool()
        self.is_reusable = False
        if not self._is_busy or self.is_whole or self.error:
            return
        if error is None and self.has_head and self._ends_with_connection:
            self.is_whole = True
        else:
            self.error = "broken" if self._has_answered else "dead"
            self.why = type(error).__name__ if error else "ConnectionClosed"
        self.wake()

    def _break(self, why: str) -> None:
        self.error, self.why = "broken", why
        self.abort()
        self.wake()

    def _refuse_more(self) -> None:
        self.is_reusable = False
        self.abort()

    def _read_on(self) -> None:
        self._is_reading_paused = False
        self._transport.resume_reading()

    def _leave_pool(self) -> None:
        on_end, self._on_end = self._on_end, None
        if on_end is not None:
            on_end(self)


def _size(fields: list[tuple[bytes, bytes]]) -> int:
    return sum(len(name) + len(value) + 4 for name, value in fields)


def _is_framed(fields: list[tuple[bytes, bytes]]) -> bool:
    """Tell whether an answer says where it ends; in doubt, yes: a cut one must not look whole."""
    return any(
        name == b"content-length" or (name == b"transfer-encoding" and b"chunked" in value.lower())
        for name, value in ((name.lower(), value) for name, value in fields)
    )
