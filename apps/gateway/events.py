"""Cut a server-sent-event body into events without changing a byte.

Lines end at CR, LF or CRLF, never at U+2028; an event ends with an empty line, however the
packets are cut.
"""

from __future__ import annotations

import re
from typing import Final

MAX_EVENT: Final = 8 << 20
# Atomic groups: a CRLF must not be read as two line ends.
_END: Final = re.compile(rb"(?>\r\n|\n|\r)(?>\r\n|\n|\r)")
_LINE_END: Final = re.compile(rb"\r\n|\n|\r")
_CR: Final = 0x0D
_LF: Final = 0x0A


class EventTooLong(ValueError):
    """An event does not end within the bytes that it may have."""


class EventSplitter:
    """Feed it chunks; it returns whole events with the line ends they came with.

    Where an event ends in CR at the end of a chunk and the next chunk begins with LF, that LF is
    returned alone: it belongs to the event before.
    """

    def __init__(self, most: int = MAX_EVENT) -> None:
        self._most = most
        self._rest = bytearray()
        self._after_cr = False

    def feed(self, chunk: bytes) -> list[bytes]:
        """Return the events that the chunk completes. Raises EventTooLong."""
        if not self._rest and not self._after_cr and b"\r" not in chunk:
            # Most chunks are just one event, and searching for plain bytes is much cheaper.
            found = chunk.find(b"\n\n")
            if found >= 0 and found == len(chunk) - 2:
                return [chunk]
        events: list[bytes] = []
        if self._after_cr and chunk:
            self._after_cr = False
            if chunk[0] == _LF:
                events.append(b"\n")
                chunk = chunk[1:]
        if not self._rest:
            searched: bytes | bytearray = chunk
            begin = 0
        else:
            # The longest end is four bytes, so three of what was searched may belong to one.
            begin = max(0, len(self._rest) - 3)
            self._rest += chunk
            searched = self._rest
        start = 0
        for end in _END.finditer(searched, begin):
            events.append(bytes(searched[start : end.end()]))
            start = end.end()
        if start == len(searched):
            self._after_cr = start > 0 and searched[-1] == _CR
        self._rest = bytearray(searched[start:]) if start or not self._rest else self._rest
        if len(self._rest) > self._most:
            raise EventTooLong(f"an event is longer than {self._most} bytes")
        return events

    def rest(self) -> bytes:
        """Return what came after the last whole event, once the body is over."""
        rest = bytes(self._rest)
        self._rest.clear()
        return rest


def data_spans(event: bytes) -> list[tuple[int, int]]:
    """Return where the values of an event's `data` lines stand."""
    if event.startswith(b"data: ") and event.find(b"\n") == len(event) - 2 and b"\r" not in event:
        return [(6, len(event) - 2)]  # one line and the end of the event, as nearly all are
    spans: list[tuple[int, int]] = []
    start = 0
    while start < len(event):
        found = _LINE_END.search(event, start)
        end, after = found.span() if found else (len(event), len(event))
        if event.startswith(b"data", start):
            if event.startswith(b"data:", start):
                # One space after the colon belongs to the field, not to the value.
                spans.append((start + 5 + event.startswith(b" ", start + 5), end))
            elif end - start == 4:
                spans.append((end, end))
        start = after
    return spans
