"""A server that answers like OpenAI-compatible ones do, and like they do when they break.

What it does is told by the model's name: `any?events=3&usage=each&hang=mid`. Run as a module it
listens on the port given: `python -m tests.fakes.provider 9000`.
"""

import asyncio
import base64
import contextlib
import json
import struct
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from aiohttp import web

from tests.fakes import formats

PROMPT_TOKENS = 9
CHATS = ("chat/completions", "fim/completions")
WORDS = ("Grüße", " aus", " 东京", " 🎉", ' "quoted\\"', "\n\tdef f():", " end")


@dataclass
class Script:
    """The switches; see `events_of` and `Provider.post` for what each does."""

    events: int = 3
    usage: str = "on_request"  # on_request, always, each, finish, groq, never
    done: int = 1
    crlf: int = 0
    comment: int = 0
    drop_end: int = 0
    empty_reason: int = 0
    error_at: int = -1
    error_shape: str = "openai"
    garbage_at: int = -1
    cut_at: int = -1
    hang: str = ""  # head, first, mid, end
    pace: float = 0.0
    split: int = 0
    reset: str = ""  # head, body: the connection is reset before the head, or after it
    empty: int = 0  # a stream that ends before its first byte
    status: int = 200
    times: int = 0  # so many requests for this model fail by reset, empty or status; 0: all
    then: str = ""  # where those after them hang
    shape: str = "openai"
    retry_after: str = ""
    big: int = 0
    raw: str = ""  # the body of a plain answer or an error; in a stream, the data of an event
    raw_at: int = 1
    echo: str = ""  # said in headers
    tools: int = 0
    id: str = "chatcmpl-theirs"

    @classmethod
    def of(cls, model: str) -> "Script":
        script = cls()
        for name, value in parse_qsl(model.partition("?")[2], keep_blank_values=True):
            setattr(script, name, type(getattr(script, name))(value))
        return script

    @property
    def words(self) -> list[str]:
        if self.big:
            return ["x" * self.big] * self.events
        return [WORDS[n % len(WORDS)] for n in range(self.events)]


def usage_of(script: Script, completion: int) -> dict:
    return {
        "prompt_tokens": PROMPT_TOKENS,
        "completion_tokens": completion,
        "total_tokens": PROMPT_TOKENS + completion,
        "prompt_tokens_details": {"cached_tokens": 4},
    }


def event(body: dict | str, script: Script) -> bytes:
    text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
    end = "\r\n\r\n" if script.crlf else "\n\n"
    return f"data: {text}{end}".encode()


def events_of(script: Script, path: str, model: str, *, asked: bool) -> list[bytes]:
    """Return a stream's events; `asked` tells whether include_usage was in the request."""
    if kind := formats.format_of(path):
        return formats.events(kind, script, model)
    is_chat = path.endswith(CHATS)
    kind = "chat.completion.chunk" if is_chat else "text_completion"

    def chunk(piece: dict, reason: str | None, written: int) -> bytes:
        choice = {"index": 0, **piece, "finish_reason": reason}
        body = {"id": script.id, "object": kind, "created": 1700000000, "model": model}
        body |= {"choices": [choice], "extra": {"id": "nested", "model": "nested"}}
        if script.usage == "each" or (script.usage == "finish" and reason):
            body["usage"] = usage_of(script, written)
        elif script.usage == "groq" and reason:
            body["x_groq"] = {"id": "req_1", "usage": usage_of(script, written)}
        elif asked and script.usage == "on_request":
            body["usage"] = None
        return event(body, script)

    none = "" if script.empty_reason else None
    out = [b": OPENROUTER PROCESSING\n\n"] if script.comment else []
    if is_chat:
        out.append(chunk({"delta": {"role": "assistant", "content": ""}}, none, 0))
    for number, word in enumerate(script.words):
        if number == script.error_at:
            error: object = {"message": "the model ran away", "type": "server_error"}
            error = "the model ran away" if script.error_shape == "text" else error
            out.append(event({"error": error}, script))
        if number == script.garbage_at:
            out.append(event('{"choices": [', script))
        if script.raw and number == script.raw_at:
            out.append(event(script.raw, script))
        piece = {"delta": {"content": word}} if is_chat else {"text": word}
        out.append(chunk(piece, none, number + 1))
    for number in range(script.tools):
        function = {"name": "look", "arguments": "{}"}
        call = {"index": number, "id": f"call_{number}", "type": "function", "function": function}
        out.append(chunk({"delta": {"tool_calls": [call]}}, none, script.events))
    reason = "tool_calls" if script.tools else "stop"
    out.append(chunk({"delta": {}} if is_chat else {"text": ""}, reason, script.events))
    if script.usage == "always" or (asked and script.usage == "on_request"):
        body = {"id": script.id, "object": kind, "created": 1700000000, "model": model}
        body |= {"choices": [], "usage": usage_of(script, script.events)}
        out.append(event(body, script))
    if script.drop_end:
        out.pop()
    if script.done:
        out.append(event("[DONE]", script))
    return out


