"""A load maker: one process, bare asyncio, as many connections as told.

`python -m bench.load URL KEYS CONNECTIONS REQUESTS plain|stream` prints one JSON line with the
latencies in milliseconds, times to the first event, worst gaps between events, and failures.
"""

import asyncio
import contextlib
import json
import sys
import time
from typing import cast
from urllib.parse import urlsplit

PROMPT = "def add(a, b):\n    return a + b\n" * 90  # about 3 KB, like a chat with a file in it


def request(host: str, path: str, key: str, kind: str) -> bytes:
    body = {"model": "bench", "messages": [{"role": "user", "content": PROMPT}], "max_tokens": 256}
    if kind == "stream":
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    raw = json.dumps(body, separators=(",", ":")).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {key}\r\n"
        f"content-type: application/json\r\nuser-agent: bench\r\ncontent-length: {len(raw)}\r\n\r\n"
    )
    return head.encode() + raw


class Client(asyncio.Protocol):
    """Sends requests one after the other and notes what comes when."""

    def __init__(self, raw: bytes, take: "Counter", kind: str) -> None:
        self.raw = raw
        self.take = take
        self.kind = kind
        self.done = asyncio.get_running_loop().create_future()
        self.latencies: list[float] = []
        self.firsts: list[float] = []
        self.gaps: list[float] = []
        self.failures = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are none of asyncio's classes.
        self.transport = cast(asyncio.Transport, transport)
        self.next()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.failures += 1
            self.done.set_result(None)

    def next(self) -> None:
        if not self.take():
            self.done.set_result(None)
            self.transport.close()
            return
        self.buffer = b""
        self.began = self.last = time.perf_counter()
        self.gap = 0.0
        self.is_first = True
        self.transport.write(self.raw)

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter()
        if self.is_first:
            self.firsts.append((now - self.began) * 1000)
            self.is_first = False
        else:
            self.gap = max(self.gap, now - self.last)
        self.last = now
        self.buffer += data
        if self.kind == "stream":
            complete = self.buffer.endswith(b"0\r\n\r\n")
        else:
            end = self.buffer.find(b"\r\n\r\n")
            at = self.buffer[:end].lower().find(b"content-length:")
            length = int(self.buffer[at + 15 : end].split(b"\r\n", 1)[0]) if at >= 0 else 0
            complete = end >= 0 and len(self.buffer) >= end + 4 + length
        if complete:
            if b" 200 " not in self.buffer[:16]:
                self.failures += 1
            self.latencies.append((now - self.began) * 1000)
            self.gaps.append(self.gap * 1000)
            self.next()


class Counter:
    def __init__(self, left: int) -> None:
        self.left = left

    def __call__(self) -> bool:
        self.left -= 1
        return self.left >= 0


async def main(url: str, keys: list[str], connections: int, requests: int, kind: str) -> None:
    parts = urlsplit(url)
    take = Counter(requests)
    loop = asyncio.get_running_loop()
    clients = []
    began = time.perf_counter()
    for number in range(connections):
        raw = request(parts.netloc, parts.path, keys[number % len(keys)], kind)
        _, client = await loop.create_connection(
            lambda raw=raw: Client(raw, take, kind), parts.hostname, parts.port
        )
        clients.append(client)
    await asyncio.gather(*(client.done for client in clients))
    print(
        json.dumps(
            {
                "seconds": time.perf_counter() - began,
                "latencies": sorted(value for client in clients for value in client.latencies),
                "firsts": sorted(value for client in clients for value in client.firsts),
                "gaps": sorted(value for client in clients for value in client.gaps),
                "failures": sum(client.failures for client in clients),
            }
        )
    )


if __name__ == "__main__":
    with contextlib.suppress(ImportError):
        import uvloop

        uvloop.install()
    url, keys, connections, requests, kind = sys.argv[1:]
    asyncio.run(main(url, keys.split(","), int(connections), int(requests), kind))
