"""A stream for a blind alias: every event is made anew, all else is left out."""

from __future__ import annotations

from typing import Final

import orjson

from apps.gateway.blind.mask import Shape
from apps.gateway.drivers.wire import Wire
from apps.gateway.events import MAX_EVENT
from apps.gateway.rewrite import REPORTED, Names, StreamRewriter, sentence_of
from apps.gateway.scanner import Span
from apps.gateway.usage_tap import Json, UsageTap

_DONE: Final = b"data: [DONE]\n\n"


class BlindRewriter(StreamRewriter):
    """Like StreamRewriter. The provider's own words on an error are only recorded."""

    def __init__(
        self,
        shape: Shape,
        tap: UsageTap,
        *,
        secret: str = "",
        most_event: int = MAX_EVENT,
        wire: Wire,
    ) -> None:
        super().__init__(
            Names("", ""), tap, hide_usage=False, secret=secret, most_event=most_event, wire=wire
        )
        self._shape = shape

    def finish(self) -> bytes:
        out = super().finish()
        if self.failure is None and not self.held:
            self.held = self._last()
        return out

    def _verbatim(self, event: bytes) -> bytes:
        return b""

    def _pass_done(self, event: bytes) -> bytes:
        if not self._ends:
            self.held = self._last()
        return b""

    def _pass_error(
        self, event: bytes, spans: list[Span], payload: bytes, parsed: Json, error: object
    ) -> bytes:
        self.failure = ("upstream_error", sentence_of(error, parsed, event, self._secret))
        return self._wire.error_event(REPORTED, 502, code="upstream_error")

    def _pass_content(self, event: bytes, spans: list[Span], payload: bytes, parsed: Json) -> bytes:
        return b"".join([self._encoded(made) for made in self._shape.events(parsed)])

    def _encoded(self, event: Json) -> bytes:
        name = f"event: {event['type']}\n".encode() if self._ends else b""
        return name + b"data: " + orjson.dumps(event) + b"\n\n"

    def _last(self) -> bytes:
        return b"".join([self._encoded(event) for event in self._shape.last()]) + _DONE
