"""A provider that writes down which calls reached it, and what it answered them."""

import asyncio
import contextlib
import json
import random
from collections import Counter
from dataclasses import dataclass
from typing import Any

from aiohttp import web

PACE_S = 0.02
ENDPOINTS = ("chat/completions", "completions", "embeddings")


@dataclass(frozen=True)
class Usage:
    """The tokens that the provider states for one call."""

    prompt: int
    cached: int
    completion: int


def usage_of(marker: str, endpoint: str) -> Usage:
    """Return what a call with this marker comes to, however often it is tried."""
    rng = random.Random(marker)
    prompt = rng.randint(5, 900)
    if endpoint == "embeddings":
        return Usage(prompt, 0, 0)
    return Usage(prompt, rng.randint(0, prompt), rng.randint(2, 9))


class RecordingUpstream:
    """Every call carries a marker as its prompt. `finished` holds those answered to the end."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()
        self.finished: dict[str, Usage] = {}
        self.runner: web.AppRunner | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    async def start(self) -> None:
        app = web.Application()
        for endpoint in ENDPOINTS:
            app.router.add_post(f"/v1/{endpoint}", self.answer)
        self.runner = web.AppRunner(app, access_log=None)
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", 0).start()
        self.port = self.runner.addresses[0][1]

    async def stop(self) -> None:
        assert self.runner
        await self.runner.cleanup()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        endpoint = request.path.removeprefix("/v1/")
        try:
            body = await request.json()
        except ConnectionResetError:  # the gateway was killed while it asked
            return web.Response()
        marker = marker_in(body, endpoint)
        self.seen[marker] += 1
        usage = usage_of(marker, endpoint)
        if not body.get("stream"):
            await asyncio.sleep(PACE_S * usage.completion)
            self.finished[marker] = usage
            return web.json_response(_whole(endpoint, usage))
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        with contextlib.suppress(ConnectionResetError):  # the gateway left, or was killed
            await response.prepare(request)
            await self._stream(response, marker, endpoint, usage)
        return response

    async def _stream(
        self, response: web.StreamResponse, marker: str, endpoint: str, usage: Usage
    ) -> None:
        is_chat = endpoint == "chat/completions"
        for number in range(usage.completion):
            word = f"{marker} says word {number}. "
            piece: dict[str, Any] = {"delta": {"content": word}} if is_chat else {"text": word}
            await _event(response, {"choices": [{"index": 0, **piece, "finish_reason": None}]})
            await asyncio.sleep(PACE_S)
        piece = {"delta": {}} if is_chat else {"text": ""}
        await _event(response, {"choices": [{"index": 0, **piece, "finish_reason": "stop"}]})
        await _event(response, {"choices": [], "usage": _stated(usage)})
        self.finished[marker] = usage
        await response.write(b"data: [DONE]\n\n")
        await response.write_eof()


def marker_in(body: dict[str, Any], endpoint: str) -> str:
    if endpoint == "chat/completions":
        return str(body["messages"][0]["content"])
    return str(body["prompt" if endpoint == "completions" else "input"])


def body_of(marker: str, endpoint: str, *, streamed: bool) -> dict[str, Any]:
    """Return the request that carries a marker; it allows no token more than it will get."""
    if endpoint == "embeddings":
        return {"model": "chat", "input": marker}
    message = {"messages": [{"role": "user", "content": marker}]}
    asked = message if endpoint == "chat/completions" else {"prompt": marker}
    most = usage_of(marker, endpoint).completion
    return {"model": "chat", "stream": streamed, "max_tokens": most, **asked}


def _stated(usage: Usage) -> dict[str, Any]:
    return {
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.completion,
        "total_tokens": usage.prompt + usage.completion,
        "prompt_tokens_details": {"cached_tokens": usage.cached},
    }


def _whole(endpoint: str, usage: Usage) -> dict[str, Any]:
    if endpoint == "embeddings":
        data = [{"object": "embedding", "index": 0, "embedding": [0.5, 0.25]}]
        stated = {"prompt_tokens": usage.prompt, "total_tokens": usage.prompt}
        return {"object": "list", "data": data, "model": "m", "usage": stated}
    is_chat = endpoint == "chat/completions"
    piece: dict[str, Any] = (
        {"message": {"role": "assistant", "content": "whole"}} if is_chat else {"text": "whole"}
    )
    return {
        "id": "theirs",
        "object": "chat.completion" if is_chat else "text_completion",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, **piece, "finish_reason": "stop"}],
        "usage": _stated(usage),
    }


async def _event(response: web.StreamResponse, event: dict[str, Any]) -> None:
    head = {"id": "theirs", "object": "chunk", "created": 1, "model": "m"}
    await response.write(f"data: {json.dumps(head | event)}\n\n".encode())