def vector_of(encoding: str) -> list[float] | str:
    """Return an embedding as numbers, or as OpenAI's SDKs ask for it: base64 of 32-bit floats."""
    vector = [round(0.001 * n, 3) for n in range(8)]
    if encoding == "base64":
        return base64.b64encode(struct.pack("<8f", *vector)).decode()
    return vector


def answer_of(
    script: Script, path: str, model: str, inputs: int = 1, encoding: str = "float"
) -> bytes:
    """Return a whole answer as the bytes on the wire."""
    if script.raw:
        return script.raw.encode()
    if kind := formats.format_of(path):
        return formats.plain(kind, script, model, inputs)
    if path.endswith("embeddings"):
        vector = vector_of(encoding)
        data = [{"object": "embedding", "index": n, "embedding": vector} for n in range(inputs)]
        usage = {"prompt_tokens": PROMPT_TOKENS, "total_tokens": PROMPT_TOKENS}
        return json.dumps({"object": "list", "data": data, "model": model, "usage": usage}).encode()
    text = "".join(script.words)
    is_chat = path.endswith(CHATS)
    message: dict = {"role": "assistant", "content": text}
    if script.tools:
        function = {"name": "look", "arguments": "{}"}
        message["tool_calls"] = [
            {"id": f"call_{n}", "type": "function", "function": function}
            for n in range(script.tools)
        ]
    piece = {"message": message} if is_chat else {"text": text}
    reason = "tool_calls" if script.tools else "stop"
    body = {
        "id": script.id,
        "object": "chat.completion" if is_chat else "text_completion",
        "created": 1700000000,
        "model": model,
        "choices": [{"index": 0, **piece, "finish_reason": reason, "logprobs": None}],
        "system_fingerprint": "fp_1",
    }
    if script.usage != "never":
        body["usage"] = usage_of(script, script.events)
    return json.dumps(body, ensure_ascii=False, indent=1).encode()


def error_of(script: Script) -> bytes:
    if script.raw:
        return script.raw.encode()
    sentence = f"status {script.status} as told"
    shapes = {
        "openai": {"error": {"message": sentence, "type": "x", "code": "y", "param": None}},
        "tgi": {"error": sentence, "error_type": "validation"},
        "fastapi": {"detail": [{"loc": ["body", "x"], "msg": sentence, "type": "missing"}]},
        "mistral": {"object": "error", "message": {"detail": [{"msg": sentence}]}},
        "anthropic": {"type": "error", "error": {"type": "rate_limit_error", "message": sentence}},
    }
    return json.dumps(shapes[script.shape]).encode() if script.shape in shapes else b"<html>"


def _echoes(script: Script) -> dict[str, str]:
    names = ("retry-after", "cache-control", "openai-processing-ms", "x-request-id")
    return dict.fromkeys(names, script.echo) if script.echo else {}


@dataclass
class Seen:
    path: str
    headers: dict[str, str]
    body: bytes
    began: float = field(default_factory=time.monotonic)
    left: float | None = None


