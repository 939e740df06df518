"""Connections to servers: who may be connected to, through what, trusting whom.

Redirects, cookies, proxies from the environment and decompression do not exist here: what leaves is
what was asked for, and what comes back is what was sent.
"""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from apps.core.addresses import Policy, Verdict, judge
from apps.gateway.deadlines import Deadlines
from apps.gateway.dialing import (
    AddressRefused,
    Dialer,
    Proxy,
    ProxyRefused,
    judge_resolved,
    parse_proxy,
    tunnel,
)
from apps.gateway.http1 import Connection, Origin
from apps.gateway.pool import Pool


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

    `kind` is one of address, credential, request (it cannot be sent as it is), connect, tls,
    first_byte, silence, whole, broken, size. `detail` is a sentence for administrators; it holds no
    credential.
    """

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(f"{kind}: {detail}")
        self.kind = kind
        self.detail = detail

    @property
    def is_timeout(self) -> bool:
        return self.kind in ("first_byte", "silence", "whole")


class Connections:
    """The connections of one event loop and the limits on what is done with them."""

    def __init__(self, settings: UpstreamSettings) -> None:
        self.settings = settings
        self.deadlines = Deadlines()
        self.pool = Pool()
        self._dialer = Dialer(settings.policy)
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._proxy: Proxy | None = None

    async def aclose(self) -> None:
        await self.pool.aclose()

    @property
    def proxy(self) -> Proxy | None:
        """The operator's egress proxy. Raises UpstreamFailure where it cannot be read."""
        if self._proxy is None and self.settings.proxy:
            try:
                self._proxy = parse_proxy(self.settings.proxy)
            except ValueError:
                detail = "The egress proxy is not given as http://host:port."
                raise UpstreamFailure("connect", detail) from None
        return self._proxy

    async def connect(self, origin: Origin) -> Connection:
        """Return a new connection. Raises UpstreamFailure, within the limit for connecting."""
        try:
            with self.deadlines.after(self.settings.timeouts.connect):
                return await self._connect(origin)
        except AddressRefused as refused:
            raise UpstreamFailure("address", str(refused)) from None
        except ProxyRefused as refused:
            raise UpstreamFailure("connect", str(refused)) from None
        except ssl.SSLError as error:
            detail = f"The provider's certificate does not verify ({type(error).__name__})."
            raise UpstreamFailure("tls", detail) from None
        except (OSError, ValueError) as error:
            detail = f"The provider cannot be connected to ({type(error).__name__})."
            raise UpstreamFailure("connect", detail) from None

    async def _connect(self, origin: Origin) -> Connection:
        context = self.tls(origin.ca_pem) if origin.scheme == "https" else None
        proxy = self.proxy
        at = proxy or origin
        made = await self._dialer.dial(at.host, at.port)
        connection = self.pool.new(origin)
        try:
            if proxy is not None and context is not None:
                await tunnel(made, proxy, origin.host, origin.port)
            await asyncio.get_running_loop().create_connection(
                lambda: connection,
                sock=made,
                ssl=context,
                server_hostname=origin.host if context is not None else None,
            )
        except BaseException:
            made.close()
            raise
        self.pool.add(connection)
        return connection

    def tls(self, ca_pem: str) -> ssl.SSLContext:
        """Return a verifying context. Raises UpstreamFailure where an authority is unreadable."""
        context = self._contexts.get(ca_pem)
        if context is None:
            try:
                context = ssl.create_default_context()
                context.set_alpn_protocols(["http/1.1"])
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
        if not verdict.allowed or policy.hosts is not None:
            return verdict
        origin = origin_of(base_url)
        try:
            found = await self._dialer.resolve(origin.host, origin.port)
        except (OSError, ValueError):
            return Verdict(False, f"The name {origin.host} does not resolve.")
        for address in found:
            verdict = judge_resolved(address, origin.port, policy)
            if not verdict.allowed:
                break
        return verdict


def origin_of(base_url: str, ca_pem: str = "") -> Origin:
    """Return where an address that has been judged leads."""
    parts = urlsplit(base_url)
    assert parts.hostname, "an address without a host does not pass judge()"
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return Origin(parts.scheme, parts.hostname, port, ca_pem)
