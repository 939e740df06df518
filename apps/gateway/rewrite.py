"""The only changes made to an answer: completion id, model, and the usage event nobody asked for.

Everything else leaves as the bytes it came in.
"""

from __future__ import annotations

from typing import Any, Final

import orjson

from apps.gateway.errors import error_event, is_openai_error, leaks, message_in
from apps.gateway.events import MAX_EVENT, EventSplitter, EventTooLong, data_spans
from apps.gateway.lenient import read_json
from apps.gateway.scanner import Malformed, Span, Spans, splice, top_level
from apps.gateway.usage_tap import UsageTap, is_usage_only

DONE: Final = b"[DONE]"
# The keys that are changed. What follows them in an object need not be looked at.
NAMED: Final = frozenset(("id", "model"))
UNREADABLE: Final = "The model's provider sent an event that cannot be read."
REPORTED: Final = "The model's provider reported an error."
NOT_REPEATED: Final = "The model's provider reported an error that PilotDash does not repeat."
MOST_WORDS: Final = 2_000
CUT_OFF: Final = "The model's provider ended its answer in the middle."


class Names:
    """What stands in place of the provider's completion id and model, as JSON."""

    def __init__(self, completion_id: str, alias: str) -> None:
        self.id = orjson.dumps(completion_id) if completion_id else b""
        self.model = orjson.dumps(alias)

    def changes(self, text: bytes, spans: Spans) -> list[tuple[Span, bytes]]:
        """Return the replacements in a JSON object; nothing is added where a key is missing."""
        found: list[tuple[Span, bytes]] = []
        for key, name in (("id", self.id), ("model", self.model)):
            span = spans.get(key)
            if name and span is not None and text[span[0] : span[0] + 1] == b'"':
                found.append((span, name))
        return found


class StreamRewriter:
    """Feed it the chunks of a stream and send what it returns.

    `held` is the event `[DONE]` with all that follows; it is to be sent after the call is recorded.
    An error that repeats `secret` is replaced by a sentence of ours.
    `failure` is the outcome and sentence when the stream itself reported an error or broke; what
    was returned last then ends with an error event that must be the last thing sent.
    """

    def __init__(
        self,
        names: Names,
        tap: UsageTap,
        *,
        hide_usage: bool,
        secret: str = "",
        most_event: int = MAX_EVENT,
    ) -> None:
        self._names = names
        self._secret = secret
        self._tap = tap
        self._hide_usage = hide_usage
        self._splitter = EventSplitter(most_event)
        self._prefix = self._new_prefix = b""
        self._dropped = False
        self.held = b""
        self.failure: tuple[str, str] | None = None

    def feed(self, chunk: bytes) -> bytes:
        try:
            events = self._splitter.feed(chunk)
        except EventTooLong:
            return self._fail("stream_broken", UNREADABLE)
        if len(events) == 1:
            return self._pass(events[0])
        return b"".join([self._pass(event) for event in events])

    def finish(self) -> bytes:
        """Return what is left once the body is over, with an error event if it is not whole."""
        rest = self._splitter.rest()
        out = self._pass(rest) if rest else b""
        # A server that never says [DONE] has still finished when it gave a reason for it.
        if self.failure is None and not self.held and not self._tap.finish_reason:
            # A last line without its end must not swallow the event that follows.
            gap = b"\n\n" if out and not out.endswith((b"\n", b"\r")) else b""
            out += gap + self._fail("stream_broken", CUT_OFF)
        return out

    def _pass(self, event: bytes) -> bytes:
        """Return the bytes that an event becomes."""
        if self.failure is not None:
            return b""
        if self.held:
            self.held += event
            return b""
        if event == b"\n" and self._dropped:
            return b""  # the second half of the line end of an event that was taken out
        self._dropped = False
        spans = data_spans(event)
        if not spans:
            return event
        payload = _payload(event, spans)
        if payload.strip() == DONE:
            self.held = event
            return b""
        if not payload.strip():
            return event
        try:
            parsed = read_json(payload)
        except Malformed:
            return self._fail("stream_broken", UNREADABLE)
        if not isinstance(parsed, dict):
            return self._fail("stream_broken", UNREADABLE)
        return self._pass_object(event, spans, payload, parsed)

    def _pass_object(
        self, event: bytes, spans: list[Span], payload: bytes, parsed: dict[str, Any]
    ) -> bytes:
        self._tap.see(parsed)
        if (sentence := reported_in(parsed, event, self._secret)) is not None:
            if is_openai_error(parsed) and sentence != NOT_REPEATED:
                self.failure = ("upstream_error", sentence)
                return event
            return self._fail("upstream_error", sentence)
        if self._hide_usage and is_usage_only(parsed):
            self._dropped = True
            return b""
        try:
            return self._rename(event, spans, payload)
        except ValueError:  # repeated keys, absurd nesting: JSON all the same, so it is relayed
            return event

    def _rename(self, event: bytes, spans: list[Span], payload: bytes) -> bytes:
        if len(spans) > 1:
            return _rename_in_lines(event, spans, self._names.changes(payload, top_level(payload)))
        (start, _), prefix = spans[0], self._prefix
        if prefix and event.startswith(prefix, start):
            # The events of one answer begin alike up to its model, so one scan does for all.
            return event[:start] + self._new_prefix + event[start + len(prefix) :]
        changes = self._names.changes(payload, top_level(payload, until=NAMED))
        if len(changes) == 2:
            end = max(span[1] for span, _ in changes)
            self._prefix = payload[:end]
            self._new_prefix = splice(self._prefix, changes)
        return event[:start] + splice(payload, changes) + event[start + len(payload) :]

    def _fail(self, outcome: str, sentence: str) -> bytes:
        self.failure = (outcome, sentence)
        return error_event(sentence, 502, code=outcome)


def _payload(event: bytes, spans: list[Span]) -> bytes:
    if len(spans) == 1:
        start, end = spans[0]
        return event[start:end]
    return b"\n".join([event[start:end] for start, end in spans])


def _rename_in_lines(event: bytes, spans: list[Span], changes: list[tuple[Span, bytes]]) -> bytes:
    """Apply changes whose positions count in the joined lines; no JSON string spans two lines."""
    moved: list[tuple[Span, bytes]] = []
    for (begin, end), replacement in changes:
        offset = 0
        for start, stop in spans:
            if offset <= begin <= offset + stop - start:
                shift = start - offset
                moved.append(((begin + shift, end + shift), replacement))
                break
            offset += stop - start + 1
    return splice(event, moved)


def reported_in(answer: dict[str, Any], raw: bytes, secret: str) -> str | None:
    """Return the sentence of an error that an answer or event reports, or None without one."""
    if (error := _error_in(answer)) is None:
        return None
    if leaks(secret, raw, answer):
        return NOT_REPEATED
    return message_in(error)[:MOST_WORDS] or REPORTED


def _error_in(event: dict[str, Any]) -> object | None:
    error: object = event.get("error")
    if error:
        return error
    groq = event.get("x_groq")
    error = groq.get("error") if isinstance(groq, dict) else None
    return error or None
