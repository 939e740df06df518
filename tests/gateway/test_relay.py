"""What the developer receives and what is recorded of calls that go well."""

import asyncio
import json
from math import ceil

import pytest

from tests.fakes.provider import Script, answer_of, event, events_of, usage_of
from tests.gateway.rig import CHAT, SECRET


def renamed(raw: bytes, reply, upstream_model: str, prefix: str = "chatcmpl-") -> bytes:
    """Return the provider's bytes with the two names that the gateway changes."""
    ours = prefix + reply.headers["x-request-id"].replace("-", "")
    theirs = json.dumps(upstream_model)
    return raw.replace(b'"id": "chatcmpl-theirs"', f'"id": "{ours}"'.encode()).replace(
        f'"model": {theirs}'.encode(), b'"model": "pilot-chat"'
    )


async def test_a_plain_answer_comes_back_byte_for_byte(rig):
    reply = await rig.chat(headers={"x-request-id": "mine-1", "user-agent": "ls/JS 5.23.2"})

    raw = answer_of(Script.of("theirs"), CHAT, "theirs")
    assert reply.body == renamed(raw, reply, "theirs")
    prompt = round(
        len(b'{"model": "pilot-chat", "messages": [{"role": "user", "content": "hi"}]}') / 4
    )
    tokens = prompt + 1_024
    assert reply.headers == {
        "x-ratelimit-limit-requests": "6000",
        "x-ratelimit-remaining-requests": "5999",
        "x-ratelimit-reset-requests": "10ms",
        "x-ratelimit-limit-tokens": "10000000",
        "x-ratelimit-remaining-tokens": str(10_000_000 - tokens),
        "x-ratelimit-reset-tokens": f"{ceil(tokens * 60_000 / 10_000_000)}ms",
        "content-type": "application/json; charset=utf-8"
        if "charset" in reply.headers["content-type"]
        else "application/json",
        "openai-processing-ms": "5",
        "x-request-id": reply.headers["x-request-id"],
        "x-client-request-id": "mine-1",
        "x-pilotdash-candidate": "cand-11",
        "content-length": str(len(reply.body)),
    }
    record = rig.record()
    assert (record.outcome, record.status, record.rateable) == ("ok", 200, True)
    assert (record.prompt_tokens, record.cached_tokens, record.completion_tokens) == (9, 4, 3)
    assert (record.usage_source, record.finish_reason, record.task) == ("provider", "stop", "chat")
    assert (record.pilot_id, record.person_id, record.key_id) == (1, 31, 21)
    assert (record.candidate_id, record.provider_id, record.alias) == (11, 5, "pilot-chat")
    assert (record.client_request_id, record.upstream_request_id) == ("mine-1", "theirs-1")
    assert (record.client, record.streamed, record.first_content_ms) == (
        "ls/JS 5.23.2",
        False,
        None,
    )
    assert record.id == reply.headers["x-request-id"]
    assert [attempt.status for attempt in record.attempts] == [200]


async def test_the_provider_sees_its_own_credential_and_model_and_nothing_of_ours(rig):
    body = b'{ "model" :"pilot-chat","x":1.10,"big":12345678901234567890,"u":"\\u00e9" }'
    headers = {"cookie": "c=1", "x-api-key": "pd_other", "x-pilotdash-task": "edit"}

    await rig.request("POST", CHAT, body, headers)

    (seen,) = rig.provider.seen
    assert seen.body == body.replace(b'"pilot-chat"', b'"theirs"')
    assert {name.lower() for name in seen.headers} == {
        "host",
        "authorization",
        "content-type",
        "content-length",
        "x-request-id",
        "accept-encoding",
        "user-agent",
    }
    assert seen.headers["Authorization"] == f"Bearer {SECRET}"
    assert rig.record().task == "edit"


@pytest.mark.parametrize(
    "switches",
    [
        "",
        "crlf=1",
        "comment=1",
        "usage=never",
        "usage=each",
        "usage=finish",
        "usage=groq",
        "usage=always",
        "split=1",
        "split=7&crlf=1",
        "done=0",
        "empty_reason=1",
        "big=1048576&events=1",
        "tools=2",
    ],
)
@pytest.mark.parametrize("asks", [False, True])
async def test_a_stream_comes_back_byte_for_byte(rig, switches, asks):
    model = f"theirs?{switches}"
    rig.route(model)
    options = {"stream_options": {"include_usage": True}} if asks else {}

    reply = await rig.chat(stream=True, **options)

    script = Script.of(model)
    events = events_of(script, CHAT, model, asked=True)
    hidden = event(
        {"id": script.id, "object": "chat.completion.chunk", "created": 1700000000, "model": model}
        | {"choices": [], "usage": usage_of(script, script.events)},
        script,
    )
    shown = events if asks else [one for one in events if one != hidden]
    assert reply.body == renamed(b"".join(shown), reply, model)
    assert (reply.status, reply.whole) == (200, True)
    assert reply.headers["x-accel-buffering"] == "no"
    record = rig.record()
    assert record.outcome == "ok"
    assert record.tool_calls == script.tools
    assert record.rateable is not bool(script.tools)
    if script.usage == "never":
        assert record.usage_source == "estimated"
    else:
        assert (record.prompt_tokens, record.cached_tokens) == (9, 4)
        assert (record.completion_tokens, record.usage_source) == (script.events, "provider")
    assert record.first_byte_ms is not None
    assert record.first_content_ms >= record.first_byte_ms


