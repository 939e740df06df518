"""A provider that costs next to nothing: fixed answers over asyncio's bare protocol.

Plain requests get a whole completion; a body with `"stream":true` gets 66 events at a pace. Run as
`python -m bench.upstream PORT PACE_MS`.
"""

import asyncio
import contextlib
import sys
from typing import cast

import orjson

EVENTS = 64
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: %b\r\n"


def _chunk(delta: dict, reason: str | None = None, usage: dict | None = None) -> bytes:
    choices = [] if usage else [{"index": 0, "delta": delta, "finish_reason": reason}]
    body = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "bench"}
    return b"data: " + orjson.dumps(body | {"choices": choices, "usage": usage}) + b"\n\n"


USAGE = {"prompt_tokens": 700, "completion_tokens": EVENTS, "total_tokens": 764}
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
STREAM = [_chunk({"content": f" word{n}"}) for n in range(EVENTS)]
STREAM += [_chunk({}, "stop"), _chunk({}, usage=USAGE), b"data: [DONE]\n\n"]


class Server(asyncio.Protocol):
    def __init__(self, pace: float) -> None:
        self.pace = pace
        self.buffer = b""
        self.task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are none of asyncio's classes.
        self.transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.task:
            self.task.cancel()

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end].lower()
            at = head.find(b"content-length:")
            length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(self.buffer) < end + 4 + length:
                return
            body = self.buffer[end + 4 : end + 4 + length]
            self.buffer = self.buffer[end + 4 + length :]
            if b'"stream":true' in body:
                self.task = asyncio.get_running_loop().create_task(self.stream())
            else:
                self.transport.write(PLAIN)

    async def stream(self) -> None:
        write = self.transport.write
        write(HEAD % b"text/event-stream" + b"transfer-encoding: chunked\r\n\r\n")
        loop = asyncio.get_running_loop()
        due = loop.time()
        for event in STREAM:
            write(b"%x\r\n%b\r\n" % (len(event), event))
            due += self.pace
            await asyncio.sleep(max(0.0, due - loop.time()))
        write(b"0\r\n\r\n")


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
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]) / 1000))
