"""Find the values of a JSON object's own keys as positions in its bytes, so they can be spliced.

What is relayed is never loaded and dumped again: that would reorder duplicates, round integers and
rewrite escapes. `orjson` judges whether a text is JSON at all; the scan only measures.
"""

from __future__ import annotations

import re
from collections.abc import Set
from typing import Any, Final

import orjson

from apps.gateway.bounds import DEFAULT, Bounds

# A body of so few bytes cannot hold enough values to be felt.
SMALL: Final = 1 << 18
NOT_JSON: Final = "The body is not valid JSON."
Span = tuple[int, int]
Spans = dict[str, Span]

# One member of the outermost object up to its value, of which scalars and strings are taken whole.
_MEMBER: Final = re.compile(
    rb'[ \t\r\n]*"([^"]*)"[ \t\r\n]*:[ \t\r\n]*("[^"]*"|[^"{\[,}\] \t\r\n]+|[{\[])'
)
_NEXT: Final = re.compile(rb"[ \t\r\n]*([,}])")
_BRACKET_OR_STRING: Final = re.compile(rb'"[^"]*"|[\[{\]}]')
_STRING_OPENING_OR_COMMA: Final = re.compile(rb'"[^"]*"|[\[{,]')
_ESCAPED: Final = re.compile(rb'\\["\\]')
_SPACE: Final = b" \t\r\n"
_OPEN_BRACE, _OPEN_BRACKET, _QUOTE = b'{["'


class Malformed(ValueError):
    """The text is not the JSON object it has to be. The message is a sentence for its sender."""


def top_level(
    text: bytes, *, until: Set[str] = frozenset(), most_depth: int = DEFAULT.json_depth
) -> Spans:
    """Return where each value of the outermost object stands, at most until these are found.

    Raises Malformed on a repeated key, on deeper nesting, and on what is not an object.
    The text must have been parsed by a JSON parser: the scan trusts what stands between brackets.
    """
    plain = _without_escapes(text)
    at = len(plain) - len(plain.lstrip(_SPACE))
    if plain[at : at + 1] != b"{":
        raise Malformed("The body must be a JSON object.")
    at += 1
    spans: Spans = {}
    while (member := _MEMBER.match(plain, at)) is not None:
        start, at = member.span(2)
        if plain[start] in (_OPEN_BRACE, _OPEN_BRACKET):
            at = _container_end(plain, at, most_depth)
        key = _key(text, *member.span(1))
        if key in spans:
            raise Malformed(f"The key {key[:64]!r} stands in the body twice.")
        spans[key] = (start, at)
        if until and spans.keys() >= until:
            return spans
        if (after := _NEXT.match(plain, at)) is None:
            raise Malformed(NOT_JSON)
        at = after.end()
        if after[1] == b"}":
            return spans
    if spans or plain[at:].strip(_SPACE) != b"}":
        raise Malformed(NOT_JSON)
    return spans


def parse_object(text: bytes, bounds: Bounds = DEFAULT) -> tuple[dict[str, Any], Spans]:
    """Return the object and where its values stand. Raises Malformed with a sentence."""
    if len(text) > SMALL:
        _refuse_too_many(text, bounds.json_values)
    try:
        loaded = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise Malformed(f"The body is not valid JSON: {error}.") from None
    if not isinstance(loaded, dict):
        raise Malformed("The body must be a JSON object.")
    return loaded, top_level(text, most_depth=bounds.json_depth)


def splice(text: bytes, changes: list[tuple[Span, bytes]]) -> bytes:
    """Return the text with each span replaced. Spans must not overlap."""
    pieces: list[bytes] = []
    at = 0
    for (start, end), replacement in sorted(changes):
        pieces += (text[at:start], replacement)
        at = end
    pieces.append(text[at:])
    return b"".join(pieces)


def member_span(text: bytes, value: Span) -> Span:
    """Return the span that takes a value out together with its key and one comma."""
    start, end = value
    # The key has no escaped quotation mark: it was found by its plain name.
    opening = text.rindex(b'"', 0, text.rindex(b'"', 0, text.rindex(b":", 0, start)))
    before = len(text[:opening].rstrip(_SPACE))
    if text[before - 1 : before] == b",":
        return before - 1, end
    after = len(text) - len(text[end:].lstrip(_SPACE))
    return opening, after + 1 if text[after : after + 1] == b"," else end


def _without_escapes(text: bytes) -> bytes:
    """Return the text with everything hidden that could be taken for the end of a string.

    Escapes only occur in strings and are read from the left; all positions stay.
    """
    if not _ESCAPED.search(text):
        return text
    return text.replace(b"\\\\", b"__").replace(b'\\"', b"__")


def _refuse_too_many(text: bytes, most: int) -> None:
    """Raise Malformed on more values and keys than a request can need.

    The parser lets nothing else run until it is done, which with millions of them takes most of a
    second; counting lets others run in between.
    """
    for counted, _ in enumerate(_STRING_OPENING_OR_COMMA.finditer(_without_escapes(text)), 1):
        if counted > most:
            raise Malformed("The body has too many strings, numbers, arrays and objects.")


def _container_end(plain: bytes, at: int, most_depth: int) -> int:
    """Return the position after the array or object whose bracket stands before `at`."""
    depth = 2  # the outermost object and this one
    for token in _BRACKET_OR_STRING.finditer(plain, at):
        byte = plain[token.start()]
        if byte == _QUOTE:
            continue
        if byte in (_OPEN_BRACE, _OPEN_BRACKET):
            depth += 1
            if depth > most_depth:
                raise Malformed(f"The body is nested more than {most_depth} levels deep.")
        else:
            depth -= 1
            if depth == 1:
                return token.end()
    raise Malformed(NOT_JSON)


def _key(text: bytes, start: int, end: int) -> str:
    raw = text[start:end]
    # An escaped spelling is the same key to the provider.
    return raw.decode() if b"\\" not in raw else str(orjson.loads(text[start - 1 : end + 1]))