async def test_completions_keep_their_own_prefix_and_are_not_rateable(rig):
    body = {"model": "pilot-chat", "prompt": "def f(", "stream": True}

    reply = await rig.request("POST", "/v1/completions", json.dumps(body).encode())

    events = events_of(Script(usage="on_request"), "/v1/completions", "theirs", asked=True)
    assert reply.body == renamed(
        b"".join([*events[:-2], events[-1]]), reply, "theirs", prefix="cmpl-"
    )
    record = rig.record()
    assert (record.endpoint, record.task, record.rateable) == ("completions", "autocomplete", False)


async def test_embeddings_are_relayed(rig):
    body = {"model": "pilot-chat", "input": ["a", "b"]}

    reply = await rig.request("POST", "/v1/embeddings", json.dumps(body).encode())

    raw = answer_of(Script(), "/v1/embeddings", "theirs", 2)
    assert reply.body == raw.replace(b'"theirs"', b'"pilot-chat"')
    record = rig.record()
    assert (record.prompt_tokens, record.completion_tokens, record.task) == (9, 0, "embed")
    assert not record.rateable


@pytest.mark.parametrize(
    ("path", "header", "more", "task", "rateable"),
    [
        (CHAT, None, {}, "chat", True),
        (CHAT, None, {"tools": [{"type": "function"}]}, "agent", True),
        (CHAT, "edit", {"tools": [{"type": "function"}]}, "edit", True),
        (CHAT, "apply", {}, "apply", False),
        ("/t/agent/v1/chat/completions", None, {}, "agent", True),
        ("/t/agent/v1/chat/completions", "edit", {}, "edit", True),
    ],
)
async def test_the_task_is_told_by_header_then_path_then_body(
    rig, path, header, more, task, rateable
):
    headers = {"x-pilotdash-task": header} if header else {}

    await rig.chat(path=path, headers=headers, **more)

    assert (rig.record().task, rig.record().rateable) == (task, rateable)


async def test_a_chat_title_cannot_be_rated(rig):
    prompt = "Given the following... please reply with a title for the chat that is 3-4 words"

    await rig.chat(max_tokens=16, messages=[{"role": "user", "content": prompt}])

    assert (rig.record().task, rig.record().rateable) == ("chat", False)


async def test_estimates_learn_from_calls_whose_usage_is_known(rig):
    await rig.chat(stream=True)
    rig.route("theirs?usage=never")

    await rig.chat(stream=True)

    known, estimated = rig.records()
    assert (known.usage_source, estimated.usage_source) == ("provider", "estimated")
    assert (estimated.prompt_tokens, estimated.completion_tokens) == (9, 3)


async def test_the_call_is_recorded_before_the_last_event_and_ends_after_the_provider(rig):
    rig.route("theirs?hang=end")
    at_done: list[int] = []

    def look(reply):
        if reply.pieces[-1].startswith(b"data: [DONE]"):
            at_done.append(len(rig.records()))

    reply = await rig.chat(stream=True, on_piece=look)

    assert at_done == [1]
    assert (reply.whole, rig.record().outcome) == (True, "ok")


async def test_the_connection_is_handed_back_after_a_whole_answer(rig):
    for stream in (False, True, False, True):
        await rig.chat(stream=stream)

    assert len(rig.provider._connections) == 1
    assert [len(record.attempts) for record in rig.records()] == [1, 1, 1, 1]


async def test_a_dead_reused_connection_is_tried_once_more_on_a_new_one(rig):
    await rig.chat()
    rig.provider.drop_next_reused = True

    reply = await rig.chat()

    assert reply.status == 200
    attempts = rig.records()[1].attempts
    assert [(one.status, one.error) for one in attempts] == [(None, "dead_connection"), (200, "")]


async def test_slots_are_given_back_however_calls_end(rig):
    leave = asyncio.Event()
    rig.route("theirs?hang=head")
    running = [asyncio.create_task(rig.chat(leave=leave)) for _ in range(10)]
    while rig.service.slots.running < 10 or len(rig.provider.seen) < 10:
        await asyncio.sleep(0.01)

    refused = await rig.chat()

    assert (refused.status, refused.error["code"]) == (429, "too_many_at_once")
    assert refused.headers["retry-after"] == "1"
    leave.set()
    await asyncio.gather(*running)
    rig.route("theirs?status=500")
    await rig.chat()
    assert rig.service.slots.running == 0
    assert [record.outcome for record in rig.records()] == ["client_cancelled"] * 10 + [
        "upstream_error"
    ]
