"""A provider that writes down which calls reached it, and what it answered them."""

import asyncio
import contextlib
import json
from collections import Counter
from typing import Any

from aiohttp import web

EVENTS = 6
PACE_S = 0.02


class RecordingUpstream:
    """Every call carries a marker as its prompt. `finished` holds those answered to the end."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()
        self.finished: set[str] = set()
        self.runner: web.AppRunner | None = None
        self.port = 0

    async def start(self) -> None:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", self.answer)
        self.runner = web.AppRunner(app, access_log=None)
        await self.runner.setup()
        site = web.TCPSite(self.runner, "127.0.0.1", 0)
        await site.start()
        assert site._server
        self.port = site._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self.runner
        await self.runner.cleanup()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        marker = body["messages"][0]["content"]
        self.seen[marker] += 1
        if not body.get("stream"):
            await asyncio.sleep(PACE_S)
            self.finished.add(marker)
            return web.json_response(_whole(len(marker)))
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        with contextlib.suppress(ConnectionResetError):  # the gateway left, or was killed
            await self._stream(request, response, marker)
        return response

    async def _stream(
        self, request: web.Request, response: web.StreamResponse, marker: str
    ) -> None:
        await response.prepare(request)
        for number in range(EVENTS):
            choice = {"index": 0, "delta": {"content": f"w{number} "}, "finish_reason": None}
            await _event(response, {"choices": [choice]})
            await asyncio.sleep(PACE_S)
        await _event(response, {"choices": [], "usage": usage_of(len(marker))})
        await response.write(b"data: [DONE]\n\n")
        self.finished.add(marker)
        await response.write_eof()


def usage_of(prompt: int) -> dict[str, int]:
    return {"prompt_tokens": prompt, "completion_tokens": EVENTS, "total_tokens": prompt + EVENTS}


def _whole(prompt: int) -> dict[str, Any]:
    message = {"role": "assistant", "content": "whole"}
    return {
        "id": "chatcmpl-x",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": usage_of(prompt),
    }


async def _event(response: web.StreamResponse, event: dict[str, Any]) -> None:
    head = {"id": "chatcmpl-x", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    await response.write(f"data: {json.dumps(head | event)}\n\n".encode())
