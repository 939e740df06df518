"""Carry one admitted call to its provider and the answer back, and record how it ended, once."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
import traceback
from collections.abc import Mapping
from typing import Final

from apps.gateway.answers import (
    ERROR_LIMIT,
    INTERNAL,
    STREAM_HEADERS,
    Failure,
    failed,
    passed_on,
    refused_by_provider,
    request_id_in,
    without_secret,
)
from apps.gateway.asgi import JSON, Departure, Headers, Receive, Send, answer
from apps.gateway.attempts import RETRIED_STATUSES, Attempts, Setback
from apps.gateway.call import Call
from apps.gateway.deadlines import Deadlines
from apps.gateway.drivers.delivery import Delivery, delivery_of
from apps.gateway.events import MAX_EVENT
from apps.gateway.ids import id_headers
from apps.gateway.recording import Recorder
from apps.gateway.reply import headers_of, in_our_words, rewriter_of
from apps.gateway.rewrite import StreamRewriter
from apps.gateway.upstream import Exchange, Upstream, UpstreamFailure
from apps.gateway.waits import error_headers, seconds_in
from apps.gateway.whole import read_answer

ANSWER_LIMIT: Final = 64 << 20
# How long a provider may take to end its body after it said [DONE].
TAIL_SECONDS: Final = 1.0
# Above this many bytes, reading an answer is felt by the streams of others.
LARGE_ANSWER: Final = 1 << 16

log = logging.getLogger(__name__)


class Relay:
    """What every call shares: connections to providers, attempts, who records how calls end."""

    def __init__(
        self,
        upstream: Upstream,
        recorder: Recorder,
        attempts: Attempts,
        *,
        most_event: int = MAX_EVENT,
    ) -> None:
        self.upstream = upstream
        self.recorder = recorder
        self.attempts = attempts
        self.most_event = most_event
        self.deadlines = Deadlines()

    async def serve(
        self, call: Call, headers: dict[bytes, bytes], receive: Receive, send: Send
    ) -> None:
        """Answer an admitted call. However it ends, it is recorded exactly once."""
        run = _Run(self, call, send)
        with Departure(receive, self.deadlines) as departure:
            try:
                await run.relay(headers)
            except UpstreamFailure as failure:
                await run.fail(failed(failure))
            except asyncio.CancelledError:
                outcome = "client_cancelled" if departure.left else "stream_broken"
                await run.record(outcome, "" if departure.left else "gateway stopped")
                raise
            except Exception as error:
                # Its text may show what was asked; its type and place are enough to find it.
                place = traceback.extract_tb(error.__traceback__)[-1]
                log.error(
                    "call %s failed: %s at %s:%s",
                    call.id,
                    type(error).__name__,
                    place.filename,
                    place.lineno,
                )
                await run.fail(INTERNAL)


class _Run:
    """The state of one relay: whether the head has gone out, and the exchange."""

    def __init__(self, shared: Relay, call: Call, send: Send) -> None:
        self._shared = shared
        self._call = call
        self._send = send
        self._has_head = False
        self._secret = ""
        self._delivery: Delivery

    async def relay(self, headers: dict[bytes, bytes]) -> None:
        """Ask whom the call is for, and whoever may answer instead. Raises UpstreamFailure."""
        attempts = self._shared.attempts
        last = await attempts.make(self._call, lambda: self._opened(headers), self._converse)
        if last is not None:
            await self.fail(last.failure, last.body, last.headers)

    def _opened(self, headers: dict[bytes, bytes]) -> Exchange:
        call, target = self._call, self._call.target
        delivery = self._delivery = delivery_of(call.endpoint, call.request, target)
        exchange = self._shared.upstream.open(
            target.provider,
            "POST",
            delivery.path,
            delivery.body,
            passed_on(headers, call.id, call.endpoint),
        )
        call.tries = exchange.tries
        self._secret = self._shared.upstream.credential(target.provider)
        return exchange

    async def _converse(self, exchange: Exchange) -> Setback | None:
        """Have one exchange; return the setback if it answers that it cannot right now."""
        call = self._call
        async with exchange as response:
            answered = without_secret(response.headers, self._secret)
            call.upstream_request_id = request_id_in(answered)
            if response.status >= 300:
                failure, answer_body = await self._read_error(response)
                is_stream = False
            elif answered.get("content-type", "").startswith("text/event-stream"):
                is_stream = True
                await self._stream(response, answered)
            else:
                is_stream, failure = False, None
                answer_body = await self._read_plain(response)
        # The connection to the provider has been handed back by now.
        if is_stream:
            await self._end_stream()
        elif failure is not None:
            told = error_headers(exchange.status, answered, is_blind=call.is_blind)
            if exchange.status in RETRIED_STATUSES:
                return Setback(failure, answer_body, told, wait=seconds_in(answered))
            await self.fail(failure, answer_body, told)
        else:
            await self._answer_plain(exchange.status, answered, answer_body)
        return None

    async def record(self, outcome: str, error: str = "") -> None:
        await self._shared.recorder.record(self._call, outcome, error)

    async def fail(
        self, failure: Failure, body: bytes | None = None, headers: Headers | None = None
    ) -> None:
        """Record a failure and say it: as a response, or as an event once the head is out."""
        call = self._call
        if call.is_blind:
            failure, body = in_our_words(failure), None
        if not self._has_head:
            call.status = failure.status
        if call.record is not None:
            # The answer was complete as far as the record goes; only its tail is missing.
            if self._has_head:
                await self._end_stream()
            return
        broken = failure.outcome == "upstream_error" and self._has_head
        await self.record("stream_broken" if broken else failure.outcome, failure.error)
        if self._has_head:
            event = call.wire.error_event(failure.message, failure.status, code=failure.code)
            await self._body(event)
            await self._end_stream()
        else:
            self._has_head = True
            said = call.wire.error_body(body or failure.body())
            more = headers or [JSON]
            await answer(self._send, failure.status, said, more + self._own_headers())

    async def _stream(self, response: Exchange, headers: Mapping[str, str]) -> None:
        call = self._call
        rewriter = rewriter_of(
            call,
            self._delivery,
            self._shared.recorder.calibration,
            secret=self._secret,
            most_event=self._shared.most_event,
        )
        call.status = response.status
        head = headers_of(call, headers, is_stream=True)
        while chunk := await response.chunk():
            now = time.monotonic()
            call.see_bytes(now, len(chunk))
            out = rewriter.feed(chunk)
            if call.first_content is None and call.tap.has_content:
                call.first_content = now
            if rewriter.failure is not None:
                await self._break(rewriter, head, out)
                response.close()
                return
            if out:
                await self._first(head)
                await self._body(out)
            if rewriter.held:
                await self._finish_stream(response, rewriter, head)
                return
        out = rewriter.finish()
        if not response.has_begun:
            call.tries[-1].error = "broken"
            raise UpstreamFailure("broken", "The provider ended its answer before it began.")
        if rewriter.failure is not None:
            await self._break(rewriter, head, out)
            return
        await self.record("ok")
        await self._first(head)
        if tail := out + rewriter.held:
            await self._body(tail)

    async def _finish_stream(
        self, response: Exchange, rewriter: StreamRewriter, head: Headers
    ) -> None:
        """Record the call, then send [DONE] and whatever follows it."""
        await self.record("ok")
        await self._first(head)
        await self._body(rewriter.held)
        sent = len(rewriter.held)
        with contextlib.suppress(TimeoutError, UpstreamFailure):
            async with asyncio.timeout(TAIL_SECONDS):
                while chunk := await response.chunk():
                    rewriter.feed(chunk)
        rewriter.finish()
        if len(rewriter.held) > sent:
            await self._body(rewriter.held[sent:])

    async def _break(self, rewriter: StreamRewriter, head: Headers, out: bytes) -> None:
        assert rewriter.failure is not None
        await self.record(*rewriter.failure)
        await self._first(head)
        await self._body(out)

    async def _read_plain(self, response: Exchange) -> bytes:
        body = await response.read(ANSWER_LIMIT)
        self._call.see_bytes(time.monotonic(), len(body))
        return body

    async def _read_error(self, response: Exchange) -> tuple[Failure, bytes]:
        body = await response.read(ERROR_LIMIT)
        self._call.see_bytes(time.monotonic(), len(body))
        return refused_by_provider(response.status, body, self._secret)

    async def _answer_plain(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        call = self._call
        how = (call, self._delivery, self._shared.recorder.calibration, body, self._secret)
        if len(body) > LARGE_ANSWER:
            renamed = await asyncio.to_thread(read_answer, *how)
        else:
            renamed = read_answer(*how)
        if isinstance(renamed, Failure):
            await self.fail(renamed)
            return
        call.status = status
        await self.record("ok")
        self._has_head = True
        head = headers_of(call, headers, is_stream=False)
        await answer(self._send, status, renamed, head + self._own_headers())

    async def _first(self, headers: Headers) -> None:
        if not self._has_head:
            self._has_head = True
            call = self._call
            breakers = self._shared.attempts.breakers
            breakers.answers(call.target.provider.id, call.tries[0].started)
            start = {
                "type": "http.response.start",
                "status": call.status,
                "headers": headers + STREAM_HEADERS + self._own_headers(),
            }
            await self._send(start)

    async def _body(self, body: bytes) -> None:
        await self._send({"type": "http.response.body", "body": body, "more_body": True})

    async def _end_stream(self) -> None:
        await self._send({"type": "http.response.body", "body": b""})

    def _own_headers(self) -> Headers:
        call = self._call
        theirs, is_anthropic = call.told.request_id, call.wire.is_anthropic
        ids = id_headers(call.id, theirs, is_anthropic=is_anthropic)
        headers: Headers = [*call.limit_headers, *ids]
        if not call.is_blind:
            slug = call.target.candidate.slug.encode("latin-1", "replace")
            headers.append((b"x-pilotdash-candidate", slug))
        return headers
