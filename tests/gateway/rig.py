"""A whole gateway in this process: real Valkey, a provider on loopback, ASGI called directly."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiohttp import web

from apps.core.addresses import Policy
from apps.core.internal_tokens import derive_key
from apps.core.keys import digest, new_key
from apps.core.secrets import seal
from apps.gateway.app import Gateway
from apps.gateway.bounds import Bounds
from apps.gateway.contract import (
    CallRecord,
    CandidateRoute,
    KeyRoute,
    PilotRoute,
    ProviderRoute,
    RouteTable,
)
from apps.gateway.segments import FINISHED, parse
from apps.gateway.service import Service, Settings
from apps.gateway.upstream import Timeouts, UpstreamSettings
from tests.fakes.provider import Provider, serve

TOKEN_KEY = derive_key("a secret of the site")
FERNET = "kCsU0dkRjLsNJZ2tGC0lStRe3qcXlXOc1FAAbQ3Yb3Q="
SECRET = "sk-provider-secret"
SEALED = seal(SECRET, [FERNET])
KEY = new_key()
EXPIRED, EARLY, LATE = new_key(), new_key(), new_key()
NOW = datetime.now(UTC)
DAY = timedelta(days=1)
CHAT = "/v1/chat/completions"
GOOD = b'{"model":"pilot-chat","messages":[{"role":"user","content":"hi"}]}'


def table(url: str, models: dict[str, str] | None = None, **provider: str) -> RouteTable:
    """Return routes in which each alias leads to a model of the fake provider."""
    models = models or {"pilot-chat": "theirs"}
    candidates = {
        number: CandidateRoute(id=number, slug=f"cand-{number}", provider_id=5, upstream_model=name)
        for number, name in enumerate(models.values(), start=11)
    }
    aliases = {alias: number for number, alias in enumerate(models, start=11)}
    seen = PilotRoute(1, "autumn", NOW - DAY, NOW + DAY, aliases)
    early = PilotRoute(2, "spring", NOW + DAY, NOW + 2 * DAY, aliases)
    late = PilotRoute(3, "summer", NOW - 2 * DAY, NOW - DAY, aliases)
    route = ProviderRoute(id=5, slug="fake", base_url=url, credential=SEALED)
    return RouteTable(
        version=7,
        built_at=NOW,
        keys={
            digest(KEY): KeyRoute(21, 31, 1, "developer", NOW + DAY),
            digest(EXPIRED): KeyRoute(22, 31, 1, "developer", NOW - DAY),
            digest(EARLY): KeyRoute(23, 31, 2, "developer", NOW + DAY),
            digest(LATE): KeyRoute(24, 31, 3, "developer", NOW + DAY),
        },
        pilots={pilot.id: pilot for pilot in (seen, early, late)},
        candidates=candidates,
        providers={5: replace(route, **provider)},
    )


@dataclass
class Reply:
    """`pieces` are the body messages as they were sent; `whole` tells whether the end came."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    pieces: list[bytes] = field(default_factory=list)
    whole: bool = False
    starts: int = 0

    @property
    def body(self) -> bytes:
        return b"".join(self.pieces)

    @property
    def json(self) -> dict:
        return json.loads(self.body)

    @property
    def error(self) -> dict:
        return self.json["error"]


