"""Wherever the packets of a stream are cut, the developer receives and we count the same."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.gateway.call import PREFIXES
from apps.gateway.drivers.wires import WIRES
from apps.gateway.rewrite import Names, StreamRewriter
from tests.gateway.streams import ALIAS, LONG_LINE, OUR_ID, STREAMS, Stream

COMPLETED = STREAMS["responses"].relayed.partition(b"event: response.completed")[2]
COMPLETED = b"event: response.completed" + COMPLETED


def relay(stream: Stream, pieces: list[bytes]):
    """Return what is sent before and after the call is recorded, and what is known by then."""
    wire = WIRES[stream.endpoint]
    tap = wire.new_tap()
    prefix = PREFIXES.get(stream.endpoint)
    names = Names(f"{prefix}{OUR_ID}" if prefix else "", ALIAS)
    hide = wire.has_usage_option and not stream.asked
    rewriter = StreamRewriter(names, tap, hide_usage=hide, wire=wire)
    before, at_end = b"", None
    for piece in pieces:
        before += rewriter.feed(piece)
        if at_end is None and rewriter.held:
            at_end = tap.usage()
    if rewriter.failure is None:
        before += rewriter.finish()
    # What is recorded is known before anything of what is held goes out.
    assert at_end is None or at_end == tap.usage()
    counted = (tap.usage(), tap.finish_reason, tap.content_bytes, tap.tool_calls)
    return before, rewriter.held, counted, rewriter.failure


def expected(stream: Stream):
    counted = (stream.usage, stream.finish, stream.content, stream.tools)
    return stream.relayed, counted, stream.failure


def found(stream: Stream, pieces: list[bytes]):
    before, held, counted, failure = relay(stream, pieces)
    return before + held, counted, failure


def cut(text: bytes, offsets: list[int]) -> list[bytes]:
    return [text[start:end] for start, end in pairwise([0, *sorted(offsets), len(text)])]


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_is_relayed_and_counted_as_it_must_be(name):
    stream = STREAMS[name]

    assert found(stream, [stream.sent]) == expected(stream)


@pytest.mark.parametrize(
    ("name", "last"),
    [
        ("openai", b"data: [DONE]\n\n"),
        ("crlf", b"data: [DONE]\r\n\r\n"),
        ("no newline at the end", b"data: [DONE]"),
        ("messages", b'event: message_stop\ndata: {"type":"message_stop"}\n\n'),
        ("responses", COMPLETED),
        ("no done", b""),
        ("error", b""),
        ("responses, failed", b""),
    ],
)
def test_the_last_event_waits_for_the_record(name, last):
    stream = STREAMS[name]

    before, held, _, _ = relay(stream, [stream.sent])

    assert (before, held) == (stream.relayed.removesuffix(last), last)


@pytest.mark.parametrize("name", STREAMS)
def test_every_offset_gives_the_same(name):
    stream = STREAMS[name]
    sent, right = stream.sent, expected(stream)

    for offset in range(len(sent) + 1):
        assert found(stream, [sent[:offset], sent[offset:]]) == right, offset


@pytest.mark.parametrize("name", STREAMS)
@given(st.data())
def test_any_cutting_gives_the_same(name, data):
    stream = STREAMS[name]
    offsets = data.draw(st.lists(st.integers(0, len(stream.sent)), max_size=12))

    assert found(stream, cut(stream.sent, offsets)) == expected(stream)


@pytest.mark.parametrize("name", STREAMS)
def test_single_bytes_give_the_same(name):
    stream = STREAMS[name]

    assert found(stream, [bytes([byte]) for byte in stream.sent]) == expected(stream)


def test_a_line_of_a_mebibyte_is_relayed_from_every_offset_near_its_ends():
    sent, right = LONG_LINE.sent, expected(LONG_LINE)
    start = sent.index(b"xxxx")
    near = [*range(start - 20, start + 20), *range(start + (1 << 20) - 20, start + (1 << 20) + 20)]

    for offset in [*near, *range(start, start + (1 << 20), 1 << 16)]:
        assert found(LONG_LINE, [sent[:offset], sent[offset:]]) == right, offset


@given(st.lists(st.integers(0, len(LONG_LINE.sent)), max_size=6))
def test_a_line_of_a_mebibyte_is_relayed_however_it_is_cut(offsets):
    assert found(LONG_LINE, cut(LONG_LINE.sent, offsets)) == expected(LONG_LINE)


def test_a_line_of_a_mebibyte_is_relayed_in_packets():
    packets = cut(LONG_LINE.sent, list(range(1448, len(LONG_LINE.sent), 1448)))

    assert found(LONG_LINE, packets) == expected(LONG_LINE)
