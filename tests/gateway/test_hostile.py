"""Bodies made to break a reader: refused with a sentence, never a failure of ours."""

import asyncio
import json
import time
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.gateway.bounds import Bounds
from apps.gateway.request import read_request
from apps.gateway.scanner import SMALL, Malformed
from tests.gateway.rig import CHAT, GOOD

MIB = 1 << 20
START = b'{"model":"pilot-chat","messages":[{"role":"user","content":"'
END = b'"}]}'


def nested(levels: int, opening: bytes = b"[", closing: bytes = b"]") -> bytes:
    """Return a body in which the innermost array or object is at that level."""
    return b'{"model":"pilot-chat","x":' + opening * (levels - 1) + closing * (levels - 1) + b"}"


TRAPS = {
    "empty": b"",
    "blank": b" \n\t",
    "a repeated key": b'{"model":"pilot-chat","messages":[],"model":"other"}',
    "a repeated key in another spelling": rb'{"model":"pilot-chat","\u006dodel":"other"}',
    "NaN": b'{"model":"pilot-chat","temperature":NaN}',
    "Infinity": b'{"model":"pilot-chat","temperature":Infinity}',
    "-Infinity": b'{"model":"pilot-chat","temperature":-Infinity}',
    "a number beyond a double": b'{"model":"pilot-chat","temperature":1e999}',
    "UTF-16 LE": '{"model":"pilot-chat"}'.encode("utf-16-le"),
    "UTF-16 BE": '{"model":"pilot-chat"}'.encode("utf-16-be"),
    "UTF-16": '{"model":"pilot-chat"}'.encode("utf-16"),
    "UTF-32": '{"model":"pilot-chat"}'.encode("utf-32"),
    "a byte order mark": b"\xef\xbb\xbf" + GOOD,
    "Latin-1": b'{"model":"pilot-chat","user":"\xe9"}',
    "an overlong encoding": b'{"model":"pilot-chat","user":"\xc0\xaf"}',
    "an encoded surrogate": b'{"model":"pilot-chat","user":"\xed\xa0\x80"}',
    "5,000 digits": b'{"model":"pilot-chat","n":' + b"9" * 5_000 + b"}",
    "500,000 digits": b'{"model":"pilot-chat","n":' + b"9" * 500_000 + b"}",
    "a huge exponent": b'{"model":"pilot-chat","n":1e' + b"9" * 5_000 + b"}",
    "65 arrays": nested(65),
    "65 objects": nested(65, b'{"a":', b"}").replace(b":}", b":1}"),
    "2,000 arrays": nested(2_000),
    "a million open arrays": b"[" * MIB,
    "a million open objects": b'{"a":' * (MIB // 5),
    "a million closing brackets": b"]" * MIB,
    "half a surrogate pair": rb'{"model":"pilot-chat","user":"\ud83d"}',
    "the other half": rb'{"model":"pilot-chat","user":"\ude00"}',
    "half a pair as the model": rb'{"model":"\ud83d"}',
    "a NUL in a string": b'{"model":"pilot-chat","user":"\x00"}',
    "a NUL before": b"\x00" + GOOD,
    "a NUL after": GOOD + b"\x00",
    "a line end in a string": b'{"model":"pilot-chat","user":"a\nb"}',
    "an array": b"[]",
    "a string": b'"pilot-chat"',
    "a number": b"1",
    "null": b"null",
    "garbage after": GOOD + b"x",
    "another object after": GOOD + GOOD,
    "a comment": b'{"model":"pilot-chat"/**/}',
    "a comma too many": b'{"model":"pilot-chat",}',
    "single quotes": b"{'model':'pilot-chat'}",
    "a bad escape": rb'{"model":"pilot-chat","user":"\x41"}',
    "an open string": b'{"model":"pilot-chat',
    "an open string full of escapes": b'{"model":"' + b'\\"' * MIB,
    "only backslashes": b'{"model":"' + b"\\" * MIB,
    "an empty key and no model": b'{"":1}',
    "a model that is a number": b'{"model":1}',
    "a model that is empty": b'{"model":""}',
    "a model of a megabyte": b'{"model":"' + b"m" * MIB + b'"}',
    "2,001 messages": b'{"model":"pilot-chat","messages":[' + b"{}," * 2_000 + b"{}]}",
    "nine choices": b'{"model":"pilot-chat","n":9}',
    "half a choice": b'{"model":"pilot-chat","n":1.5}',
    "many choices": b'{"model":"pilot-chat","n":18446744073709551616}',
    "too many strings": b'{"model":"pilot-chat","x":[' + b'"",' * 200_000 + b'""]}',
    "too many numbers": b'{"model":"pilot-chat","x":[' + b"1," * 400_000 + b"1]}",
    "too many objects": b'{"model":"pilot-chat","x":[' + b"{}," * 200_000 + b"{}]}",
    "too many keys": b'{"model":"a"' + b"".join(b',"%d":1' % n for n in range(200_000)) + b"}",
}


@pytest.mark.parametrize("body", TRAPS.values(), ids=TRAPS.keys())
async def test_a_trap_is_refused_with_a_sentence(rig, body):
    begun = time.monotonic()

    reply = await rig.request("POST", CHAT, body)

    assert (reply.status, reply.error["type"]) == (400, "invalid_request_error")
    assert reply.error["message"].endswith(".")
    assert len(reply.error["message"]) < 300
    assert (rig.provider.seen, rig.service.slots.running) == ([], 0)
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize(
    "body",
    [
        nested(64),
        nested(64, b'{"a":', b"}").replace(b":}", b":1}"),
        b'{"model":"pilot-chat","messages":[' + b"{}," * 1_999 + b"{}]}",
        b'{"model":"pilot-chat","n":8}',
        b'{"model":"pilot-chat","x":"' + rb"\u0000\ud83d\ude00" + b'"}',
        b'{"model":"pilot-chat","x":18446744073709551615,"y":-9223372036854775808}',
        b'\r\n\t {"model" : "pilot-chat" } \n',
        # Brackets in a string are a text about brackets.
        START + b"[{" * 300_000 + END,
        START + rb"\"" * 300_000 + END,
        START + b"," * 500_000 + END,
        b'{"model":"pilot-chat","x":[' + b"50256," * 300_000 + b"1]}",
        START + b"x" * (10 * MIB - len(START) - len(END)) + END,
    ],
    ids=(
        "64 arrays",
        "64 objects",
        "2,000 messages",
        "8 choices",
        "escapes",
        "64 bits",
        "spaces",
        "brackets in a string",
        "quotation marks in a string",
        "commas in a string",
        "300,000 numbers",
        "10 MiB",
    ),
)
async def test_what_is_just_within_the_limits_is_let_through(rig, body):
    reply = await rig.request("POST", CHAT, body)

    assert (reply.status, len(rig.provider.seen)) == (200, 1)


async def test_one_byte_more_than_the_limit_is_too_large(rig):
    body = START + b"x" * (10 * MIB + 1 - len(START) - len(END)) + END

    reply = await rig.request("POST", CHAT, body)

    assert (reply.status, reply.error["message"]) == (413, "The body is larger than 10 MiB.")


@pytest.mark.parametrize(
    ("bounds", "body"),
    [
        (Bounds(json_depth=3), nested(4)),
        (Bounds(messages=1), b'{"model":"m","messages":[1,2]}'),
        (Bounds(choices=1), b'{"model":"m","n":2}'),
        (Bounds(json_values=9), b'{"model":"m","x":["",{},[],[],"","",""' + b" " * SMALL + b"]}"),
    ],
)
def test_the_limits_are_those_that_were_set(bounds, body):
    assert read_request(body)

    with pytest.raises(Malformed):
        read_request(body, bounds)


PIECES = st.one_of(
    st.binary(max_size=40),
    st.sampled_from(
        [
            *(bytes([byte]) for byte in b'{}[]",:\\ \n\x00\xff'),
            b'"model"',
            b'"pilot-chat"',
            b'"stream_options"',
            b'"messages"',
            b'"n"',
            b"true",
            b"null",
            b"1e5",
            b"NaN",
            rb"\u006d",
            rb"\ud800",
        ]
    ),
)


def is_read(body: bytes) -> bool:
    """Tell whether a body is read; any failure but a sentence about it ends the test."""
    try:
        request = read_request(body)
    except Malformed:
        return False
    return bool(json.loads(body)["model"] == request.model)


@given(st.lists(PIECES, max_size=30).map(b"".join), st.integers(0, 60), st.binary(max_size=3))
@settings(max_examples=400)
def test_no_bytes_are_more_than_malformed(noise, at, spliced):
    for body in (noise, GOOD[:at] + spliced + GOOD[at + len(spliced) :], GOOD[:at] + noise):
        is_read(body)


@given(st.binary(max_size=300))
def test_no_noise_at_the_end_of_a_large_body_is_more_than_malformed(noise):
    is_read(START + b"x" * SMALL + noise)


async def test_unknown_keys_are_refused_cheaply_and_fill_no_memory(rig):
    async def refuse(number: int) -> None:
        reply = await rig.request("POST", CHAT, GOOD, key=f"pd_{number:040}")
        assert reply.status == 401

    for number in range(200):
        await refuse(number)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for number in range(200, 2_200):
            await refuse(number)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert after - before < 100_000
    assert len(rig.service.refusals._waiting) <= 2
    assert rig.provider.seen == []


async def test_a_body_is_not_waited_for_where_the_key_is_unknown(rig):
    never = asyncio.Event()
    sent: list[dict] = []

    async def receive():
        await never.wait()

    async def send(message):
        sent.append(message)

    headers = [(b"authorization", b"Bearer pd_unknown"), (b"content-length", b"100")]
    scope = {"type": "http", "method": "POST", "path": CHAT, "headers": headers}
    async with asyncio.timeout(1):
        await rig.gateway(scope, receive, send)

    assert sent[0]["status"] == 401
