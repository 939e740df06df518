"""Ways to a server: through the operator's proxy, and to one of several addresses."""

import asyncio
import socket
import ssl
import threading
from contextlib import suppress

import pytest

from apps.core.addresses import Policy
from apps.gateway.contract import ProviderRoute
from apps.gateway.exchange import PIECE
from apps.gateway.http1 import MOST_WAITING
from apps.gateway.upstream import UpstreamFailure
from tests.gateway.talking import OK, PLAIN, always, fetch, serving, upstream_of
from tests.gateway.test_upstream import certificate


class Proxy(threading.Thread):
    """Takes one connection, remembers the first head and then answers, or connects to a port."""

    def __init__(self, answer: bytes, port: int = 0):
        super().__init__(daemon=True)
        self.answer, self.target, self.head = answer, port, b""
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        self.start()

    def run(self):
        with self.listening, self.listening.accept()[0] as taken:
            while b"\r\n\r\n" not in self.head:
                self.head += taken.recv(4096)
            taken.sendall(self.answer)
            if not self.target:
                taken.settimeout(2)
                with suppress(OSError):
                    taken.recv(1)
                return
            with socket.create_connection(("127.0.0.1", self.target)) as server:
                back = threading.Thread(target=self.pump, args=(server, taken))
                back.start()
                self.pump(taken, server)
                back.join()

    def pump(self, source, sink):
        with suppress(OSError):
            while data := source.recv(4096):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)


def server_context(folder) -> tuple[ssl.SSLContext, str]:
    pem, private = certificate()
    (folder / "both.pem").write_bytes(private + pem)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "both.pem")
    return context, pem.decode()


async def test_tls_goes_through_the_proxy_to_the_name_that_was_asked_for(tmp_path):
    context, pem = server_context(tmp_path)

    async with serving(always, context) as (server, route):
        port = int(route.base_url.split(":")[2].split("/")[0])
        proxy = Proxy(b"HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n", port)
        settings = {
            "policy": Policy(hosts=("localhost",)),
            "proxy": f"http://us%40er:pw@127.0.0.1:{proxy.port}",
        }
        tls = ProviderRoute(id=1, slug="p", base_url="https://localhost:7/v1", ca_pem=pem)
        async with upstream_of(**settings) as upstream:
            for _ in range(2):
                assert await fetch(upstream, tls) == (b"ok", [""])
        await asyncio.to_thread(proxy.join, 5)

    # Two requests through one way; the proxy never saw them.
    assert proxy.head == (
        b"CONNECT localhost:7 HTTP/1.1\r\nHost: localhost:7\r\n"
        b"Proxy-Authorization: Basic dXNAZXI6cHc=\r\n\r\n"
    )
    assert server.connections == 1
    assert server.read.count(b"POST /v1/x HTTP/1.1\r\nHost: localhost:7\r\n") == 2


async def test_over_tls_too_the_server_waits_and_leaving_closes_at_once(tmp_path):
    context, pem = server_context(tmp_path)
    total = 8 << 20

    async def pouring(server, reader, writer):
        await server.request(reader)
        writer.write(OK + b"Content-Length: %d\r\n\r\n" % total)
        for _ in range(total >> 16):
            writer.write(b"a" * (1 << 16))
            await writer.drain()

    async with serving(pouring, context) as (server, route), upstream_of() as upstream:
        port = route.base_url.split(":")[2]
        tls = ProviderRoute(id=1, slug="p", base_url=f"https://localhost:{port}", ca_pem=pem)
        async with upstream.open(tls, "POST", "x", b"a" * (20 * PIECE)) as response:
            await asyncio.sleep(0.2)
            first = await response.chunk()
            while not server.ended.is_set() and len(first) < total // 2:
                first += await response.chunk()
        await asyncio.wait_for(server.ended.wait(), 1)
        assert not upstream.connections.pool._open
    assert total // 2 <= len(first) < total // 2 + 4 * MOST_WAITING


async def test_plain_http_names_the_whole_address_to_the_proxy():
    proxy = Proxy(PLAIN)
    settings = {
        "policy": Policy(hosts=("a.example",)),
        "proxy": f"http://user@127.0.0.1:{proxy.port}",
    }

    async with upstream_of(**settings) as upstream:
        plain = ProviderRoute(id=1, slug="p", base_url="http://a.example:8080/v1")
        assert await fetch(upstream, plain) == (b"ok", [""])

    assert proxy.head.startswith(
        b"POST http://a.example:8080/v1/x HTTP/1.1\r\nProxy-Authorization: Basic dXNlcjo=\r\n"
        b"Host: a.example:8080\r\n"
    )


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\nsmuggled",
        b"rubbish\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: a\r\n" * 20_000,
    ],
)
async def test_a_proxy_that_opens_no_way_is_a_failure_to_connect(answer):
    proxy = Proxy(answer)
    settings = {
        "policy": Policy(hosts=("a.example",)),
        "proxy": f"http://user:hidden@127.0.0.1:{proxy.port}",
    }

    async with upstream_of(**settings) as upstream:
        tls = ProviderRoute(id=1, slug="p", base_url="https://a.example/v1")
        with pytest.raises(UpstreamFailure) as raised:
            await fetch(upstream, tls)

    assert raised.value.kind == "connect"
    assert "hidden" not in str(raised.value)


@pytest.mark.parametrize("proxy", ["https://127.0.0.1:1", "socks5://127.0.0.1:1", "127.0.0.1:1"])
async def test_other_kinds_of_proxies_are_refused_with_a_sentence(proxy):
    async with upstream_of(policy=Policy(hosts=("a.example",)), proxy=proxy) as upstream:
        plain = ProviderRoute(id=1, slug="p", base_url="http://a.example/v1")
        with pytest.raises(UpstreamFailure, match="http://host:port"):
            await fetch(upstream, plain)


async def test_of_several_addresses_one_that_answers_is_enough(monkeypatch):
    async with serving(always) as (server, route), upstream_of() as upstream:
        port = int(route.base_url.split(":")[2].split("/")[0])

        async def resolved(host, port):
            return ["::1", "127.0.0.1"]

        monkeypatch.setattr(upstream.connections._dialer, "resolve", resolved)
        named = ProviderRoute(id=1, slug="p", base_url=f"http://two.example:{port}/v1")
        assert await fetch(upstream, named) == (b"ok", [""])
    assert server.connections == 1
