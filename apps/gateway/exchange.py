"""One request and its answer, with limits for each phase; see upstream.py for who it is sent to."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self

import aiohttp
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from apps.gateway.connections import Connections, Trail, UpstreamFailure, new_trail

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


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What is to be sent. `ca_pem` adds authorities for this one server."""

    method: str
    url: URL
    body: Body
    headers: CIMultiDict[str]
    ca_pem: str = ""


class Exchange:
    """One request and its answer. Leaving it before its end closes the connection at once.

    A request on a reused connection that turns out to be dead is tried once more on a new one,
    provided that no byte of an answer came; `tries` tells of both.
    """

    def __init__(self, connections: Connections, outgoing: Outgoing) -> None:
        self._connections = connections
        self._outgoing = outgoing
        self._response: aiohttp.ClientResponse | None = None
        self._limits = connections.settings.timeouts
        self._time = asyncio.get_running_loop().time
        self.tries: list[Try] = []
        # From here on the limits for the first byte and the whole count: the event loop's clock.
        self.started = self._time()
        # Whether any of the answer's body has come.
        self.has_begun = False

    @property
    def status(self) -> int:
        return self._answer.status

    @property
    def headers(self) -> CIMultiDictProxy[str]:
        return self._answer.headers

    async def __aenter__(self) -> Self:
        outgoing, connections = self._outgoing, self._connections
        options: dict[str, Any] = {"headers": outgoing.headers, "allow_redirects": False}
        if connections.settings.proxy:
            options["proxy"] = connections.settings.proxy
        if outgoing.url.scheme == "https":
            options["ssl"] = connections.tls(outgoing.ca_pem)
        try:
            with connections.deadlines.at(self.started + self._limits.first_byte):
                self._response = await self._try(options)
        except TimeoutError:
            self._note("first_byte")
            raise UpstreamFailure("first_byte", "The provider did not answer in time.") from None
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, *_: BaseException | TracebackType | None
    ) -> None:
        if (response := self._response) is None:
            return
        if kind is None and response.content.at_eof():
            response.release()  # at the end of the body: the connection is handed back
        else:
            response.close()

    async def chunk(self) -> bytes:
        """Return the next bytes as they came, or nothing at the end. Raises UpstreamFailure."""
        now, limits = self._time(), self._limits
        silent_until = now + limits.silence if self.has_begun else self.started + limits.first_byte
        whole_until = self.started + limits.whole
        try:
            with self._connections.deadlines.at(min(silent_until, whole_until)):
                piece = await self._answer.content.readany()
        except TimeoutError:
            kind = "whole" if whole_until < silent_until else "silence"
            self._note(kind if self.has_begun else "first_byte")
            raise UpstreamFailure(self.tries[-1].error, "The provider fell silent.") from None
        except (aiohttp.ClientError, OSError) as error:
            self._note("broken")
            detail = f"The provider's answer broke off ({type(error).__name__})."
            raise UpstreamFailure("broken", detail) from None
        self.has_begun = self.has_begun or bool(piece)
        return piece

    async def read(self, limit: int) -> bytes:
        """Return the whole body. Raises UpstreamFailure, also beyond `limit` bytes."""
        pieces, size = [], 0
        content = self._answer.content
        while not content.at_eof() and (piece := await self.chunk()):
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
        if self._response is not None:
            self._response.close()

    @property
    def _answer(self) -> aiohttp.ClientResponse:
        assert self._response is not None, "the exchange has not been entered"
        return self._response

    async def _try(self, options: dict[str, Any]) -> aiohttp.ClientResponse:
        method, url = self._outgoing.method, self._outgoing.url
        for fresh in (False, True):
            trail = new_trail()
            self.tries.append(Try(time.monotonic()))
            try:
                session = self._connections.session(fresh=fresh)
                response = await session.request(method, url, data=self._data(options), **options)
            except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
                is_dead = not isinstance(error, aiohttp.ClientConnectorError) and not trail.fresh
                failure = _failure(error, trail)
                self._note("dead_connection" if is_dead else failure.kind)
                if fresh or not is_dead or not isinstance(self._outgoing.body, bytes):
                    raise failure from None
            except (aiohttp.ClientError, OSError, ValueError) as error:
                if isinstance(error, TimeoutError) and not isinstance(error, aiohttp.ClientError):
                    raise  # our own limit for the first byte
                failure = _failure(error, trail)
                self._note(failure.kind)
                raise failure from None
            else:
                self._note("", response.status)
                return response
        raise AssertionError("the second try returns or raises")

    def _data(self, options: dict[str, Any]) -> Body | None:
        body = self._outgoing.body
        if not isinstance(body, bytes):
            return body
        if len(body) <= PIECE:
            return body or None
        options["headers"]["Content-Length"] = str(len(body))
        return _in_pieces(body)

    def _note(self, error: str, status: int | None = None) -> None:
        last = self.tries[-1]
        last.ended, last.error = time.monotonic(), error
        last.status = last.status if status is None else status


async def _in_pieces(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), PIECE):
        yield body[start : start + PIECE]


def _failure(error: Exception, trail: Trail) -> UpstreamFailure:
    if trail.refused:
        return UpstreamFailure("address", trail.refused)
    name = type(error).__name__
    if isinstance(error, aiohttp.ClientSSLError):
        return UpstreamFailure("tls", f"The provider's certificate does not verify ({name}).")
    if isinstance(
        error, aiohttp.ClientConnectorError | TimeoutError | aiohttp.ClientProxyConnectionError
    ):
        return UpstreamFailure("connect", f"The provider cannot be connected to ({name}).")
    if isinstance(error, aiohttp.ClientOSError | aiohttp.ServerDisconnectedError):
        return UpstreamFailure("connect", f"The provider closed the connection ({name}).")
    return UpstreamFailure("broken", f"The provider's answer cannot be read ({name}).")
