"""Sessions of the HTTP client in which every connection is judged by address before it is made.

Redirects, cookies, proxies from the environment and decompression are all off: what leaves is what
was asked for, and what comes back is what was sent.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from apps.core.addresses import Policy, Verdict, as_address, judge, judge_address
from apps.gateway.deadlines import Deadlines

USER_AGENT: Final = "PilotDash/0.1"
HEADER_LIMIT: Final = 65_536
KEEPALIVE_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds: to connect, until the first byte of the answer, between bytes, and for all of it."""

    connect: float = 5.0
    first_byte: float = 120.0
    silence: float = 60.0
    whole: float = 900.0


@dataclass(frozen=True, slots=True)
class UpstreamSettings:
    """How we may reach providers. `keys` open their credentials; `proxy` comes with hosts."""

    policy: Policy = field(default_factory=Policy)
    keys: tuple[str, ...] = ()
    proxy: str = ""
    ca_file: str = ""
    timeouts: Timeouts = field(default_factory=Timeouts)


class UpstreamFailure(Exception):
    """The provider gave no answer, or stopped giving it.

    `kind` is one of address, credential, connect, tls, first_byte, silence, whole, broken, size.
    `detail` is a sentence for administrators; it holds no credential.
    """

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(f"{kind}: {detail}")
        self.kind = kind
        self.detail = detail

    @property
    def is_timeout(self) -> bool:
        return self.kind in ("first_byte", "silence", "whole")


@dataclass(slots=True)
class Trail:
    """What happened below the HTTP client during one request."""

    fresh: bool = False
    refused: str = ""


class AddressRefused(OSError):
    """A resolved address may not be connected to."""


_trail: ContextVar[Trail | None] = ContextVar("upstream_trail", default=None)


def new_trail() -> Trail:
    """Begin to note what connections the current task makes."""
    trail = Trail()
    _trail.set(trail)
    return trail


class Connections:
    """The pools of one event loop: one that reuses connections, one whose every one is new."""

    def __init__(self, settings: UpstreamSettings) -> None:
        self.settings = settings
        self.deadlines = Deadlines()
        self._sessions: dict[bool, aiohttp.ClientSession] = {}
        self._contexts: dict[str, ssl.SSLContext] = {}

    async def aclose(self) -> None:
        for session in self._sessions.values():
            await session.close()
        self._sessions.clear()

    def session(self, *, fresh: bool) -> aiohttp.ClientSession:
        session = self._sessions.get(fresh)
        if session is None:
            checked = self.settings.policy.hosts is None
            connector = aiohttp.TCPConnector(
                limit=0,
                force_close=fresh,
                keepalive_timeout=None if fresh else KEEPALIVE_SECONDS,
                resolver=_CheckingResolver(self.settings.policy) if checked else None,
                socket_factory=self._checked_socket if checked else _noted_socket,
            )
            session = self._sessions[fresh] = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                timeout=aiohttp.ClientTimeout(sock_connect=self.settings.timeouts.connect),
                headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity"},
                max_line_size=HEADER_LIMIT,
                max_field_size=HEADER_LIMIT,
            )
        return session

    def tls(self, ca_pem: str) -> ssl.SSLContext:
        """Return a verifying context. Raises UpstreamFailure where an authority is unreadable."""
        context = self._contexts.get(ca_pem)
        if context is None:
            try:
                context = ssl.create_default_context()
                if self.settings.ca_file:
                    context.load_verify_locations(cafile=self.settings.ca_file)
                if ca_pem:
                    context.load_verify_locations(cadata=ca_pem)
            except (OSError, ValueError):
                detail = "The additional certificate authority cannot be read as PEM."
                raise UpstreamFailure("tls", detail) from None
            self._contexts[ca_pem] = context
        return context

    async def check(self, base_url: str) -> Verdict:
        """Judge an address as connecting would: every address that the name has must pass."""
        policy = self.settings.policy
        verdict = judge(base_url, policy)
        url = URL(base_url) if verdict.allowed else URL()
        if not verdict.allowed or policy.hosts is not None or not url.host or not url.port:
            return verdict
        try:
            found = await asyncio.get_running_loop().getaddrinfo(
                url.host, url.port, type=socket.SOCK_STREAM
            )
        except OSError:
            return Verdict(False, f"The name {url.host} does not resolve.")
        for info in found:
            verdict = judge_resolved(str(info[4][0]), url.port, policy)
            if not verdict.allowed:
                break
        return verdict

    def _checked_socket(self, info: aiohttp.AddrInfoType) -> socket.socket:
        # A literal address never reaches the resolver; every connection comes by here.
        _demand(str(info[4][0]), int(info[4][1]), self.settings.policy)
        return _noted_socket(info)


class _CheckingResolver(AbstractResolver):
    """Every answer for a name must pass, so that a mixed answer cannot be gambled on."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._inner = aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        for answer in found:
            _demand(answer["host"], port, self._policy)
        return found

    async def close(self) -> None:
        await self._inner.close()


def judge_resolved(text: str, port: int, policy: Policy) -> Verdict:
    address = as_address(text)
    if address is None:
        return Verdict(False, f"{text} is not an address.")
    return judge_address(address, port, policy)


def _demand(text: str, port: int, policy: Policy) -> None:
    verdict = judge_resolved(text, port, policy)
    if not verdict.allowed:
        # The client may fold several errors into one text, so the reason is noted beside it.
        if (trail := _trail.get()) is not None:
            trail.refused = verdict.rule
        raise AddressRefused(verdict.rule)


def _noted_socket(info: aiohttp.AddrInfoType) -> socket.socket:
    if (trail := _trail.get()) is not None:
        trail.fresh = True
    return socket.socket(family=info[0], type=info[1], proto=info[2])
