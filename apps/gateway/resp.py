"""One pipelined connection to Redis or Valkey.

What is asked in one turn of the loop goes out in one write, and so does what is asked while replies
are on their way: a write costs more than the command in it. Replies come in the order of the
commands, so nobody waits for anybody else's.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final, Self, cast
from urllib.parse import parse_qs, unquote, urlsplit

import hiredis

Argument = bytes | str | int
# Its parts, or the bytes that they become.
Command = Sequence[Argument] | bytes
Reply = asyncio.Future[Any]
CONNECT_SECONDS: Final = 3.0
REPLY_SECONDS: Final = 10.0


class Unavailable(Exception):
    """The server cannot be reached, closed the connection, or did not answer in time."""


class Refused(Exception):
    """The server answered one command with an error."""


class Connection:
    """A connection that is made when first used and again after it was lost.

    `run_id` is the server's own; it changes when the server was started again.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._wire: _Wire | None = None
        self._connecting = asyncio.Lock()
        self.run_id = ""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    @property
    def is_open(self) -> bool:
        return self._wire is not None and self._wire.is_open

    @property
    def oldest_wait(self) -> float:
        """Return for how many seconds the first unanswered command has waited; 0 without one."""
        return self._wire.oldest_wait() if self._wire is not None else 0.0

    def close(self, reason: str = "closed") -> None:
        """Give up the connection; who waits for a reply gets Unavailable."""
        if self._wire is not None:
            self._wire.lose(reason)
            self._wire = None

    async def connect(self) -> None:
        """Connect unless connected. Raises Unavailable."""
        async with self._connecting:
            if self.is_open:
                return
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    self._wire, self.run_id = await _open(self._url)
            except (OSError, TimeoutError) as error:
                raise Unavailable(f"{type(error).__name__}: {error}") from None

    def send(self, packed: bytes) -> Reply:
        """Send a packed command and return its reply to come: an error of the server is a Refused.

        Raises Unavailable where there is no connection; so does the reply when it is lost.
        """
        if self._wire is None:
            raise Unavailable("not connected")
        return self._wire.send(packed)

    async def call(self, *commands: Command) -> list[Any]:
        """Send the commands in one write and return their replies; a failed one is a Refused.

        Raises Unavailable: then it is unknown which commands were carried out.
        """
        if not self.is_open:
            await self.connect()
        if not commands or self._wire is None:
            return []
        sent = self._wire.send(b"".join([packed(command) for command in commands]), len(commands))
        try:
            async with asyncio.timeout(REPLY_SECONDS):
                return list(await sent)
        except TimeoutError:
            self.close("no reply in time")
            raise Unavailable("no reply in time") from None

    async def ask(self, *command: Argument) -> Any:
        """Send one command and return its reply. Raises Unavailable or Refused."""
        (reply,) = await self.call(command)
        if isinstance(reply, Refused):
            raise reply
        return reply

    async def messages(self, channel: str) -> AsyncIterator[bytes]:
        """Subscribe and yield what is published. Raises Unavailable.

        The connection serves nothing else meanwhile.
        """
        await self.call(("SUBSCRIBE", channel))
        assert self._wire is not None
        wire = self._wire
        try:
            while True:
                message = await wire.pushed()
                if isinstance(message, list) and message[0] == b"message":
                    yield message[2]
        finally:
            self.close()


class _Waiting:
    """Somebody who waits for one reply, or for the list of `count` replies."""

    __slots__ = ("count", "found", "reply", "since")

    def __init__(self, reply: Reply, since: float, count: int) -> None:
        self.reply = reply
        self.since = since
        self.count = count
        self.found: list[Any] = []


