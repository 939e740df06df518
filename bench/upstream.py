"""A provider that costs next to nothing: fixed answers over asyncio's bare protocol.

Plain requests get a whole completion. A body with `"stream":true` gets one event for each of its
`max_tokens` (256 at most), one that finishes and one with usage, at a pace. Run as
`python -m bench.upstream PORT PACE_MS`.
"""

import asyncio
import contextlib
import re
import sys
from typing import cast

import orjson

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: %b\r\n"
MOST_EVENTS = 256
STREAMED = re.compile(rb'"stream":\s*true')
MAX_TOKENS = re.compile(rb'"max_tokens":\s*(\d+)')
# Larger ones are plain; searching them would hold up the streams that are measured meanwhile.
LARGEST_STREAMED = 1_000_000


def _chunk(delta: dict, reason: str | None = None, usage: dict | None = None) -> bytes:
    choices = [] if usage else [{"index": 0, "delta": delta, "finish_reason": reason}]
    body = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "bench"}
    return _framed(orjson.dumps(body | {"choices": choices, "usage": usage}))


def _framed(data: bytes) -> bytes:
    event = b"data: " + data + b"\n\n"
    return b"%x\r\n%b\r\n" % (len(event), event)


USAGE = {"prompt_tokens": 700, "completion_tokens": 64, "total_tokens": 764}
PLAIN_BODY = orjson.dumps(
    {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "bench",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "def f(x):\n    return x\n" * 20},
                "finish_reason": "stop",
            }
        ],
        "usage": USAGE,
    }
)
PLAIN = HEAD % b"application/json" + b"content-length: %d\r\n\r\n" % len(PLAIN_BODY) + PLAIN_BODY
STREAM_HEAD = HEAD % b"text/event-stream" + b"transfer-encoding: chunked\r\n\r\n"
WORDS = [_chunk({"content": f" word{n}"}) for n in range(MOST_EVENTS)]
LAST = [_chunk({}, "stop"), _chunk({}, usage=USAGE), _framed(b"[DONE]") + b"0\r\n\r\n"]


class Server(asyncio.Protocol):
    def __init__(self, pace: float) -> None:
        self.pace = pace
        self.buffer = bytearray()
        self.body = self.end = 0
        self.task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are none of asyncio's classes.
        self.transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.task:
            self.task.cancel()

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while self.is_whole():
            self.answer(bytes(self.buffer[self.body : self.end]))
            del self.buffer[: self.end]
            self.end = 0

    def is_whole(self) -> bool:
        if not self.end:
            at = self.buffer.find(b"\r\n\r\n")
            if at < 0:
                return False
            head = bytes(self.buffer[:at]).lower()
            found = head.find(b"content-length:")
            length = int(head[found + 15 :].split(b"\r\n", 1)[0]) if found >= 0 else 0
            self.body, self.end = at + 4, at + 4 + length
        return len(self.buffer) >= self.end

    def answer(self, body: bytes) -> None:
        if len(body) > LARGEST_STREAMED or not STREAMED.search(body):
            self.transport.write(PLAIN)
            return
        found = MAX_TOKENS.search(body)
        events = min(int(found[1]), MOST_EVENTS) if found else MOST_EVENTS
        self.task = asyncio.get_running_loop().create_task(self.stream(events))

    async def stream(self, events: int) -> None:
        write = self.transport.write
        write(STREAM_HEAD)
        loop = asyncio.get_running_loop()
        due = loop.time()
        for event in WORDS[:events] + LAST:
            write(event)
            due += self.pace
            await asyncio.sleep(max(0.0, due - loop.time()))


async def main(port: int, pace: float) -> None:
    server = await asyncio.get_running_loop().create_server(
        lambda: Server(pace), "127.0.0.1", port, backlog=2048
    )
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    with contextlib.suppress(ImportError):
        import uvloop

        uvloop.install()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]) / 1000))
