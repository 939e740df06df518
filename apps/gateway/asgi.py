"""The little of ASGI that the gateway needs: bodies, plain answers, and when a client leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from types import TracebackType
from typing import Any, Final, Self

from apps.gateway.deadlines import Deadlines
from apps.gateway.errors import Refusal, as_anthropic

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Header = tuple[bytes, bytes]
Headers = list[Header]

WATCHED_AFTER: Final = 0.1
JSON: Final = (b"content-type", b"application/json")
NOT_WHOLE: Final = Refusal(400, "malformed", "The body did not arrive whole.", code="invalid_body")


class ClientLeft(Exception):
    """The client closed the connection before its request was complete."""


async def read_body(receive: Receive, deadlines: Deadlines, *, limit: int, seconds: float) -> bytes:
    """Return the whole body, counting what really arrives.

    Raises Refusal over `limit` bytes or after `seconds`, and ClientLeft.
    """
    pieces: list[bytes] = []
    size = 0
    try:
        with deadlines.after(seconds):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientLeft
                piece: bytes = message.get("body", b"")
                size += len(piece)
                if size > limit:
                    raise too_large(limit)
                pieces.append(piece)
                if not message.get("more_body", False):
                    return piece if len(pieces) == 1 else b"".join(pieces)
    except TimeoutError:
        raise Refusal(
            408, "too_slow", f"The body did not arrive within {seconds:.0f} seconds."
        ) from None


def too_large(limit: int) -> Refusal:
    return Refusal(413, "too_large", f"The body is larger than {limit >> 20} MiB.")


async def answer(send: Send, status: int, body: bytes, headers: Headers) -> None:
    """Send a whole response. `headers` lacks the length only."""
    length = (b"content-length", b"%d" % len(body))
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})


async def answer_refusal(
    send: Send, refusal: Refusal, more: Sequence[Header] = (), *, is_anthropic: bool = False
) -> None:
    headers = [JSON, *refusal.headers, *more]
    if refusal.retry_after is not None:
        headers.append((b"retry-after", b"%d" % refusal.retry_after))
    if refusal.status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    body = as_anthropic(refusal.body()) if is_anthropic else refusal.body()
    await answer(send, refusal.status, body, headers)


class Departure:
    """While entered, cancels the current task when the client leaves; `left` then is true.

    Servers ignore what is sent after the client has gone, so only receive() can tell. The body must
    have been read before. The cancellation ends with the block. Asking costs as much as a tenth of
    a short call, so it begins when a call has lasted WATCHED_AFTER seconds.
    """

    def __init__(self, receive: Receive, deadlines: Deadlines) -> None:
        self._receive = receive
        self._deadlines = deadlines
        self._task: asyncio.Task[Any] | None = None
        self._watcher: asyncio.Task[None] | None = None
        self.instant = 0.0
        self.left = False

    def __enter__(self) -> Self:
        self._task = asyncio.current_task()
        self.instant = asyncio.get_running_loop().time() + WATCHED_AFTER
        self._deadlines.add(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if self._watcher is None:
            self._deadlines.discard(self)
            return False
        self._watcher.cancel()
        if not self.left:
            return False
        assert self._task is not None
        self._task.uncancel()
        return kind is asyncio.CancelledError

    def expire(self) -> None:
        """Begin to watch."""
        self._watcher = asyncio.get_running_loop().create_task(self._watch())

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.left = True
        assert self._task is not None
        self._task.cancel()