class _Wire(asyncio.Protocol):
    """The protocol of one connection, from its making to its loss."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._parser = hiredis.Reader(replyError=Refused)
        self._waiting: deque[_Waiting] = deque()
        self._pushes: asyncio.Queue[Any] = asyncio.Queue()
        self._unsent: list[bytes] = []
        self._transport: asyncio.Transport | None = None
        self.is_open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are none of asyncio's classes.
        self._transport = cast(asyncio.Transport, transport)
        self.is_open = True

    def connection_lost(self, exc: Exception | None) -> None:
        self.lose("the server closed the connection")

    def data_received(self, data: bytes) -> None:
        self._parser.feed(data)
        try:
            while (reply := self._parser.gets()) is not False:
                if not self._waiting:
                    self._pushes.put_nowait(reply)
                    continue
                waiting = self._waiting[0]
                if waiting.count:
                    waiting.found.append(reply)
                    if len(waiting.found) < waiting.count:
                        continue
                    reply = waiting.found
                self._waiting.popleft()
                if not waiting.reply.done():
                    waiting.reply.set_result(reply)
        except hiredis.ProtocolError as error:
            self.lose(str(error))
        if self._unsent:
            self._flush()

    def send(self, raw: bytes, count: int = 0) -> Reply:
        """Send a command, or `count` of them whose replies come as a list."""
        if not self.is_open:
            raise Unavailable("not connected")
        if not self._waiting:
            self._loop.call_soon(self._flush)
        self._unsent.append(raw)
        reply: Reply = self._loop.create_future()
        self._waiting.append(_Waiting(reply, self._loop.time(), count))
        return reply

    def oldest_wait(self) -> float:
        return self._loop.time() - self._waiting[0].since if self._waiting else 0.0

    async def pushed(self) -> Any:
        """Return the next reply that nobody asked for. Raises Unavailable."""
        message = await self._pushes.get()
        if isinstance(message, Unavailable):
            raise message
        return message

    def lose(self, reason: str) -> None:
        if not self.is_open:
            return
        self.is_open = False
        assert self._transport is not None
        self._transport.abort()
        self._pushes.put_nowait(Unavailable(reason))
        waiting, self._waiting = self._waiting, deque()
        for one in waiting:
            if not one.reply.done():
                one.reply.set_exception(Unavailable(reason))
                one.reply.exception()  # whoever sent and forgot need not look at it

    def _flush(self) -> None:
        unsent, self._unsent = self._unsent, []
        if unsent and self.is_open and self._transport is not None:
            self._transport.write(b"".join(unsent))


async def _open(url: str) -> tuple[_Wire, str]:
    """Return a connection that is set up, and the server's run id. Raises OSError."""
    loop = asyncio.get_running_loop()
    parts = urlsplit(url)
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    if parts.scheme in ("unix", "redis+unix", "redis+socket"):
        _, wire = await loop.create_unix_connection(_Wire, unquote(parts.path))
        database = query.get("db", query.get("virtual_host", "0"))
    else:
        context = ssl.create_default_context() if parts.scheme == "rediss" else None
        host, port = parts.hostname or "127.0.0.1", parts.port or 6379
        _, wire = await loop.create_connection(_Wire, host, port, ssl=context)
        database = query.get("db", parts.path.strip("/") or "0")
    setup: list[Command] = []
    if parts.password is not None or "password" in query:
        secret = unquote(parts.password or query.get("password", ""))
        user = [unquote(parts.username)] if parts.username else []
        setup.append(("AUTH", *user, secret))
    if database != "0":
        setup.append(("SELECT", database))
    try:
        replies = [await wire.send(packed(one)) for one in (*setup, ("INFO", "server"))]
    except Unavailable as error:
        raise OSError(str(error)) from None
    except BaseException:
        wire.lose("given up")
        raise
    if failed := next((reply for reply in replies if isinstance(reply, Refused)), None):
        wire.lose("refused")
        raise OSError(f"refused: {failed}")
    lines = bytes(replies[-1]).decode(errors="replace").splitlines()
    return wire, next((line[7:] for line in lines if line.startswith("run_id:")), "")


def packed(command: Command) -> bytes:
    """Return a command in the server's protocol."""
    if isinstance(command, bytes):
        return command
    raw = [one if isinstance(one, bytes) else str(one).encode() for one in command]
    return b"*%d\r\n%b" % (len(raw), b"".join([packed_argument(one) for one in raw]))


def packed_argument(raw: bytes) -> bytes:
    """Return one argument of a command in the server's protocol."""
    return b"$%d\r\n%b\r\n" % (len(raw), raw)
