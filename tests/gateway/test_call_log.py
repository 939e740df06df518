"""A line for each call: what it tells, what it never tells, and that nobody waits for it."""

import asyncio
import contextlib
import fcntl
import json
import os
import re
import time

import pytest

from apps.gateway.call_log import PIECE, CallLog, printable, word_for
from tests.gateway.rig import CHAT, EXPIRED, GOOD, KEY, SECRET

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"
PLANTED = ("planted-prompt", "planted-answer", "planted-error", "planted-baggage", "Grüße")
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+\+00:00")


@pytest.fixture
def pipe():
    reader, writer = os.pipe()
    yield reader, writer
    for end in (reader, writer):
        os.close(end)


@pytest.fixture
def lines(rig, pipe):
    """Return a function that ends the log and returns its lines."""
    reader, writer = pipe
    rig.service.log = rig.service.recorder.log = CallLog(writer)

    def read() -> list[dict]:
        rig.service.log.close()
        return [json.loads(line) for line in os.read(reader, 1 << 16).splitlines()]

    return read


async def test_a_call_has_one_line(rig, lines):
    headers = {"x-request-id": "mine-1", "traceparent": PARENT, "x-pilotdash-task": "edit"}

    reply = await rig.chat(headers=headers, stream=True)

    (line,) = lines()
    record = rig.record()
    (attempt,) = line.pop("attempts")
    assert INSTANT.fullmatch(line.pop("at"))
    assert line == {
        "event": "call",
        "id": reply.headers["x-request-id"],
        "pilot": "autumn",
        "person": 31,
        "key": 21,
        "alias": "pilot-chat",
        "candidate": "cand-11",
        "assigned": None,
        "provider": "fake",
        "endpoint": "chat/completions",
        "task": "edit",
        "streamed": True,
        "outcome": "ok",
        "status": 200,
        "error": "",
        "first_byte_ms": record.first_byte_ms,
        "first_content_ms": record.first_content_ms,
        "total_ms": record.total_ms,
        "overhead_us": record.overhead_us,
        "prompt_tokens": 9,
        "cached_tokens": 4,
        "completion_tokens": 3,
        "usage": "provider",
        "finish_reason": "stop",
        "tool_calls": 0,
        "request_bytes": record.request_bytes,
        "response_bytes": record.response_bytes,
        "client_request_id": "mine-1",
        "client_retry": None,
        "trace": TRACE,
    }
    assert (attempt["candidate"], attempt["status"], attempt["error"]) == (11, 200, "")


async def test_a_refusal_of_a_known_key_has_a_line(rig, lines):
    await rig.request("POST", CHAT, GOOD, key=EXPIRED)
    await rig.request("POST", CHAT, b'{"model":"planted"}', {"traceparent": PARENT})
    await rig.request("POST", CHAT, b"{", {"x-request-id": "planted"})
    await rig.request("POST", CHAT, GOOD, key="pd_unknown")
    await rig.request("POST", CHAT, GOOD, key="")

    found = [{name: value for name, value in line.items() if name != "at"} for line in lines()]
    same = {"event": "refusal", "pilot": "autumn", "person": 31}
    assert found == [
        same | {"key": 22, "reason": "expired_key", "status": 401, "trace": ""},
        same | {"key": 21, "reason": "unknown_model", "status": 404, "trace": TRACE},
        same | {"key": 21, "reason": "malformed", "status": 400, "trace": ""},
    ]


@pytest.mark.parametrize(
    "model",
    [
        "theirs",
        f"theirs?echo={SECRET}",
        "theirs?id=planted-answer",
        "theirs?error_at=1&raw=planted-error",
        f"theirs?status=401&raw={SECRET}",
        "theirs?status=500&raw=planted-error",
        "theirs?garbage_at=1",
        "theirs?raw=planted-answer",
        "theirs?cut_at=1",
    ],
)
@pytest.mark.parametrize("stream", [True, False])
async def test_nothing_that_was_asked_answered_or_secret_is_in_a_line(
    rig, pipe, capfd, model, stream
):
    reader, writer = pipe
    rig.service.log = rig.service.recorder.log = CallLog(writer)
    rig.route(model)

    await rig.chat(
        stream=stream,
        headers={"baggage": "a=planted-baggage", "x-api-key": KEY, "x-pilotdash-session": "s"},
        messages=[{"role": "user", "content": "planted-prompt"}],
        user="planted-prompt",
    )

    rig.service.log.close()
    written = os.read(reader, 1 << 16).decode() + "".join(capfd.readouterr())
    assert written.count('"event":"call"') == 1
    assert [text for text in (KEY, SECRET, *PLANTED) if text in written] == []


async def test_what_a_client_says_cannot_make_a_line(rig, lines):
    await rig.chat(
        headers={"x-request-id": 'a\n{"event":"call"}\r\x1b[31m\u2028'.encode().decode("latin-1")}
    )

    (line,) = lines()
    assert line["client_request_id"] == 'a?{"event":"call"}??[31m??????'


@pytest.mark.parametrize(
    ("error", "word"),
    [
        ("", ""),
        ("connect", "connect"),
        ("provider status 503", "provider status 503"),
        ("provider status 503 and a prompt", "reported"),
        ("Your prompt 'secret' is too long", "reported"),
    ],
)
def test_only_our_own_words_for_errors_are_told(error, word):
    assert word_for(error) == word


def test_a_finish_reason_is_made_printable():
    assert printable("stop") == "stop"
    assert printable("a b\n" + "é" * 40) == "a?b?" + "?" * 28


def test_lines_come_whole_and_in_order(pipe):
    reader, writer = pipe
    log = CallLog(writer)
    lines = [b"%d" % number * 100 for number in range(200)]

    for line in lines:
        log.add(line)
    log.close()

    read = b""
    while len(read) < sum(map(len, lines)) + len(lines):
        read += os.read(reader, 1 << 16)
    assert read.splitlines() == lines


async def test_a_reader_that_stops_holds_up_nobody_and_what_is_dropped_is_counted(pipe):
    reader, writer = pipe
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    log = CallLog(writer, most_waiting=100)
    line = b"x" * 1_000
    begun = time.monotonic()

    for _ in range(1_000):
        log.add(line)
    await asyncio.sleep(0.3)
    for _ in range(1_000):
        log.add(line)

    assert time.monotonic() - begun < 1.0
    dropped = log.take_dropped()
    # What waits, what the pipe holds and what the writer has in hand was not dropped.
    assert 2_000 - 200 - 2 * PIECE // 1_000 <= dropped <= 2_000 - 100
    assert log.take_dropped() == 0
    log.close()
    os.set_blocking(reader, False)
    while log._writer.is_alive():
        with contextlib.suppress(BlockingIOError):
            os.read(reader, 1 << 16)


def test_a_reader_that_is_gone_costs_the_lines_and_nothing_else():
    reader, writer = os.pipe()
    os.close(reader)
    log = CallLog(writer)

    log.add(b"line")
    log.close()

    assert log.take_dropped() == 1
    os.close(writer)


def test_a_descriptor_that_does_not_block_is_waited_for(pipe):
    reader, writer = pipe
    os.set_blocking(writer, False)
    log = CallLog(writer)
    for _ in range(1_000):
        log.add(b"y" * 200)
    log.close()

    read = b""
    while len(read) < 201_000:
        read += os.read(reader, 1 << 16)

    assert (read, log.dropped) == ((b"y" * 200 + b"\n") * 1_000, 0)
