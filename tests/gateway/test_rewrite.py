"""Whatever the packets, the developer receives and we count the same."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.gateway.events import EventSplitter, data_spans
from apps.gateway.rewrite import CUT_OFF, UNREADABLE, Names, StreamRewriter
from apps.gateway.usage_tap import Usage, UsageTap
from tests.fakes.provider import Script, events_of

PATH = "/v1/chat/completions"


def cut(text: bytes, offsets: list[int]) -> list[bytes]:
    edges = [0, *sorted(offsets), len(text)]
    return [text[start:end] for start, end in pairwise(edges)]


def run(pieces: list[bytes], *, hide: bool = True):
    tap = UsageTap()
    rewriter = StreamRewriter(Names("chatcmpl-ours", "alias"), tap, hide_usage=hide)
    out = b"".join([rewriter.feed(piece) for piece in pieces])
    if rewriter.failure is None:
        out += rewriter.finish()
    return out + rewriter.held, rewriter.failure, tap.usage(), tap.content_bytes, tap.finish_reason


def stream_of(switches: str) -> bytes:
    return b"".join(events_of(Script.of(f"m?{switches}"), PATH, "m", asked=True))


SPECIAL = {
    "cr": stream_of("").replace(b"\n", b"\r"),
    "mixed": stream_of("").replace(b"\n\n", b"\r\n\n", 2).replace(b"\n\n", b"\n\r", 1),
    "no space": stream_of("").replace(b"data: ", b"data:"),
    "lines": b'event: x\ndata: {"id": "a",\ndata:  "model":\ndata: "m", "choices": []}\nid: 7\n\n'
    + stream_of(""),
    "no end": stream_of("")[:-2],
    "u2028": stream_of("").replace("東".encode(), "\u2028\x85".encode()),
    "error": stream_of("error_at=1"),
    "garbage": stream_of("garbage_at=2"),
    "cut": stream_of("")[:300],
    "empty": b"data:\n\ndata\n\n\n\n" + stream_of(""),
}
FIXTURES = SPECIAL | {
    name: stream_of(name)
    for name in (
        "",
        "crlf=1",
        "comment=1",
        "usage=each",
        "usage=finish&empty_reason=1",
        "usage=groq",
        "usage=never&done=0",
        "usage=always&crlf=1",
        "tools=2",
    )
}


@pytest.mark.parametrize("name", FIXTURES)
def test_every_offset_gives_the_same(name):
    text = FIXTURES[name]
    whole = run([text])

    for offset in range(len(text) + 1):
        assert run([text[:offset], text[offset:]]) == whole, offset


@given(st.sampled_from(sorted(FIXTURES)), st.data())
def test_any_cutting_gives_the_same(name, data):
    text = FIXTURES[name]
    offsets = data.draw(st.lists(st.integers(0, len(text)), max_size=12))

    assert run(cut(text, offsets)) == run([text])
    assert run([text[n : n + 1] for n in range(len(text))]) == run([text])


@given(st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b"a", b"data: {}", b":"]), max_size=20))
def test_the_splitter_loses_and_invents_no_byte(parts):
    text = b"".join(parts)
    splitter = EventSplitter()

    events = [event for n in range(len(text)) for event in splitter.feed(text[n : n + 1])]

    assert b"".join(events) + splitter.rest() == text


@pytest.mark.parametrize(
    ("name", "usage"),
    [
        ("", Usage(9, 3, 4)),
        ("usage=each", Usage(9, 3, 4)),
        ("usage=finish&empty_reason=1", Usage(9, 3, 4)),
        ("usage=groq", Usage(9, 3, 4)),
        ("usage=never&done=0", None),
        ("cr", Usage(9, 3, 4)),
    ],
)
def test_usage_is_read_wherever_it_stands(name, usage):
    _, failure, found, content_bytes, reason = run([FIXTURES[name]])

    assert (failure, found, reason) == (None, usage, "stop")
    assert content_bytes == len("Grüße aus 东京".encode())


def test_names_are_changed_in_data_of_several_lines():
    out, *_ = run([SPECIAL["lines"]], hide=False)

    assert out.startswith(
        b'event: x\ndata: {"id": "chatcmpl-ours",\ndata:  "model":\n'
        b'data: "alias", "choices": []}\nid: 7\n\n'
    )


@pytest.mark.parametrize(
    ("name", "failure"),
    [
        ("error", ("upstream_error", "the model ran away")),
        ("garbage", ("stream_broken", UNREADABLE)),
        ("cut", ("stream_broken", UNREADABLE)),
    ],
)
def test_a_broken_stream_ends_with_an_error_event(name, failure):
    out, found, *_ = run([FIXTURES[name]])

    assert found == failure
    assert json.loads(out.split(b"data: ")[-1])["error"]["message"] == failure[1]


def test_a_stream_that_ends_between_events_without_a_reason_is_broken():
    events = events_of(Script(), PATH, "m", asked=True)

    out, failure, *_ = run(events[:3])

    assert failure == ("stream_broken", CUT_OFF)
    assert out.endswith(b"\n\n")


def test_an_event_without_end_is_given_up_at_eight_mebibytes():
    _, failure, *_ = run([b"data: "] + [b"x" * (1 << 20)] * 9)

    assert failure == ("stream_broken", UNREADABLE)


def test_an_id_that_is_null_or_missing_stays_so():
    event = b'data: {"model": "m", "id": null, "choices": []}\n\n'

    out, *_ = run([event], hide=False)

    assert out.startswith(b'data: {"model": "alias", "id": null, "choices": []}\n\n')


def test_repeated_keys_are_relayed_as_they_came():
    event = b'data: {"model": "m", "model": "m", "choices": [{"finish_reason": "stop"}]}\n\n'

    assert run([event])[0] == event


@pytest.mark.parametrize(
    ("event", "spans"),
    [
        (b"data: a\n\n", [(6, 7)]),
        (b"data:a\r\n\r\n", [(5, 6)]),
        (b"data:  a\r\r", [(6, 8)]),
        (b"data\n\n", [(4, 4)]),
        (b"database: a\n\n", []),
        (b": data: a\n\n", []),
        (b"id: 1\ndata: a\ndata: b", [(12, 13), (20, 21)]),
    ],
)
def test_data_lines_are_found(event, spans):
    assert data_spans(event) == spans


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"prompt_tokens": 5}, Usage(5, None, None)),
        ({"input_tokens": 5, "output_tokens": 6}, Usage(5, 6, None)),
        (
            {"prompt_tokens": 5, "completion_tokens": 0, "prompt_cache_hit_tokens": 3},
            Usage(5, 0, 3),
        ),
        ({"prompt_tokens": 5, "prompt_tokens_details": {"cached_tokens": 9}}, Usage(5, None, 5)),
        ({"prompt_tokens": -1, "completion_tokens": True}, None),
        ({"prompt_tokens": 2**40}, None),
        ({"prompt_tokens": "5"}, None),
        ({}, None),
    ],
)
def test_usage_is_believed_when_it_can_be(usage, expected):
    tap = UsageTap()

    tap.see({"usage": usage})

    assert tap.usage() == expected


def test_a_null_does_not_undo_what_was_stated_before():
    tap = UsageTap()

    tap.see({"usage": {"prompt_tokens": 5, "completion_tokens": 1}})
    tap.see({"usage": None})
    tap.see({"usage": {"prompt_tokens": 5, "completion_tokens": 2}})

    assert tap.usage() == Usage(5, 2, None)


@pytest.mark.parametrize(
    ("event", "is_hidden"),
    [
        ({"choices": [], "usage": {"prompt_tokens": 9}}, True),
        ({"choices": [], "usage": None}, True),
        ({"id": "a", "object": "o", "created": 1, "model": "m", "usage": None}, True),
        ({"choices": [], "system_fingerprint": "f", "service_tier": "t", "usage": None}, True),
        # These say something else.
        ({"choices": [], "usage": None, "prompt_filter_results": []}, False),
        ({"choices": [{"delta": {"content": "a"}}], "usage": None}, False),
        ({"choices": [], "usage": "none"}, False),
        ({"choices": []}, False),
    ],
)
def test_an_event_that_says_only_what_was_not_asked_for_is_hidden(event, is_hidden):
    text = f"data: {json.dumps(event)}\n\n".encode()
    named = text.replace(b'"a"', b'"chatcmpl-ours"').replace(b'"m"', b'"alias"')
    if not is_hidden:
        named = text
    end = b'data: {"choices":[{"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'

    assert run([text + end])[0] == (end if is_hidden else text + end)
    assert run([text + end], hide=False)[0] == named + end
