"""Make sockets to servers: every address is judged before anything is sent to it.

A name's answers must all pass, so that a mixed one cannot be gambled on, and exactly what was
judged is connected to.
"""

from __future__ import annotations

import asyncio
import base64
import re
import socket
from asyncio.staggered import staggered_race
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final
from urllib.parse import unquote, urlsplit

from apps.core.addresses import Policy, Verdict, as_address, judge_address

# Another address is tried beside one that has not answered for so long (RFC 8305).
NEXT_ADDRESS_SECONDS: Final = 0.25
# Many connections may be made at once, and a resolver may be slow.
REMEMBER_SECONDS: Final = 10.0
MOST_NAMES: Final = 1_024
PROXY_ANSWER_LIMIT: Final = 65_536
_ACCEPTED: Final = re.compile(rb"HTTP/1\.[01] 2\d\d[ \r]")


class AddressRefused(Exception):
    """A resolved address may not be connected to; the text is the rule."""


class ProxyRefused(OSError):
    """The egress proxy did not open a way; the text is a sentence."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """The operator's egress proxy. `authorization` is a header's value, or empty."""

    host: str
    port: int
    authorization: str = ""


def parse_proxy(url: str) -> Proxy:
    """Read http://[user:password@]host[:port]. Raises ValueError."""
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        raise ValueError("an egress proxy is given as http://host:port")
    authorization = ""
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        authorization = "Basic " + base64.b64encode(pair.encode()).decode()
    return Proxy(parts.hostname, parts.port or 80, authorization)


def judge_resolved(text: str, port: int, policy: Policy) -> Verdict:
    """Judge what a resolver answered."""
    address = as_address(text)
    if address is None:
        return Verdict(False, f"{text} is not an address.")
    return judge_address(address, port, policy)


class Dialer:
    """Resolves names and connects to addresses that pass; with a list of hosts, to any."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._known: dict[tuple[str, int], tuple[float, list[str]]] = {}

    async def dial(self, host: str, port: int) -> socket.socket:
        """Return a connected socket. Raises AddressRefused, and OSError or ValueError."""
        found = await self.resolve(host, port)
        if self._policy.hosts is None:
            for address in found:
                verdict = judge_resolved(address, port, self._policy)
                if not verdict.allowed:
                    raise AddressRefused(verdict.rule)
        return await _first_connected(found, port)

    async def resolve(self, host: str, port: int) -> list[str]:
        """Return the addresses of a host, or the one it literally is. Raises OSError."""
        if as_address(host) is not None:
            return [host]
        loop = asyncio.get_running_loop()
        known = self._known.get((host, port))
        if known is not None and known[0] > loop.time():
            return known[1]
        answers = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        found = list(dict.fromkeys(str(info[4][0]) for info in answers))
        if not found:
            raise OSError(f"{host} has no address")
        if len(self._known) >= MOST_NAMES:
            self._known.clear()
        self._known[host, port] = loop.time() + REMEMBER_SECONDS, found
        return found


async def _first_connected(addresses: Sequence[str], port: int) -> socket.socket:
    if len(addresses) == 1:
        return await _connected(addresses[0], port)
    attempts = [partial(_connected, address, port) for address in addresses]
    winner: socket.socket | None
    winner, _, errors = await staggered_race(attempts, NEXT_ADDRESS_SECONDS)
    if winner is None:
        raise next((error for error in errors if error is not None), OSError("no address answered"))
    return winner


async def _connected(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setblocking(False)
        # Without it, every second small write waits for the peer's delayed acknowledgment: 40 ms.
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(made, (address, port))
    except BaseException:
        made.close()
        raise
    return made


async def tunnel(through: socket.socket, proxy: Proxy, host: str, port: int) -> None:
    """Have the proxy connect the socket to a server. Raises ProxyRefused, and OSError."""
    loop = asyncio.get_running_loop()
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    request = f"CONNECT {where} HTTP/1.1\r\nHost: {where}\r\n"
    if proxy.authorization:
        request += f"Proxy-Authorization: {proxy.authorization}\r\n"
    await loop.sock_sendall(through, f"{request}\r\n".encode("ascii"))
    answer = b""
    while b"\r\n\r\n" not in answer:
        piece = await loop.sock_recv(through, 4096)
        answer += piece
        if not piece or len(answer) > PROXY_ANSWER_LIMIT:
            raise ProxyRefused("The egress proxy closed the connection.")
    if not _ACCEPTED.match(answer):
        status = answer[9:12].decode("latin-1")
        raise ProxyRefused(f"The egress proxy refused to connect (status {status}).")
    if not answer.endswith(b"\r\n\r\n") or answer.count(b"\r\n\r\n") > 1:
        # The server behind it cannot have spoken before we greeted it.
        raise ProxyRefused("The egress proxy sent what nobody asked for.")