class Provider:
    """`seen` holds every request, with the moment at which its connection was closed early."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.closed_early: list[float] = []
        self.drop_next_reused = False
        # What is answered whatever is asked: a content type and the bytes.
        self.canned: tuple[str, bytes] | None = None
        # Instead, the pieces of a stream, and between them how long to wait, in seconds.
        self.paced: list[bytes | float] = []
        self._connections: set[object] = set()
        self._asked: Counter[str] = Counter()

    def app(self) -> web.Application:
        app = web.Application(client_max_size=1 << 26)
        for path in (*CHATS, "completions", "embeddings", *formats.NAMES):
            app.router.add_post(f"/v1/{path}", self.post)
        app.router.add_get("/v1/models", self.models)
        return app

    async def models(self, request: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": [{"id": "any", "object": "model"}]})

    async def post(self, request: web.Request) -> web.StreamResponse:
        reused = request.transport in self._connections
        self._connections.add(request.transport)
        body = await request.read()
        seen = Seen(request.path, dict(request.headers), body)
        self.seen.append(seen)
        if reused and self.drop_next_reused:
            self.drop_next_reused = False
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        try:
            return await self._answer(request, json.loads(body))
        except (asyncio.CancelledError, ConnectionError):
            seen.left = time.monotonic()
            raise

    async def _answer(self, request: web.Request, asked: dict) -> web.StreamResponse:
        script = Script.of(asked["model"])
        self._asked[asked["model"]] += 1
        if script.times and self._asked[asked["model"]] > script.times:
            script.status, script.reset, script.empty, script.hang = 200, "", 0, script.then
        if script.reset == "head":
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if script.hang == "head":
            await asyncio.sleep(3600)
        if script.status != 200:
            headers = {"Retry-After": script.retry_after} if script.retry_after else {}
            headers |= _echoes(script)
            return web.Response(
                status=script.status,
                body=error_of(script),
                content_type="application/json",
                headers=headers,
            )
        if self.canned is not None:
            kind, body = self.canned
            return web.Response(body=body, headers={"Content-Type": kind} | _echoes(script))
        if self.paced:
            return await self._paced(request)
        if not asked.get("stream"):
            await asyncio.sleep(script.pace)
            if script.reset == "body":
                return await _reset_after_head(request, "application/json")
            inputs = asked.get("input", asked.get("documents"))
            count = len(inputs) if isinstance(inputs, list) else 1
            encoding = asked.get("encoding_format", "float")
            return web.Response(
                body=answer_of(script, request.path, asked["model"], count, encoding),
                content_type="application/json",
                headers={"x-request-id": "theirs-1", "openai-processing-ms": "5", "x-secret": "s"}
                | _echoes(script),
            )
        return await self._stream(request, script, asked)

    async def _paced(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for piece in self.paced:
            if isinstance(piece, bytes):
                await response.write(piece)
            else:
                await asyncio.sleep(piece)
        await response.write_eof()
        return response

    async def _stream(
        self, request: web.Request, script: Script, asked: dict
    ) -> web.StreamResponse:
        if script.reset == "body":
            return await _reset_after_head(request, "text/event-stream")
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream"} | _echoes(script)
        )
        await response.prepare(request)
        if script.empty:
            return response
        if script.hang == "first":
            await asyncio.sleep(3600)
        wants = (asked.get("stream_options") or {}).get("include_usage") is True
        events = events_of(script, request.path, asked["model"], asked=wants)
        if script.split:
            whole = b"".join(events)
            events = [whole[n : n + script.split] for n in range(0, len(whole), script.split)]
        for number, piece in enumerate(events):
            if script.hang == "mid" and number == 2:
                await asyncio.sleep(3600)
            if number == script.cut_at:
                assert request.transport is not None
                request.transport.abort()
                return response
            await response.write(piece)
            if script.pace or script.split:
                await asyncio.sleep(script.pace)
        if script.hang == "end":
            await asyncio.sleep(3600)
        await response.write_eof()
        return response


async def _reset_after_head(request: web.Request, kind: str) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": kind})
    await response.prepare(request)
    # What is written and dropped in one go would never leave.
    await asyncio.sleep(0.02)
    assert request.transport is not None
    request.transport.abort()
    return response


async def serve(provider: Provider, port: int = 0) -> tuple[web.AppRunner, int]:
    """Start a provider on loopback; return its runner and port."""
    runner = web.AppRunner(
        provider.app(), handler_cancellation=True, access_log=None, shutdown_timeout=0.1
    )
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    assert runner.addresses
    return runner, runner.addresses[0][1]


async def main(port: int) -> None:
    runner, _ = await serve(Provider(), port)
    try:
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(int(sys.argv[1])))
