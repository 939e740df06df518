"""Talk to providers: one exchange is one request and its answer, with limits for each phase.

The developer's own headers never come this far, and the provider's credential never leaves here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self

import aiohttp
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from apps.core.addresses import Verdict, judge
from apps.core.secrets import CannotOpen, open_token
from apps.gateway.connections import (
    Connections,
    Timeouts,
    Trail,
    UpstreamFailure,
    UpstreamSettings,
    new_trail,
)
from apps.gateway.contract import ProviderRoute

__all__ = ["Exchange", "Timeouts", "Try", "Upstream", "UpstreamFailure", "UpstreamSettings"]

# One write of a large body would hold the loop for as long as the copy takes.
PIECE: Final = 1 << 18
CACHE_LIMIT: Final = 4_096


@dataclass(slots=True)
class Try:
    """One try at the provider, in seconds of the event loop's clock."""

    started: float
    ended: float = 0.0
    status: int | None = None
    error: str = ""


class Upstream:
    """Connections to providers, for one event loop. Close it, or use it as a context manager."""

    def __init__(self, settings: UpstreamSettings) -> None:
        self.settings = settings
        self.connections = Connections(settings)
        self._urls: dict[tuple[str, str], URL] = {}
        self._credentials: dict[str, str] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        await self.connections.aclose()

    async def check(self, base_url: str) -> Verdict:
        """Judge an address as connecting would; the name, if it is one, is resolved."""
        return await self.connections.check(base_url)

    def open(
        self,
        provider: ProviderRoute,
        method: str,
        path: str,
        body: bytes | AsyncIterator[bytes] = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Exchange:
        """Return an exchange to be entered: `async with upstream.open(…) as response`.

        `path` is relative to the provider's base address; a body that is still arriving is sent as
        it does. Entering and reading raise UpstreamFailure.
        """
        return Exchange(self, provider, method, path, body, headers or {})

    def open_as_is(
        self,
        provider: ProviderRoute,
        method: str,
        target: str,
        body: bytes | AsyncIterator[bytes],
        headers: Mapping[str, str],
    ) -> Exchange:
        """Like open(), for a request target that a client chose: it is not cached."""
        exchange = Exchange(self, provider, method, "", body, headers)
        exchange.target = URL(provider.base_url.rstrip("/") + target, encoded=True)
        return exchange

    def url(self, provider: ProviderRoute, path: str) -> URL:
        known = self._urls.get((provider.base_url, path))
        if known is None:
            verdict = judge(provider.base_url, self.settings.policy)
            if not verdict.allowed:
                raise UpstreamFailure("address", verdict.rule)
            # Encoded stays encoded: a %2F or %3A in a path means something to the provider.
            known = URL(f"{provider.base_url.rstrip('/')}/{path.lstrip('/')}", encoded=True)
            if len(self._urls) >= CACHE_LIMIT:
                self._urls.clear()
            self._urls[provider.base_url, path] = known
        return known

    def credential(self, provider: ProviderRoute) -> str:
        """Return the credential in the clear, or an empty text. Raises UpstreamFailure."""
        if not (token := provider.credential):
            return ""
        known = self._credentials.get(token)
        if known is None:
            try:
                known = open_token(token, self.settings.keys)
            except (CannotOpen, ValueError):
                detail = "The provider's credential cannot be opened with our keys."
                raise UpstreamFailure("credential", detail) from None
            if len(self._credentials) >= CACHE_LIMIT:
                self._credentials.clear()
            self._credentials[token] = known
        return known

    def authorization(self, provider: ProviderRoute) -> dict[str, str]:
        if provider.auth == "none" or not (credential := self.credential(provider)):
            return {}
        if provider.auth == "api_key":
            return {"api-key": credential}
        return {"Authorization": f"Bearer {credential}"}


class Exchange:
    """One request and its answer. Leaving it before its end closes the connection at once.

    A request on a reused connection that turns out to be dead is tried once more on a new one,
    provided that no byte of an answer came; `tries` tells of both.
    """

    def __init__(
        self,
        upstream: Upstream,
        provider: ProviderRoute,
        method: str,
        path: str,
        body: bytes | AsyncIterator[bytes],
        headers: Mapping[str, str],
    ) -> None:
        self._upstream = upstream
        self._provider = provider
        self._request = (method, path)
        self._body = body
        self._headers = headers
        self._response: aiohttp.ClientResponse | None = None
        self._limits = upstream.settings.timeouts
        self._time = asyncio.get_running_loop().time
        self._started = self._time()
        self._has_begun = False
        self.target: URL | None = None
        self.tries: list[Try] = []

    @property
    def status(self) -> int:
        return self._answer.status

    @property
    def headers(self) -> CIMultiDictProxy[str]:
        return self._answer.headers

    async def __aenter__(self) -> Self:
        method, path = self._request
        upstream, provider = self._upstream, self._provider
        options: dict[str, Any] = {
            "headers": _with(upstream.authorization(provider), self._headers),
            "allow_redirects": False,
        }
        url = self.target or upstream.url(provider, path)
        if upstream.settings.proxy:
            options["proxy"] = upstream.settings.proxy
        if url.scheme == "https":
            options["ssl"] = upstream.connections.tls(provider.ca_pem)
        try:
            async with asyncio.timeout_at(self._started + self._limits.first_byte):
                self._response = await self._try(method, url, options)
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
        silent_until = (
            now + limits.silence if self._has_begun else self._started + limits.first_byte
        )
        whole_until = self._started + limits.whole
        try:
            async with asyncio.timeout_at(min(silent_until, whole_until)):
                piece = await self._answer.content.readany()
        except TimeoutError:
            kind = "whole" if whole_until < silent_until else "silence"
            self._note(kind if self._has_begun else "first_byte")
            raise UpstreamFailure(self.tries[-1].error, "The provider fell silent.") from None
        except (aiohttp.ClientError, OSError) as error:
            self._note("broken")
            detail = f"The provider's answer broke off ({type(error).__name__})."
            raise UpstreamFailure("broken", detail) from None
        self._has_begun = True
        return piece

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

    def close(self) -> None:
        if self._response is not None:
            self._response.close()

    @property
    def _answer(self) -> aiohttp.ClientResponse:
        assert self._response is not None, "the exchange has not been entered"
        return self._response

    async def _try(self, method: str, url: URL, options: dict[str, Any]) -> aiohttp.ClientResponse:
        for fresh in (False, True):
            trail = new_trail()
            self.tries.append(Try(self._time()))
            try:
                session = self._upstream.connections.session(fresh=fresh)
                response = await session.request(method, url, data=self._data(options), **options)
            except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
                is_dead = not isinstance(error, aiohttp.ClientConnectorError) and not trail.fresh
                self._note("dead_connection" if is_dead else "connect")
                if fresh or not is_dead or not isinstance(self._body, bytes):
                    raise _failure(error, trail) from None
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

    def _data(self, options: dict[str, Any]) -> bytes | AsyncIterator[bytes] | None:
        if not isinstance(self._body, bytes):
            return self._body
        if len(self._body) <= PIECE:
            return self._body or None
        options["headers"]["Content-Length"] = str(len(self._body))
        return _in_pieces(self._body)

    def _note(self, error: str, status: int | None = None) -> None:
        last = self.tries[-1]
        last.ended, last.error = self._time(), error
        last.status = last.status if status is None else status


def _with(authorization: dict[str, str], headers: Mapping[str, str]) -> CIMultiDict[str]:
    merged = CIMultiDict(headers)
    merged.update(authorization)
    return merged


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
