"""A simulated provider that behaves like vLLM on the wire: `python -m pilotdash.demo.simulator`.

One process plays all of the demo's providers. Streams keep a model's own pace; some calls fail;
usage comes in an event of its own when it is asked for. Answers are canned text.
"""

import argparse
import asyncio
import json
import random
import time
import uuid
from collections.abc import Iterator
from typing import Any

from aiohttp import web

from pilotdash.demo.cast import MODELS, SIMULATOR_KEY, SimulatedModel

SNIPPETS = (
    "def page(items, size, after=None):\n    start = items.index(after) + 1 if after else 0\n"
    "    return items[start : start + size]\n",
    "async with pool.connection() as connection:\n    await connection.execute(query, values)\n",
    "The loop stops one short: `range(len(rows) - 1)` skips the last row. Loop over `rows`.\n",
    "func Retry(n int, f func() error) (err error) {\n\tfor i := 0; i < n; i++ {\n"
    "\t\tif err = f(); err == nil {\n\t\t\treturn nil\n\t\t}\n\t}\n\treturn err\n}\n",
    "const total = lines.reduce((sum, line) => sum + line.price * line.count, 0);\n",
    "Add an index on `(customer_id, created_at)`; the plan shows a sequential scan.\n",
)
CHARACTERS_PER_TOKEN = 4


def main() -> None:
    parser = argparse.ArgumentParser(description="Simulated providers for the demo.")
    parser.add_argument("--port", type=int, required=True)
    web.run_app(build_app(), host="127.0.0.1", port=parser.parse_args().port, print=None)


def build_app() -> web.Application:
    app = web.Application(client_max_size=16 * 1024 * 1024)
    app.add_routes(
        [
            web.get("/{provider}/v1/models", list_models),
            web.post("/{provider}/v1/chat/completions", chat),
            web.post("/{provider}/v1/completions", complete),
            web.post("/{provider}/v1/embeddings", embed),
        ]
    )
    return app


def refusal(status: int, message: str, kind: str) -> web.Response:
    error = {"message": message, "type": kind, "param": None, "code": status}
    return web.json_response({"object": "error", "error": error}, status=status)


def refused(request: web.Request) -> web.Response | None:
    if request.headers.get("authorization") == f"Bearer {SIMULATOR_KEY}":
        return None
    return refusal(401, "Unauthorized", "authentication_error")


async def list_models(request: web.Request) -> web.Response:
    if answer := refused(request):
        return answer
    served = [m for m in MODELS.values() if m.provider == request.match_info["provider"]]
    data = [
        {
            "id": model.upstream_model,
            "object": "model",
            "created": 1_700_000_000,
            "owned_by": "simulator",
            "max_model_len": model.context_tokens,
        }
        for model in served
    ]
    return web.json_response({"object": "list", "data": data})


async def chat(request: web.Request) -> web.StreamResponse:
    return await answer_call(request, is_chat=True)


async def complete(request: web.Request) -> web.StreamResponse:
    return await answer_call(request, is_chat=False)


async def answer_call(request: web.Request, *, is_chat: bool) -> web.StreamResponse:
    if answer := refused(request):
        return answer
    try:
        body = json.loads(await request.read())
        prompt = json.dumps(body["messages"]) if is_chat else str(body["prompt"])
    except (ValueError, KeyError, TypeError):
        return refusal(400, "The body is not a request of this endpoint.", "BadRequestError")
    model = MODELS.get(body.get("model"))
    if model is None or model.provider != request.match_info["provider"]:
        name = body.get("model")
        return refusal(404, f"The model `{name}` does not exist.", "NotFoundError")
    if random.random() < model.failure_rate:
        await asyncio.sleep(0.2)
        return refusal(503, "The engine is overloaded.", "ServiceUnavailableError")
    await asyncio.sleep(model.first_content_ms / 1000 * random.lognormvariate(0, 0.3))
    most = body.get("max_tokens") or (300 if is_chat else 32)
    words, finish = answer_of(len(prompt), most if is_chat else min(most, 40))
    prompt_tokens = max(1, len(prompt) // CHARACTERS_PER_TOKEN)
    usage = {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": len(words),
        "total_tokens": prompt_tokens + len(words),
        "prompt_tokens_details": {"cached_tokens": prompt_tokens // 4 // 16 * 16},
    }
    made = Answer(model, is_chat, words, finish, usage)
    if body.get("stream"):
        include = (body.get("stream_options") or {}).get("include_usage", False)
        return await made.stream(request, include_usage=include)
    await asyncio.sleep(len(words) / model.tokens_per_s)
    return web.json_response(made.whole())


def answer_of(prompt_length: int, most: int) -> tuple[list[str], str]:
    """Return an answer cut into tokens, and why it ends."""
    text = "".join(random.sample(SNIPPETS, 1 + prompt_length % 3))
    tokens = [
        text[start : start + CHARACTERS_PER_TOKEN]
        for start in range(0, len(text), CHARACTERS_PER_TOKEN)
    ]
    return (tokens[:most], "length") if len(tokens) > most else (tokens, "stop")


class Answer:
    """One made-up answer, in the shape of chat or of text completions."""

    def __init__(
        self,
        model: SimulatedModel,
        is_chat: bool,
        tokens: list[str],
        finish: str,
        usage: dict[str, Any],
    ) -> None:
        prefix, kind = ("chatcmpl", "chat.completion") if is_chat else ("cmpl", "text_completion")
        self.model, self.is_chat, self.tokens = model, is_chat, tokens
        self.finish, self.usage = finish, usage
        self.chunk_kind = "chat.completion.chunk" if is_chat else kind
        self.head = {"id": f"{prefix}-{uuid.uuid4().hex}", "created": int(time.time())}
        self.head["model"] = model.upstream_model
        self.kind = kind

    def whole(self) -> dict[str, Any]:
        text = "".join(self.tokens)
        content = {"message": {"role": "assistant", "content": text, "tool_calls": []}}
        choice = content if self.is_chat else {"text": text}
        choices = [{"index": 0, **choice, "logprobs": None, "finish_reason": self.finish}]
        return {**self.head, "object": self.kind, "choices": choices, "usage": self.usage}

    def events(self, *, include_usage: bool) -> Iterator[dict[str, Any]]:
        if self.is_chat:
            yield self._chunk({"delta": {"role": "assistant", "content": ""}}, None)
        for number, token in enumerate(self.tokens, start=1):
            finish = self.finish if number == len(self.tokens) else None
            piece = {"delta": {"content": token}} if self.is_chat else {"text": token}
            yield self._chunk(piece, finish)
        if include_usage:
            yield {**self.head, "object": self.chunk_kind, "choices": [], "usage": self.usage}

    def _chunk(self, piece: dict[str, Any], finish: str | None) -> dict[str, Any]:
        choice = {"index": 0, **piece, "logprobs": None, "finish_reason": finish}
        return {**self.head, "object": self.chunk_kind, "choices": [choice]}

    async def stream(self, request: web.Request, *, include_usage: bool) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "text/event-stream; charset=utf-8"})
        await response.prepare(request)
        pause = 1 / self.model.tokens_per_s
        for event in self.events(include_usage=include_usage):
            line = json.dumps(event, separators=(",", ":"))
            await response.write(f"data: {line}\n\n".encode())
            await asyncio.sleep(pause)
        await response.write(b"data: [DONE]\n\n")
        await response.write_eof()
        return response


async def embed(request: web.Request) -> web.Response:
    if answer := refused(request):
        return answer
    return refusal(400, "This model does not support embeddings.", "BadRequestError")


if __name__ == "__main__":
    main()
