"""Counts that came too early, or by halves: what was written after them is not for free."""

import asyncio
import json

import pytest

from tests.gateway.serving import answer, serve

EVENT_STREAM = "text/event-stream"
SAID = "hello world " * 100
HOURS = 9_000.0
CANCELLED, BROKEN, OK = "client_cancelled", "stream_broken", "ok"
DONE = b"data: [DONE]\n\n"


def named(event: dict) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (event["type"].encode(), json.dumps(event).encode())


def chunk(content: str = "", usage=None, finish=None) -> bytes:
    choice = {"index": 0, "delta": {"content": content}, "finish_reason": finish}
    return b"data: %b\n\n" % json.dumps({"choices": [choice], "usage": usage}).encode()


def counts(prompt, completion) -> dict:
    return {"prompt_tokens": prompt, "completion_tokens": completion}


def text(said: str) -> bytes:
    delta = {"type": "text_delta", "text": said}
    return named({"type": "content_block_delta", "index": 0, "delta": delta})


def begun(**usage) -> bytes:
    return named({"type": "message_start", "message": {"type": "message", "usage": usage}})


def ended(**usage) -> bytes:
    return named(
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": usage}
    ) + named({"type": "message_stop"})


STREAMS = {
    # Anthropic: one token is stated before anything is written.
    "messages": ("messages", [begun(input_tokens=25, output_tokens=1), text(SAID)]),
    "messages, nothing yet": ("messages", [begun(input_tokens=25, output_tokens=1)]),
    "messages, prompt alone": ("messages", [begun(input_tokens=25), text(SAID)]),
    # OpenAI's shape: none stated at first, or as many as there were.
    "chat": ("chat/completions", [chunk(usage=counts(25, 0)), chunk(SAID)]),
    "chat, counted": ("chat/completions", [chunk(SAID, counts(25, 210))]),
    "chat, counted in part": (
        "chat/completions",
        [chunk(SAID, counts(25, 210)), chunk(SAID, counts(25, 420)), chunk("abcdefgh")],
    ),
}
# Prompt, completion, source: four bytes are a token until something else is known.
TOKENS = {
    "messages": (25, 1 + 300, "estimated"),
    "messages, nothing yet": (25, 1, "provider"),
    "messages, prompt alone": (25, 300, "estimated"),
    "chat": (25, 300, "estimated"),
    "chat, counted": (25, 210, "provider"),
    "chat, counted in part": (25, 422, "estimated"),
}


async def cut(rig, name: str, outcome: str, **fields):
    """Have a stream left by its client, or broken off by its provider; return the record."""
    endpoint, pieces = STREAMS[name]
    serve(rig)
    rig.provider.paced = [*pieces, HOURS] if outcome == CANCELLED else [*pieces]
    leave, sent = asyncio.Event(), b"".join(pieces)
    body = {"model": "pilot-chat", "stream": True, **fields}
    reply = await rig.request(
        "POST",
        f"/v1/{endpoint}",
        json.dumps(body).encode(),
        leave=leave,
        on_piece=lambda reply: leave.set() if reply.body.count(b"data:") == len(pieces) else None,
    )
    assert reply.body.count(b"data:") == sent.count(b"data:") + (outcome == BROKEN)
    record = rig.records()[-1]
    assert record.outcome == outcome
    return record


@pytest.mark.parametrize("outcome", [CANCELLED, BROKEN])
@pytest.mark.parametrize("name", STREAMS)
async def test_what_came_after_the_last_count_is_added_to_it(rig, name, outcome):
    record = await cut(rig, name, outcome)

    assert (record.prompt_tokens, record.completion_tokens, record.usage_source) == TOKENS[name]


@pytest.mark.parametrize(
    ("name", "cap", "completion"),
    [
        ("messages", 50, 50),
        ("messages", 301, 301),
        ("messages, prompt alone", 50, 50),
        ("chat, counted in part", 421, 421),
        # What was stated stays, whatever was allowed.
        ("chat, counted in part", 100, 420),
    ],
)
async def test_never_above_the_cap_and_never_below_what_was_stated(rig, name, cap, completion):
    record = await cut(rig, name, CANCELLED, max_tokens=cap)

    assert (record.completion_tokens, record.usage_source) == (completion, "estimated")


