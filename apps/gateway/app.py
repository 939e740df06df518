"""The ASGI application: which path is whose, who may call, and one place that words refusals."""

from __future__ import annotations

import asyncio
import hmac
import logging
import time
from datetime import UTC, datetime
from typing import Final

import orjson

from apps.core.addresses import as_address
from apps.core.uuid7 import new_uuid7
from apps.gateway import meters, metrics
from apps.gateway.access import Target, authenticate, find_target, known_key, models_of
from apps.gateway.asgi import (
    JSON,
    NOT_WHOLE,
    ClientLeft,
    Receive,
    Scope,
    Send,
    answer,
    answer_refusal,
    read_body,
    too_large,
)
from apps.gateway.bounds import Bounds
from apps.gateway.call import Call, Told
from apps.gateway.call_log import line_of_refusal
from apps.gateway.contract import ENDPOINTS, TASKS
from apps.gateway.drivers.delivery import require_way
from apps.gateway.errors import Refusal, error_body
from apps.gateway.ids import id_headers
from apps.gateway.ledger import NotRecordable
from apps.gateway.paths import (
    ANTHROPIC_PATHS,
    is_misspelled,
    misspelled,
    unknown_path,
    wrong_method,
)
from apps.gateway.request import NotAcceptable, Request, read_request, task_of
from apps.gateway.scanner import Malformed
from apps.gateway.service import Service
from apps.gateway.trace import trace_id_in

RELAYED: Final = frozenset(ENDPOINTS)
# The web process answers these although they look like ours.
WEB_PATHS: Final = ("/v1/feedback",)
LARGE_BODY: Final = 1 << 16
MOST_TOLD: Final = 128

log = logging.getLogger(__name__)


class Gateway:
    """Authenticate, route, admit, relay, record. Everything that lives longer is in `service`."""

    def __init__(
        self, service: Service, *, monitoring_token: str = "", bounds: Bounds | None = None
    ) -> None:
        self.service = service
        self._token = f"Bearer {monitoring_token}".encode() if monitoring_token else b""
        self._bounds = bounds or Bounds()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        match scope["type"]:
            case "http":
                await self._http(scope, receive, send)
            case "lifespan":
                await self.service.lifespan(receive, send)
            case "websocket":
                await receive()
                await send({"type": "websocket.close", "code": 1000})
            case kind:
                raise NotImplementedError(f"the gateway does not speak {kind}")

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        try:
            if not path.startswith("/") or (scope.get("raw_path") or b"/")[:1] != b"/":
                message = "The target of a request must be a path."
                raise Refusal(400, "malformed", message, code="invalid_target")
            if path.startswith("/v1/") and path not in WEB_PATHS:
                await self._api(path[4:], "", scope, receive, send)
            elif path.startswith("/t/"):
                task, _, rest = path[3:].partition("/")
                if task not in TASKS or not rest.startswith("v1/"):
                    raise unknown_path(path)
                if (short := f"/{rest}") in WEB_PATHS:
                    scope = {**scope, "path": short, "raw_path": short.encode()}
                    await self.service.pages.hand_over(scope, receive, send)
                else:
                    await self._api(rest[3:], task, scope, receive, send)
            elif path == "/healthz":
                await answer(send, 200, b"ok", [(b"content-type", b"text/plain")])
            elif path == "/metrics":
                await self._metrics(scope, send)
            elif is_misspelled(path):
                raise misspelled(path)
            else:
                await self.service.pages.hand_over(scope, receive, send)
        except Refusal as refusal:
            headers = dict(scope["headers"])
            self._note(refusal, headers)
            await _refuse(send, refusal, path, headers)
        except ClientLeft:
            # One that sent a broken chunk is still there, and the server would answer it with 500.
            await _refuse(send, NOT_WHOLE, path, dict(scope["headers"]))

    def _note(self, refusal: Refusal, headers: dict[bytes, bytes]) -> None:
        """Count a refusal, under its key where that is known; only then it has a line as well."""
        service = self.service
        table = service.routes.table
        key = known_key(headers, table)
        service.refusals.count(refusal.reason, key.id if key is not None else None)
        metrics.REFUSED.labels(refusal.reason).inc()
        if key is not None and service.log is not None:
            pilot = table.pilots.get(key.pilot_id)
            slug = pilot.slug if pilot is not None else ""
            service.log.add(line_of_refusal(refusal, key, slug, trace_id_in(headers)))

    async def _api(
        self, endpoint: str, task: str, scope: Scope, receive: Receive, send: Send
    ) -> None:
        headers = dict(scope["headers"])
        most = self._bounds.header_bytes
        if sum([len(name) + len(value) for name, value in scope["headers"]]) > most:
            message = f"The request's headers are larger than {most >> 10} KiB."
            raise Refusal(431, "too_large", message)
        if endpoint in RELAYED:
            if scope["method"] != "POST":
                raise wrong_method("POST")
            await self._call(endpoint, task, headers, receive, send)
        elif endpoint == "models" or endpoint.startswith("models/"):
            if scope["method"] not in ("GET", "HEAD"):
                raise wrong_method("GET", "HEAD")
            await self._models(endpoint[7:], headers, send)
        else:
            raise unknown_path(scope["path"])

    async def _call(
        self,
        endpoint: str,
        task: str,
        headers: dict[bytes, bytes],
        receive: Receive,
        send: Send,
    ) -> None:
        service = self.service
        table = service.routes.table
        now = datetime.now(UTC)
        caller = authenticate(headers, table, now, service.settings.token_key)
        told = _told(headers, task)
        with service.slots.taken(caller.key.id, service.limiter.at_once(caller)):
            body = await self._body(headers, receive)
            if service.routes.table is not table:
                # The key may have been revoked while the body was arriving.
                table, now = service.routes.table, datetime.now(UTC)
                caller = authenticate(headers, table, now, service.settings.token_key)
            begun = time.monotonic()
            if len(body) > LARGE_BODY:
                request = await asyncio.to_thread(_read, body, self._bounds)
            else:
                request = _read(body, self._bounds)
            target: Target = find_target(caller, request.model, table, now)
            require_way(endpoint, request, target, caller.key.id)
            service.attempts.refuse_while_resting(caller, target, endpoint, request)
            if caller.ticket is None:
                named = task_of(told.task, endpoint, request.has_tools)
            else:
                named = caller.ticket.task if caller.ticket.task in TASKS else "other"
            call = Call(caller, target, request, endpoint, named, told, begun)
            with await service.quotas.take(call, table, now):
                await self._admit(call)
                await service.relay.serve(call, headers, receive, send)

    async def _admit(self, call: Call) -> None:
        try:
            await self.service.ledger.admit(call.admitted())
        except NotRecordable:
            raise Refusal(
                503,
                "not_recordable",
                "PilotDash cannot record calls right now, so it lets none through.",
                retry_after=5,
            ) from None

    async def _body(self, headers: dict[bytes, bytes], receive: Receive) -> bytes:
        limit = self._bounds.body_bytes
        if headers.get(b"content-encoding", b"identity") != b"identity":
            raise Refusal(415, "malformed", "Compressed request bodies are not accepted.")
        length = headers.get(b"content-length", b"0")
        if length.isdigit() and len(length) < 20 and int(length) > limit:
            raise too_large(limit)
        deadlines = self.service.deadlines
        return await read_body(receive, deadlines, limit=limit, seconds=self._bounds.body_seconds)

    async def _models(self, name: str, headers: dict[bytes, bytes], send: Send) -> None:
        table = self.service.routes.table
        now = datetime.now(UTC)
        caller = authenticate(headers, table, now)
        created = int(caller.pilot.opens_at.timestamp())
        if name:
            find_target(caller, name, table, now)
            body = orjson.dumps(_model(name, created))
        else:
            models = [_model(alias, created) for alias in models_of(caller, now)]
            body = orjson.dumps({"object": "list", "data": models})
        await answer(send, 200, body, [JSON])

    async def _metrics(self, scope: Scope, send: Send) -> None:
        headers = dict(scope["headers"])
        address = as_address(self.service.pages.client_of(scope))
        given = headers.get(b"authorization", b"")
        allowed = bool(self._token) and hmac.compare_digest(given, self._token)
        if not allowed and not (address is not None and address.is_loopback):
            message = "A bearer MONITORING_TOKEN is needed."
            await answer(send, 401, error_body(message, 401, code="unauthorized"), [JSON])
            return
        meters.hand_over()
        text = await asyncio.to_thread(metrics.report)
        await answer(send, 200, text, [(b"content-type", metrics.CONTENT_TYPE.encode())])


