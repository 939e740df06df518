"""Hand every path that is not the gateway's to the web process, streamed in both directions.

What the web process is told about the client comes from us: headers of the client's own are
believed only where it is a proxy that the operator trusts.
"""

from __future__ import annotations

import ipaddress
from collections.abc import AsyncIterator, Iterable
from typing import Final

from multidict import CIMultiDict, CIMultiDictProxy

from apps.core.addresses import Network, Policy, as_address
from apps.gateway.asgi import (
    JSON,
    NOT_WHOLE,
    ClientLeft,
    Departure,
    Headers,
    Message,
    Receive,
    Scope,
    Send,
    answer,
    answer_refusal,
)
from apps.gateway.contract import ProviderRoute
from apps.gateway.deadlines import Deadlines
from apps.gateway.errors import Refusal, error_body
from apps.gateway.upstream import Exchange, Timeouts, Upstream, UpstreamFailure, UpstreamSettings

HOP_BY_HOP: Final = frozenset(
    (
        "connection",
        "expect",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    )
)
FORWARDED: Final = frozenset(
    ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip")
)
SPEAKS_FOR: Final = (b"forwarded", b"x-forwarded-for", b"x-real-ip")
# A loopback peer that forwards for somebody is not itself the client, and who is, is not known.
SOMEBODY: Final = "0.0.0.0"
NOT_PASSED_ON: Final = Refusal(
    400, "malformed", "The path or a header holds what no request may hold.", code="invalid_request"
)
DOWN_PAGE: Final = (
    b"<!doctype html><html lang=en><meta charset=utf-8><title>PilotDash is starting</title>"
    b"<h1>PilotDash's pages are not available right now</h1>"
    b"<p>They are starting or being updated. Calls to models are not affected."
    b" Please reload in a moment.</p></html>"
)


def parse_proxies(texts: Iterable[str]) -> tuple[Network, ...]:
    """Return networks of trusted proxies. Raises ValueError."""
    return tuple(ipaddress.ip_network(text, strict=False) for text in texts)


class Pages:
    """The web process behind us."""

    def __init__(self, web_url: str, proxies: tuple[Network, ...]) -> None:
        self._proxies = proxies
        self._web = ProviderRoute(id=0, slug="web", base_url=web_url, auth="none")
        host = web_url.partition("://")[2].partition("/")[0]
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
        # The operator's own setting names this one address, so no rule about upstreams applies.
        policy = Policy(hosts=(name.strip("[]"),))
        limits = Timeouts(connect=5.0, first_byte=120.0, silence=120.0, whole=3_600.0)
        self._deadlines = Deadlines()
        self._upstream = Upstream(UpstreamSettings(policy=policy, timeouts=limits))

    async def aclose(self) -> None:
        await self._upstream.aclose()

    def client_of(self, scope: Scope) -> str:
        """Return the address of the client, as far as it can be known."""
        headers: Headers = scope["headers"]
        peer = _peer(scope)
        if not any(name in SPEAKS_FOR for name, _ in headers):
            return peer
        if self._is_trusted(peer):
            # A header sent in several lines is one list; the proxy's own word is its end.
            lines = [value for name, value in headers if name == b"x-forwarded-for"]
            said = b",".join(lines).rpartition(b",")[2].strip().decode("latin-1")
            return said or SOMEBODY
        address = as_address(peer)
        return SOMEBODY if address is not None and address.is_loopback else peer

    async def hand_over(self, scope: Scope, receive: Receive, send: Send) -> None:
        has_body = any(
            name == b"transfer-encoding" or (name == b"content-length" and value != b"0")
            for name, value in scope["headers"]
        )
        target = scope.get("raw_path") or scope["path"].encode()
        if query := scope.get("query_string"):
            target += b"?" + query
        try:
            exchange = self._upstream.open_as_is(
                self._web,
                scope["method"],
                target.decode("latin-1"),
                _arriving(receive) if has_body else b"",
                self._headers(scope),
            )
        except UpstreamFailure:
            # The server before us refuses such requests; if ever it does not, we do.
            await answer_refusal(send, NOT_PASSED_ON)
            return
        if has_body:
            await self._relay(exchange, scope, send)
        else:
            with Departure(receive, self._deadlines):
                await self._relay(exchange, scope, send)

    async def _relay(self, exchange: Exchange, scope: Scope, send: Send) -> None:
        has_head = False
        try:
            async with exchange as response:
                start: Message = {
                    "type": "http.response.start",
                    "status": response.status,
                    "headers": _back(response.headers),
                }
                has_head = True
                await send(start)
                while chunk := await response.chunk():
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
        except ClientLeft:
            if not has_head:
                await answer_refusal(send, NOT_WHOLE)
            return
        except UpstreamFailure:
            if not has_head:
                await _say_down(scope, send)
                return
            # An unfinished page must not look whole: the server closes the connection on an error.
            raise
        await send({"type": "http.response.body", "body": b""})

    def _headers(self, scope: Scope) -> CIMultiDict[str]:
        incoming: Headers = scope["headers"]
        named = {
            name.strip().lower()
            for key, value in incoming
            if key == b"connection"
            for name in value.decode("latin-1").split(",")
        }
        out: CIMultiDict[str] = CIMultiDict()
        for key, value in incoming:
            name = key.decode("latin-1")
            if name not in HOP_BY_HOP and name not in FORWARDED and name not in named:
                out.add(name, value.decode("latin-1"))
        known = dict(incoming)
        trusted = bool(scope.get("client")) and self._is_trusted(_peer(scope))
        believed = known if trusted else {}
        out["X-Forwarded-For"] = self.client_of(scope)
        out["X-Forwarded-Proto"] = believed.get(
            b"x-forwarded-proto", str(scope.get("scheme", "http")).encode()
        ).decode("latin-1")
        host = believed.get(b"x-forwarded-host", known.get(b"host", b""))
        out["X-Forwarded-Host"] = host.decode("latin-1")
        return out

    def _is_trusted(self, peer: str) -> bool:
        address = as_address(peer)
        return address is not None and any(address in network for network in self._proxies)


def _peer(scope: Scope) -> str:
    """Return who is connected to us; an IPv4 address as such where we listen on IPv6 as well."""
    if not scope.get("client"):
        return SOMEBODY
    peer = str(scope["client"][0])
    address = as_address(peer)
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped) if mapped is not None else peer


async def _arriving(receive: Receive) -> AsyncIterator[bytes]:
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientLeft
        if piece := message.get("body", b""):
            yield piece
        if not message.get("more_body", False):
            return


def _back(headers: CIMultiDictProxy[str]) -> Headers:
    named = {name.strip().lower() for name in headers.get("connection", "").split(",")}
    return [
        (name.lower().encode("latin-1"), value.encode("latin-1"))
        for name, value in headers.items()
        if name.lower() not in HOP_BY_HOP and name.lower() not in named
    ]


async def _say_down(scope: Scope, send: Send) -> None:
    wants_page = b"text/html" in dict(scope["headers"]).get(b"accept", b"")
    more: Headers = [(b"retry-after", b"5"), (b"cache-control", b"no-store")]
    if wants_page:
        html = (b"content-type", b"text/html; charset=utf-8")
        await answer(send, 503, DOWN_PAGE, [html, *more])
    else:
        body = error_body("PilotDash's pages are not available right now.", 503, code="web_down")
        await answer(send, 503, body, [JSON, *more])
