"""A load maker: one process, bare asyncio, as many connections as told, and an end to it.

`python -m bench.load JSON` takes the fields of Load and prints one JSON line with the fields of
Found. Only addresses of this machine are asked.
"""

import asyncio
import contextlib
import json
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any, cast

CODE = "def add(a, b):\n    return a + b\n"
HOST = "127.0.0.1"


@dataclass(frozen=True)
class Load:
    """What to send. Every key in turn; streams of `tokens` and two events; bytes as in JSON.

    Connections begin evenly spread over `spread_s`, since people do not press Enter together.
    """

    port: int
    keys: list[str]
    connections: int
    requests: int
    is_streamed: bool = False
    tokens: int = 64
    prompt_bytes: int = 3_000
    headers: dict[str, str] = field(default_factory=dict)
    spread_s: float = 0.0
    delay_s: float = 0.0
    limit_s: float = 60.0


@dataclass
class Found:
    """What came back: milliseconds of the finished ones, sorted, and why others failed."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    firsts: list[float] = field(default_factory=list)
    gaps: list[float] = field(default_factory=list)
    failures: dict[str, int] = field(default_factory=dict)


def requests_of(load: Load) -> list[bytes]:
    """Return the same request once for each key."""
    content = CODE * (load.prompt_bytes // len(json.dumps(CODE)[1:-1]))
    message = {"role": "user", "content": content}
    body: dict[str, Any] = {"model": "bench", "messages": [message], "max_tokens": load.tokens}
    if load.is_streamed:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    raw = json.dumps(body, separators=(",", ":")).encode()
    fields = {
        "host": f"{HOST}:{load.port}",
        "content-type": "application/json",
        "user-agent": "bench",
        "content-length": str(len(raw)),
        **load.headers,
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    first = "POST /v1/chat/completions HTTP/1.1\r\n"
    return [f"{first}authorization: Bearer {k}\r\n{head}\r\n".encode() + raw for k in load.keys]


class Client(asyncio.Protocol):
    """Sends requests one after the other and notes what comes when."""

    def __init__(self, maker: "Maker", number: int) -> None:
        self.maker = maker
        self.number = number
        self.done = asyncio.get_running_loop().create_future()
        self.is_waiting = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are none of asyncio's classes.
        self.transport = cast(asyncio.Transport, transport)
        self.next()

    def connection_lost(self, exc: Exception | None) -> None:
        if self.is_waiting:
            self.maker.failures["connection closed"] += 1
        if not self.done.done():
            self.done.set_result(None)

    def next(self) -> None:
        self.is_waiting = self.maker.take()
        if not self.is_waiting:
            self.transport.close()
            return
        self.head = b""
        self.tail = b""
        self.received = 0
        self.length: int | None = None
        self.first = self.last = self.gap = 0.0
        self.began = time.perf_counter()
        self.transport.write(self.maker.raws[self.number % len(self.maker.raws)])
        self.number += 1

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter()
        if not self.tail:
            self.head += data
            end = self.head.find(b"\r\n\r\n")
            if end < 0:
                return
            head, data = self.head[:end].lower(), self.head[end + 4 :]
            at = head.find(b"content-length:")
            self.length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else None
        if not self.first:
            # Some send the head long before the first event.
            self.first = self.last = now if b"data:" in data else 0.0
        elif data:
            self.gap = max(self.gap, now - self.last)
            self.last = now
        self.received += len(data)
        self.tail = (self.tail + data)[-64:]
        if self.length is None:
            is_whole = self.tail.endswith(b"0\r\n\r\n")
        else:
            is_whole = self.received >= self.length
        if is_whole:
            self.end(now)

    def end(self, now: float) -> None:
        maker, status = self.maker, self.head[9:12].decode()
        if status != "200":
            maker.failures[f"HTTP {status}"] += 1
        elif maker.load.is_streamed and (not self.first or b"[DONE]" not in self.tail):
            maker.failures["the stream was not whole"] += 1
        else:
            maker.found.latencies.append((now - self.began) * 1000)
            if maker.load.is_streamed:
                maker.found.firsts.append((self.first - self.began) * 1000)
                maker.found.gaps.append(self.gap * 1000)
        self.next()


class Maker:
    def __init__(self, load: Load) -> None:
        self.load = load
        self.left = load.requests
        self.raws = requests_of(load)
        self.found = Found()
        self.failures: Counter[str] = Counter()

    def take(self) -> bool:
        self.left -= 1
        return self.left >= 0

    async def connect(self, number: int) -> None:
        load = self.load
        await asyncio.sleep(load.delay_s + load.spread_s * number / load.connections)
        loop = asyncio.get_running_loop()
        try:
            _, client = await loop.create_connection(lambda: Client(self, number), HOST, load.port)
        except OSError:
            self.failures["no connection"] += 1
            return
        await client.done

    async def run(self) -> Found:
        began = time.perf_counter()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.load.limit_s):
                numbers = range(self.load.connections)
                await asyncio.gather(*(self.connect(number) for number in numbers))
        found = self.found
        found.seconds = time.perf_counter() - began
        finished = len(found.latencies) + sum(self.failures.values())
        if missing := self.load.requests - finished:
            self.failures[f"not finished in {self.load.limit_s:.0f} s"] += missing
        for values in (found.latencies, found.firsts, found.gaps):
            values[:] = sorted(round(value, 3) for value in values)
        found.failures = dict(self.failures)
        return found


if __name__ == "__main__":
    with contextlib.suppress(ImportError):
        import uvloop

        uvloop.install()
    print(json.dumps(asdict(asyncio.run(Maker(Load(**json.loads(sys.argv[1]))).run()))))