@pytest.mark.parametrize(
    ("endpoint", "pieces", "tokens"),
    [
        (
            "chat/completions",
            [chunk(usage=counts(25, 0)), chunk(SAID, finish="stop"), DONE],
            (25, 300, "estimated"),
        ),
        (
            "chat/completions",
            [chunk(usage=counts(25, 0)), chunk(SAID), chunk("", counts(25, 210), "stop"), DONE],
            (25, 210, "provider"),
        ),
        (
            "messages",
            [begun(input_tokens=25, output_tokens=1), text(SAID), ended()],
            (25, 301, "estimated"),
        ),
        (
            "messages",
            [begun(input_tokens=25, output_tokens=1), text(SAID), ended(output_tokens=210)],
            (25, 210, "provider"),
        ),
    ],
)
async def test_a_whole_stream_that_is_counted_only_at_its_start_is_estimated(
    rig, endpoint, pieces, tokens
):
    serve(rig)
    answer(rig, b"".join(pieces), EVENT_STREAM)

    await rig.request("POST", f"/v1/{endpoint}", b'{"model":"pilot-chat","stream":true}')

    record = rig.record()
    assert record.outcome == OK
    assert (record.prompt_tokens, record.completion_tokens, record.usage_source) == tokens


async def test_counts_that_came_too_early_teach_nothing(rig):
    pieces = [chunk(usage=counts(25, 1_000)), chunk(SAID, finish="stop"), DONE]
    answer(rig, b"".join(pieces), EVENT_STREAM)

    await rig.chat(stream=True)

    calibration = rig.service.recorder.calibration
    assert calibration.completion_tokens(11, 400, None) == 100
    assert calibration.expected_completion(11) is None


async def test_what_is_usual_is_learned_from_calls_without_a_cap(rig):
    calibration, usual = rig.service.recorder.calibration, []

    for fields in ({"max_tokens": 5}, {}, {"max_tokens": 5}):
        await rig.chat(**fields)
        usual.append(calibration.expected_completion(11))

    assert usual == [None, 3, 3]


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        (counts(9, 3), (9, None, 3, "provider")),
        (counts(9.0, 3.0), (9, None, 3, "provider")),
        (counts(9, None), (9, None, 10, "estimated")),
        ({"prompt_tokens": 9}, (9, None, 10, "estimated")),
        (counts(9, 3.5), (9, None, 10, "estimated")),
        (counts(None, 3), ("asked", None, 3, "estimated")),
        (counts(None, None), ("asked", None, 10, "estimated")),
        # What is read from a cache is a part of the prompt, of an estimated one, too.
        (
            counts(None, 3) | {"prompt_tokens_details": {"cached_tokens": 9_999}},
            ("asked", "asked", 3, "estimated"),
        ),
        (
            counts(9, None) | {"prompt_tokens_details": {"cached_tokens": 4}},
            (9, 4, 10, "estimated"),
        ),
    ],
)
async def test_the_half_that_is_not_stated_is_estimated(rig, usage, tokens):
    choice = {"message": {"content": "x" * 40}, "finish_reason": "stop"}
    answer(rig, json.dumps({"choices": [choice], "usage": usage}).encode())

    await rig.chat()

    record = rig.record()
    asked = round(record.request_bytes / 4)
    assert (
        record.prompt_tokens,
        record.cached_tokens,
        record.completion_tokens,
        record.usage_source,
    ) == tuple([asked if one == "asked" else one for one in tokens])


@pytest.mark.parametrize("endpoint", ["embeddings", "rerank"])
async def test_what_makes_no_tokens_needs_no_count_of_them(rig, endpoint):
    serve(rig)
    answer(rig, b'{"results":[],"data":[],"usage":{"prompt_tokens":9,"completion_tokens":null}}')

    await rig.request("POST", f"/v1/{endpoint}", b'{"model":"pilot-chat","input":"a"}')

    record = rig.record()
    assert (record.prompt_tokens, record.completion_tokens, record.usage_source) == (
        9,
        0,
        "provider",
    )


async def test_who_leaves_before_anything_was_sent_is_charged_nothing(rig):
    leave = asyncio.Event()

    async def silent(reader, writer):
        leave.set()  # the connection stands, but for its handshake
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    rig.route("theirs", base_url=f"https://127.0.0.1:{port}/v1")

    async with server:
        await rig.chat(leave=leave)

    record = rig.record()
    assert (record.outcome, [one.status for one in record.attempts]) == (CANCELLED, [None])
    assert (record.prompt_tokens, record.completion_tokens, record.usage_source) == (
        None,
        None,
        "none",
    )


@pytest.mark.parametrize(
    ("hang", "status", "source"), [("head", None, "estimated"), ("first", 200, "none")]
)
async def test_a_call_that_we_break_off_before_its_answer_is_estimated(rig, hang, status, source):
    rig.route(f"theirs?hang={hang}")
    running = asyncio.create_task(rig.chat(stream=True))
    while not rig.provider.seen:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)

    running.cancel()
    await asyncio.wait([running])

    record = rig.record()
    assert (record.outcome, record.error) == (BROKEN, "gateway stopped")
    assert [one.status for one in record.attempts] == [status]
    assert record.usage_source == source
