"""Servers on loopback that say exactly what a test wants, byte by byte."""

import asyncio
from contextlib import asynccontextmanager

from apps.core.addresses import Policy
from apps.gateway.contract import ProviderRoute
from apps.gateway.upstream import Upstream, UpstreamSettings

OK = b"HTTP/1.1 200 OK\r\n"
PLAIN = OK + b"Content-Length: 2\r\n\r\nok"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
OPEN = Policy(loopback_open=True)


class Server:
    """Answers each connection by a function of its own; remembers what it read and what ended."""

    def __init__(self, talk):
        self.talk = talk
        self.connections = 0
        self.ended = asyncio.Event()
        self.read = b""

    async def __call__(self, reader, writer):
        self.connections += 1
        try:
            await self.talk(self, reader, writer)
            while data := await reader.read(1 << 16):
                self.read += data
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.ended.set()
            writer.close()

    async def request(self, reader) -> bytes:
        head = await reader.readuntil(b"\r\n\r\n")
        self.read += head
        length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
        if length:
            self.read += await reader.readexactly(int(length))
        return head


@asynccontextmanager
async def serving(talk, context=None):
    server = Server(talk)
    listening = await asyncio.start_server(server, "127.0.0.1", 0, ssl=context)
    port = listening.sockets[0].getsockname()[1]
    route = ProviderRoute(id=1, slug="p", base_url=f"http://127.0.0.1:{port}/v1")
    try:
        yield server, route
    finally:
        listening.close()


def upstream_of(**more) -> Upstream:
    return Upstream(UpstreamSettings(**({"policy": OPEN} | more)))


async def always(server, reader, writer):
    while True:
        await server.request(reader)
        writer.write(PLAIN)


async def fetch(upstream, route, body=b"{}") -> tuple[bytes, list[str]]:
    async with upstream.open(route, "POST", "x", body) as response:
        data = await response.read(1 << 26)
    return data, [one.error for one in response.tries]