class Rig:
    def __init__(self, gateway: Gateway, provider: Provider, data: Path) -> None:
        self.gateway = gateway
        self.provider = provider
        self.data = data

    @property
    def service(self) -> Service:
        return self.gateway.service

    async def request(
        self,
        method: str,
        path: str,
        body: bytes | list[bytes] = b"",
        headers: dict[str, str] | list[tuple[str, str]] | None = None,
        *,
        key: str = KEY,
        leave: asyncio.Event | None = None,
        on_piece=None,
        client: str = "127.0.0.1",
    ) -> Reply:
        """Call the application; the client leaves when `leave` is set.

        Headers that are pairs are sent as they are, so that one may be sent twice.
        """
        sent = {"host": "pilot.example"} | ({"authorization": f"Bearer {key}"} if key else {})
        if isinstance(headers, list):
            pairs = [*sent.items(), *headers]
        else:
            pairs = list((sent | (headers or {})).items())
        raw = [(k.lower().encode(), v.encode()) for k, v in pairs]
        bare, _, query = path.partition("?")
        scope = {
            "type": "http",
            "method": method,
            "path": bare,
            "raw_path": bare.encode(),
            "query_string": query.encode(),
            "headers": raw,
            "scheme": "http",
            "client": (client, 50000),
        }
        pieces = body if isinstance(body, list) else [body]
        messages = [
            {"type": "http.request", "body": piece, "more_body": n < len(pieces) - 1}
            for n, piece in enumerate(pieces)
        ]
        leave = leave or asyncio.Event()
        reply = Reply()

        async def receive() -> dict:
            if messages:
                return messages.pop(0)
            await leave.wait()
            return {"type": "http.disconnect"}

        async def send(message: dict) -> None:
            if message["type"] == "http.response.start":
                reply.starts += 1
                reply.status = message["status"]
                reply.headers = {k.decode(): v.decode() for k, v in message["headers"]}
                return
            if message.get("body"):
                reply.pieces.append(message["body"])
                if on_piece:
                    on_piece(reply)
            reply.whole = reply.whole or not message.get("more_body", False)

        await self.gateway(scope, receive, send)
        assert reply.starts <= 1
        return reply

    async def chat(self, model: str = "pilot-chat", path=CHAT, **more) -> Reply:
        options = {
            name: more.pop(name)
            for name in ("headers", "key", "leave", "on_piece", "client")
            if name in more
        }
        body = {"model": model, "messages": [{"role": "user", "content": "hi"}]} | more
        return await self.request("POST", path, json.dumps(body).encode(), **options)

    def route(self, upstream_model: str, **provider: str) -> None:
        """Let the alias pilot-chat lead to another model of the fake provider."""
        base = self.service.routes.table.providers[5].base_url
        self.service.routes.table = table(base, {"pilot-chat": upstream_model}, **provider)

    async def asked(self, count: int = 1) -> None:
        """Wait until the provider has been asked so often, however busy the machine is."""
        async with asyncio.timeout(10):
            while len(self.provider.seen) < count:
                await asyncio.sleep(0.01)

    def records(self, kind: bytes = FINISHED) -> list[CallRecord]:
        """Return the finished calls in this process's journal, oldest first."""
        lines = [
            line
            for segment in self.service.journal.segments
            for line in parse(segment.path.read_bytes())
        ]
        return [CallRecord.from_json(line.raw) for line in lines if line.kind == kind]

    def record(self) -> CallRecord:
        (record,) = self.records()
        return record


@asynccontextmanager
async def running(
    data: Path, *, timeouts: Timeouts | None = None, web_app: web.Application | None = None
) -> AsyncIterator[Rig]:
    provider = Provider()
    runner, port = await serve(provider)
    pages = web.AppRunner(web_app or web.Application(), access_log=None, shutdown_timeout=0.1)
    await pages.setup()
    await web.TCPSite(pages, "127.0.0.1", 0).start()
    settings = Settings(
        data=data,
        redis_url=os.environ["REDIS_URL"],
        web_url=f"http://127.0.0.1:{pages.addresses[0][1]}",
        upstream=UpstreamSettings(
            policy=Policy(loopback_open=True), keys=(FERNET,), timeouts=timeouts or Timeouts()
        ),
        token_key=TOKEN_KEY,
    )
    gateway = Gateway(
        Service(settings), monitoring_token="monitor", bounds=Bounds(body_seconds=0.5)
    )
    await gateway.service.start()
    gateway.service.routes.table = table(f"http://127.0.0.1:{port}/v1")
    try:
        yield Rig(gateway, provider, data)
    finally:
        await gateway.service.stop()
        await pages.cleanup()
        await runner.cleanup()