def _read(body: bytes, bounds: Bounds) -> Request:
    try:
        return read_request(body, bounds)
    except NotAcceptable as error:
        raise Refusal(
            400, "malformed", str(error), code="invalid_value", param=error.param
        ) from None
    except Malformed as error:
        raise Refusal(400, "malformed", str(error), code="invalid_json") from None


def _told(headers: dict[bytes, bytes], path_task: str) -> Told:
    """Read what the client says about itself. Raises Refusal on a task that is none."""
    task = headers.get(b"x-pilotdash-task", b"").decode("latin-1").strip().lower()
    if task and task not in TASKS:
        listed = ", ".join(TASKS)
        message = f"The header X-PilotDash-Task is {task[:32]!r}; use one of {listed}."
        raise Refusal(400, "malformed", message, code="invalid_task")
    retry = headers.get(b"x-stainless-retry-count", b"")
    return Told(
        task=task or path_task,
        session=_printable(headers.get(b"x-pilotdash-session", b"")),
        request_id=_printable(headers.get(b"x-request-id", b"")),
        client=_printable(headers.get(b"user-agent", b"")),
        retry=int(retry) if retry.isdigit() and len(retry) <= 4 else None,
        trace_id=trace_id_in(headers),
    )


def _printable(value: bytes) -> str:
    """Return a header's text without what could end a line or break a column."""
    text = value[:MOST_TOLD].decode("ascii", "replace")
    if text.isascii() and text.isprintable():
        return text
    return "".join([char if " " <= char <= "~" else "?" for char in text]) if value else ""


def _model(alias: str, created: int) -> dict[str, object]:
    return {"id": alias, "object": "model", "created": created, "owned_by": "pilotdash"}


async def _refuse(send: Send, refusal: Refusal, path: str, headers: dict[bytes, bytes]) -> None:
    is_anthropic = path.endswith(ANTHROPIC_PATHS)
    theirs = _printable(headers.get(b"x-request-id", b""))
    ids = id_headers(str(new_uuid7()), theirs, is_anthropic=is_anthropic)
    await answer_refusal(send, refusal, ids, is_anthropic=is_anthropic)
