"""One pipelined connection to Redis or Valkey: many commands in one write, their replies in order.

It is used by background tasks only; no request waits for it while the journal can be written.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final, Self
from urllib.parse import parse_qs, unquote, urlsplit

import hiredis

Argument = bytes | str | int
Command = Sequence[Argument]
CONNECT_SECONDS: Final = 3.0
REPLY_SECONDS: Final = 10.0
CHUNK: Final = 1 << 16


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
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._parser = hiredis.Reader()
        self._lock = asyncio.Lock()
        self.run_id = ""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    async def call(self, *commands: Command) -> list[Any]:
        """Send the commands in one write and return their replies; a failed one is a Refused.

        Raises Unavailable: then it is unknown which commands were carried out.
        """
        async with self._lock:
            try:
                async with asyncio.timeout(CONNECT_SECONDS + REPLY_SECONDS):
                    if self._streams is None:
                        await self._connect()
                    return await self._exchange(commands)
            except (OSError, TimeoutError, EOFError, hiredis.ProtocolError) as error:
                self.close()
                raise Unavailable(f"{type(error).__name__}: {error}") from None
            except BaseException:
                self.close()  # replies of an interrupted call would answer the next one
                raise

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
        try:
            while True:
                message = await self._reply()
                if isinstance(message, list) and message[0] == b"message":
                    yield message[2]
        except (OSError, EOFError, hiredis.ProtocolError) as error:
            raise Unavailable(f"{type(error).__name__}: {error}") from None
        finally:
            self.close()

    async def _connect(self) -> None:
        self._parser = hiredis.Reader()
        parts = urlsplit(self._url)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        async with asyncio.timeout(CONNECT_SECONDS):
            if parts.scheme in ("unix", "redis+unix", "redis+socket"):
                self._streams = await asyncio.open_unix_connection(unquote(parts.path))
                database = query.get("db", query.get("virtual_host", "0"))
            else:
                context = ssl.create_default_context() if parts.scheme == "rediss" else None
                host, port = parts.hostname or "127.0.0.1", parts.port or 6379
                self._streams = await asyncio.open_connection(host, port, ssl=context)
                database = query.get("db", parts.path.strip("/") or "0")
        setup: list[Command] = []
        if parts.password is not None or "password" in query:
            secret = unquote(parts.password or query.get("password", ""))
            user = [unquote(parts.username)] if parts.username else []
            setup.append(("AUTH", *user, secret))
        if database != "0":
            setup.append(("SELECT", database))
        *replies, info = await self._exchange([*setup, ("INFO", "server")])
        if failed := next((r for r in (*replies, info) if isinstance(r, Refused)), None):
            raise OSError(f"refused: {failed}")
        lines = bytes(info).decode(errors="replace").splitlines()
        self.run_id = next((line[7:] for line in lines if line.startswith("run_id:")), "")

    async def _exchange(self, commands: Sequence[Command]) -> list[Any]:
        assert self._streams is not None
        self._streams[1].write(b"".join([_packed(command) for command in commands]))
        return [await self._reply() for _ in commands]

    async def _reply(self) -> Any:
        assert self._streams is not None
        while (reply := self._parser.gets()) is False:
            if not (data := await self._streams[0].read(CHUNK)):
                raise EOFError("the server closed the connection")
            self._parser.feed(data)
        return Refused(str(reply)) if isinstance(reply, hiredis.ReplyError) else reply


def _packed(command: Command) -> bytes:
    pieces = [b"*%d\r\n" % len(command)]
    for argument in command:
        raw = argument if isinstance(argument, bytes) else str(argument).encode()
        pieces.append(b"$%d\r\n%b\r\n" % (len(raw), raw))
    return b"".join(pieces)
