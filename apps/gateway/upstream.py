"""Talk to providers: which address, which credential, which connections.

The developer's own headers never come this far, and the provider's credential never leaves here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self
from urllib.parse import urlsplit

from apps.core.addresses import Verdict, judge
from apps.core.secrets import CannotOpen, open_token
from apps.gateway.connections import (
    Connections,
    Timeouts,
    UpstreamFailure,
    UpstreamSettings,
    origin_of,
)
from apps.gateway.contract import ProviderRoute
from apps.gateway.exchange import Body, Exchange, Outgoing, Try
from apps.gateway.heads import FRAMING, USER_AGENT, authority, lines, request_line
from apps.gateway.http1 import Origin

__all__ = ["Exchange", "Timeouts", "Try", "Upstream", "UpstreamFailure", "UpstreamSettings"]

CACHE_LIMIT: Final = 4_096
BODILESS: Final = ("GET", "HEAD")


@dataclass(frozen=True, slots=True)
class _Start:
    """What all requests for one path of one provider begin with, and what none may say again."""

    origin: Origin
    head: bytes
    said: frozenset[str]


class Upstream:
    """Connections to providers, for one event loop. Close it, or use it as a context manager."""

    def __init__(self, settings: UpstreamSettings) -> None:
        self.settings = settings
        self.connections = Connections(settings)
        self._starts: dict[tuple[str, ...], _Start] = {}
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
        body: Body = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Exchange:
        """Return an exchange to be entered: `async with upstream.open(…) as response`.

        `path` is relative to the provider's base address; a body that is still arriving is sent in
        chunks as it does. This, entering and reading raise UpstreamFailure.
        """
        start = self._start(provider, method, path)
        more = lines(headers.items(), start.said) if headers else b""
        head = start.head + more + _framing(method, body)
        return Exchange(self.connections, Outgoing(start.origin, head, body, method == "HEAD"))

    def open_as_is(
        self,
        provider: ProviderRoute,
        method: str,
        target: str,
        body: Body,
        headers: Mapping[str, str],
    ) -> Exchange:
        """Like open(), for a target and headers that a client chose; nothing of it is cached.

        A length among the headers is kept for a body that is still arriving.
        """
        known = {name.lower() for name in headers}
        origin, line = self._request_line(provider, method, provider.base_url.rstrip("/") + target)
        own = [pair for pair in _own_headers(origin) if pair[0].lower() not in known]
        length: int | None = None
        if not isinstance(body, bytes) and "content-length" in known:
            length = _length(next(v for k, v in headers.items() if k.lower() == "content-length"))
        head = line + lines([*own, *headers.items()]) + _framing(method, body, length)
        outgoing = Outgoing(origin, head, body, method == "HEAD", length)
        return Exchange(self.connections, outgoing)

    def url(self, provider: ProviderRoute, path: str) -> str:
        """Return the whole address of a path. Raises UpstreamFailure where no rule allows it."""
        verdict = judge(provider.base_url, self.settings.policy)
        if not verdict.allowed:
            raise UpstreamFailure("address", verdict.rule)
        # Encoded stays encoded: a %2F or %3A in a path means something to the provider.
        return f"{provider.base_url.rstrip('/')}/{path.lstrip('/')}"

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
        """Return the header that the provider knows us by. Raises UpstreamFailure."""
        if provider.auth == "none" or not (credential := self.credential(provider)):
            return {}
        if provider.auth in ("api_key", "x_api_key"):
            return {provider.auth.replace("_", "-"): credential}
        return {"Authorization": f"Bearer {credential}"}

    def _start(self, provider: ProviderRoute, method: str, path: str) -> _Start:
        base, token = provider.base_url, provider.credential
        key = (path, base, method, token, provider.auth, provider.ca_pem)
        known = self._starts.get(key)
        if known is None:
            origin, line = self._request_line(provider, method, self.url(provider, path))
            headers = [*_own_headers(origin), *self.authorization(provider).items()]
            said = FRAMING.union(name.lower() for name, _ in headers)
            known = _Start(origin, line + lines(headers), said)
            if len(self._starts) >= CACHE_LIMIT:
                self._starts.clear()
            self._starts[key] = known
        return known

    def _request_line(self, provider: ProviderRoute, method: str, url: str) -> tuple[Origin, bytes]:
        origin = origin_of(provider.base_url, provider.ca_pem)
        root = f"{urlsplit(provider.base_url).scheme}://{urlsplit(provider.base_url).netloc}"
        target = url[len(root) :]
        proxy = self.connections.proxy
        if proxy is None or origin.scheme == "https":
            return origin, request_line(method, target)
        line = request_line(method, target, via_proxy_to=origin)
        if proxy.authorization:
            line += lines([("Proxy-Authorization", proxy.authorization)])
        return origin, line


def _own_headers(origin: Origin) -> list[tuple[str, str]]:
    return [
        ("Host", authority(origin)),
        ("User-Agent", USER_AGENT),
        ("Accept-Encoding", "identity"),
    ]


def _framing(method: str, body: Body, length: int | None = None) -> bytes:
    if isinstance(body, bytes):
        if not body and method in BODILESS:
            return b"\r\n"
        length = len(body)
    if length is None:
        return b"Transfer-Encoding: chunked\r\n\r\n"
    return b"Content-Length: %d\r\n\r\n" % length


def _length(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise UpstreamFailure("request", "The length of the body is not a number of bytes.")
    return int(text)
