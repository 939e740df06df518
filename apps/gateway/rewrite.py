"""The only changes made to an answer: completion id, model, and the usage event nobody asked for.

Everything else leaves as the bytes it came in. A text that was asked for as a chat (see fim.py)
changes its shape, and answers to blind aliases are made anew: see blind/.
"""

from __future__ import annotations

from typing import Final

import orjson

from apps.gateway.drivers.fim import as_chat
from apps.gateway.drivers.wire import OPENAI, Wire
from apps.gateway.errors import leaks, message_in
from apps.gateway.events import MAX_EVENT, EventSplitter, EventTooLong, data_spans
from apps.gateway.lenient import read_json
from apps.gateway.scanner import Malformed, Span, Spans, splice, top_level
from apps.gateway.usage_tap import Json, UsageTap, is_usage_only

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
        self._plain = {"id": completion_id, "model": alias}
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

    def put_in(self, answer: Json) -> Json:
        """Return an answer under our names; nothing is added where a key is missing."""
        names = self._plain
        return answer | {key: names[key] for key in names if isinstance(answer.get(key), str)}

    def changes_within(self, text: bytes, key: str) -> list[tuple[Span, bytes]]:
        """Like changes(), in the object that is the value of a key."""
        start, end = top_level(text, until={key})[key]
        inner = text[start:end]
        found = self.changes(inner, top_level(inner, until=NAMED))
        return [((start + begin, start + stop), name) for (begin, stop), name in found]


class StreamRewriter:
    """Feed it the chunks of a stream and send what it returns.

    `held` is the last event, such as `[DONE]`, with all that follows; it is to be sent after the
    call is recorded. An error that repeats `secret` is replaced by a sentence of ours.
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
        wire: Wire = OPENAI,
        is_chat_of_text: bool = False,
    ) -> None:
        self._names = names
        self._secret = secret
        self._tap = tap
        self._wire = wire
        self._error_in = wire.error_in
        self._ends = wire.ends
        self._marks = wire.event_marks
        self._hide_usage = hide_usage
        self._is_chat_of_text = is_chat_of_text
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
        if self.failure is None and not self.held and not self._is_whole():
            # A last line without its end must not swallow the event that follows.
            gap = b"\n\n" if out and not out.endswith((b"\n", b"\r")) else b""
            out += gap + self._fail("stream_broken", CUT_OFF)
        return out

    def _is_whole(self) -> bool:
        """Tell whether a stream without its last event has come to its end all the same."""
        # A server that never says [DONE] has still finished when it gave a reason for it.
        return not self._ends and bool(self._tap.finish_reason)

    def _pass(self, event: bytes) -> bytes:
        """Return the bytes that an event becomes."""
        if self.failure is not None:
            return b""
        if self.held:
            self.held += self._verbatim(event)
            return b""
        if event == b"\n" and self._dropped:
            return b""  # the second half of the line end of an event that did not go out as it came
        self._dropped = False
        spans = data_spans(event)
        if not spans:
            return self._verbatim(event)
        payload = _payload(event, spans)
        if payload.strip() == DONE:
            return self._pass_done(event)
        if not payload.strip():
            return self._verbatim(event)
        try:
            parsed = read_json(payload)
        except Malformed:
            return self._fail("stream_broken", UNREADABLE)
        if not isinstance(parsed, dict):
            return self._fail("stream_broken", UNREADABLE)
        self._tap.see(parsed)
        if (error := self._error_in(parsed)) is not None:
            return self._pass_error(event, spans, payload, parsed, error)
        if self._marks.isdisjoint(parsed) and leaks(self._secret, payload, parsed):
            return self._fail("upstream_error", NOT_REPEATED)
        if self._hide_usage and is_usage_only(parsed):
            self._dropped = True
            return b""
        out = self._pass_content(event, spans, payload, parsed)
        if self._ends and parsed.get("type") in self._ends:
            self.held = out
            return b""
        return out

    def _verbatim(self, event: bytes) -> bytes:
        """Return what becomes of comments, empty events, and all that follows the last one."""
        return event

    def _pass_done(self, event: bytes) -> bytes:
        if self._ends:
            return self._verbatim(event)  # it means nothing where events have names
        self.held = event
        return b""

    def _pass_error(
        self, event: bytes, spans: list[Span], payload: bytes, parsed: Json, error: object
    ) -> bytes:
        sentence = sentence_of(error, parsed, event, self._secret)
        if sentence == NOT_REPEATED or not self._wire.relays_error(parsed):
            return self._fail("upstream_error", sentence)
        self.failure = ("upstream_error", sentence)
        return self._pass_content(event, spans, payload, parsed)

    def _pass_content(self, event: bytes, spans: list[Span], payload: bytes, parsed: Json) -> bytes:
        """Return an event under our names."""
        if self._is_chat_of_text:
            self._dropped = True
            chat = self._names.put_in(as_chat(parsed, is_event=True))
            return b"data: " + orjson.dumps(chat) + b"\n\n"
        try:
            return self._rename(event, spans, payload, parsed)
        except ValueError:  # repeated keys, absurd nesting: JSON all the same, so it is relayed
            return event

    def _rename(self, event: bytes, spans: list[Span], payload: bytes, parsed: Json) -> bytes:
        if nested := self._wire.nested:
            if not isinstance(parsed.get(nested), dict):
                return event
            return _apply(event, spans, self._names.changes_within(payload, nested))
        (start, _), prefix = spans[0], self._prefix
        if len(spans) > 1:
            return _apply(event, spans, self._names.changes(payload, top_level(payload)))
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
        return self._wire.error_event(sentence, 502, code=outcome)


def _payload(event: bytes, spans: list[Span]) -> bytes:
    if len(spans) == 1:
        start, end = spans[0]
        return event[start:end]
    return b"\n".join([event[start:end] for start, end in spans])


def _apply(event: bytes, spans: list[Span], changes: list[tuple[Span, bytes]]) -> bytes:
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


def reported_in(answer: Json, raw: bytes, secret: str, wire: Wire = OPENAI) -> str | None:
    """Return the sentence of an error that a whole answer reports, or None without one."""
    error = wire.error_in(answer)
    return None if error is None else sentence_of(error, answer, raw, secret)


def sentence_of(error: object, answer: Json, raw: bytes, secret: str) -> str:
    """Return what an error says, unless that repeats a secret of ours."""
    if leaks(secret, raw, answer):
        return NOT_REPEATED
    return message_in(error)[:MOST_WORDS] or REPORTED
