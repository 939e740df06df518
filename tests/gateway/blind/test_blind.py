"""Nothing in an answer to a blind alias tells who gave it: exact answers, and no telling word."""

import json
from dataclasses import replace

import pytest

from apps.gateway.blind.mask import Mask
from tests.gateway.blind import telling
from tests.gateway.blind.telling import TELLING, hide, told_of
from tests.gateway.serving import answer, post

USAGE = {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}


def tool_id(reply, theirs: str) -> str:
    hex_id = reply.headers["x-request-id"].replace("-", "")
    return Mask(hex_id, "", 0, None).opaque(theirs)


def head(reply, prefix: str, kind: str) -> dict:
    """The id, object, created and model that an answer must have."""
    hex_id = reply.headers["x-request-id"].replace("-", "")
    created = int(hex_id[:12], 16) // 1_000
    return {"id": prefix + hex_id, "object": kind, "created": created, "model": "pilot-chat"}


def chat(reply) -> dict:
    function = {"name": "look", "arguments": "{}"}
    call = {"id": tool_id(reply, "acme-tool-1"), "type": "function", "function": function}
    message = {
        "role": "assistant",
        "content": "Hi",
        "reasoning_content": "hm",
        "tool_calls": [call],
    }
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return head(reply, "chatcmpl-", "chat.completion") | {"choices": [choice], "usage": USAGE}


def text(reply) -> dict:
    choice = {"index": 0, "text": "Hi", "finish_reason": "length"}
    return head(reply, "cmpl-", "text_completion") | {"choices": [choice], "usage": USAGE}


def vectors(reply) -> dict:
    return {
        "object": "list",
        "data": [{"object": "embedding", "index": 0, "embedding": [0.5, -1]}],
        "model": "pilot-chat",
        "usage": {"prompt_tokens": 9, "total_tokens": 9},
    }


def ranks(reply) -> dict:
    rows = [{"index": 1, "relevance_score": 0.9, "document": {"text": "b"}}]
    told = head(reply, "rerank-", "list") | {"results": rows, "data": rows}
    del told["created"]
    return told | {"usage": {"prompt_tokens": 5, "total_tokens": 5}}


def message(reply) -> dict:
    return {
        "id": head(reply, "msg_", "")["id"],
        "type": "message",
        "role": "assistant",
        "model": "pilot-chat",
        "content": [
            {"type": "thinking", "thinking": "hm", "signature": ""},
            {"type": "text", "text": "Hi"},
            {
                "type": "tool_use",
                "id": tool_id(reply, "toolu_acme"),
                "name": "look",
                "input": {"a": 1},
            },
        ],
        "stop_reason": "tool_use",
        "stop_sequence": None,
        "usage": {"input_tokens": 9, "output_tokens": 3},
    }


def response(reply) -> dict:
    part = {"type": "output_text", "text": "Hi", "annotations": []}
    said = {
        "id": "msg_" + tool_id(reply, "msg_acme"),
        "type": "message",
        "status": "completed",
        "role": "assistant",
        "content": [part],
    }
    thought = {
        "id": "rs_" + tool_id(reply, "rs_acme"),
        "type": "reasoning",
        "summary": [{"type": "summary_text", "text": "hm"}],
    }
    called = {
        "id": "fc_" + tool_id(reply, "fc_acme"),
        "type": "function_call",
        "status": "completed",
        "call_id": tool_id(reply, "call_acme"),
        "name": "look",
        "arguments": "{}",
    }
    told = head(reply, "resp_", "response")
    return {
        "id": told["id"],
        "object": "response",
        "created_at": told["created"],
        "status": "incomplete",
        "error": None,
        "incomplete_details": {"reason": "max_output_tokens"},
        "model": "pilot-chat",
        "output": [thought, said, called],
        "tools": [],
        "tool_choice": "auto",
        "parallel_tool_calls": True,
        "usage": {
            "input_tokens": 9,
            "output_tokens": 3,
            "total_tokens": 12,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens_details": {"reasoning_tokens": 0},
        },
    }


@pytest.mark.parametrize(
    ("endpoint", "answered", "made"),
    [
        ("chat/completions", telling.CHAT, chat),
        ("fim/completions", telling.CHAT, chat),
        ("completions", telling.TEXT, text),
        ("embeddings", telling.VECTORS, vectors),
        ("rerank", telling.RANKS, ranks),
        ("messages", telling.MESSAGE, message),
        ("responses", telling.RESPONSE, response),
        ("messages/count_tokens", telling.COUNT, lambda _: {"input_tokens": 2095}),
    ],
)
async def test_a_whole_answer_is_made_anew(rig, endpoint, answered, made):
    hide(rig)
    answer(rig, answered.encode(), "application/json; acme=1")

    reply = await post(rig, endpoint, {"model": "pilot-chat"})

    assert (reply.status, reply.json) == (200, made(reply))
    assert not TELLING.search(reply.body)
    assert told_of(reply) == {"content-type", "content-length", "x-request-id"}
    assert reply.headers["content-type"] == "application/json"
    record = rig.record()
    assert (record.outcome, record.candidate_id) == ("ok", 11)


@pytest.mark.parametrize(
    "said", [b'"cached_tokens":0', b'{"input_tokens_details":{"cached_tokens":1}}']
)
def test_other_counts_of_cached_tokens_tell(said):
    assert TELLING.search(said)


async def test_a_response_repeats_what_was_asked(rig):
    hide(rig)
    answer(rig, telling.RESPONSE.encode())
    tools = [{"type": "function", "name": "look", "parameters": {}, "strict": False}]
    asked = {"tools": tools, "tool_choice": {"type": "function", "name": "look"}}
    asked |= {"parallel_tool_calls": False}

    reply = await post(rig, "responses", {"model": "pilot-chat", "input": "hi"} | asked)

    assert {name: reply.json[name] for name in asked} == asked


@pytest.mark.parametrize(
    ("endpoint", "answered", "names"),
    [
        ("chat/completions", telling.CHAT, ("prompt_tokens", "completion_tokens")),
        ("completions", telling.TEXT, ("prompt_tokens", "completion_tokens")),
        ("messages", telling.MESSAGE, ("input_tokens", "output_tokens")),
        ("responses", telling.RESPONSE, ("input_tokens", "output_tokens")),
        ("embeddings", telling.VECTORS, ("prompt_tokens",)),
        ("rerank", telling.RANKS, ("prompt_tokens",)),
    ],
)
async def test_what_a_provider_does_not_count_is_told_as_it_is_recorded(
    rig, endpoint, answered, names
):
    hide(rig)
    answer(rig, answered.replace('"usage"', '"unused"').encode())

    reply = await post(rig, endpoint, {"model": "pilot-chat"})

    record = rig.record()
    counted = (record.prompt_tokens, record.completion_tokens)[: len(names)]
    assert record.usage_source == "estimated"
    assert tuple(reply.json["usage"][name] for name in names) == counted
    assert reply.json["usage"].get("total_tokens", sum(counted)) == sum(counted)


@pytest.mark.parametrize("usage", ["never", "on_request"])
async def test_a_stream_tells_the_usage_that_is_recorded(rig, usage):
    hide(rig)
    table = rig.service.routes.table
    candidate = replace(table.candidates[11], upstream_model=f"theirs?usage={usage}")
    rig.service.routes.table = replace(table, candidates={11: candidate})

    reply = await rig.chat(stream=True, stream_options={"include_usage": True})

    record = rig.record()
    *_, last, done = reply.body.decode().strip().split("\n\n")
    prompt, completion = record.prompt_tokens, record.completion_tokens
    assert json.loads(last.removeprefix("data: "))["usage"] == {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }
    assert done == "data: [DONE]"
    assert record.usage_source == ("estimated" if usage == "never" else "provider")


async def test_a_text_becomes_a_blind_chat_too(rig):
    hide(rig, "completions", template="{prefix}{suffix}")
    answer(rig, telling.TEXT.encode())

    reply = await post(rig, "fim/completions", {"model": "pilot-chat", "prompt": "a"})

    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": "Hi"},
        "finish_reason": "length",
    }
    told = head(reply, "chatcmpl-", "chat.completion") | {"choices": [choice], "usage": USAGE}
    assert reply.json == told


@pytest.mark.parametrize(
    ("switches", "status"),
    [
        ("status=400", 400),
        ("status=422&shape=tgi", 400),
        ("status=424&shape=tgi", 400),
        ("status=401", 502),
        ("status=429&retry_after=7", 429),
        ("status=500&shape=html", 500),
        ("status=529&shape=mistral", 502),
        ("raw=%7B%22error%22:%22acme%22%7D", 502),
        ("raw=acme", 502),
    ],
)
@pytest.mark.parametrize("endpoint", ["chat/completions", "messages"])
async def test_errors_are_in_our_own_words(rig, switches, status, endpoint):
    hide(rig)
    table = rig.service.routes.table
    model = f"theirs?{switches}&echo=acme"
    candidate = replace(table.candidates[11], upstream_model=model)
    rig.service.routes.table = replace(table, candidates={11: candidate})

    reply = await post(rig, endpoint, {"model": "pilot-chat"})

    assert (reply.status, reply.error["code"]) == (status, "model_failed")
    assert not TELLING.search(reply.body)
    assert b"as told" not in reply.body
    assert told_of(reply) <= {"content-type", "content-length", "x-request-id", "retry-after"}
    assert rig.record().outcome == "upstream_error"


async def test_other_aliases_stay_as_they_are(rig):
    hide(rig)
    table = rig.service.routes.table
    pilot = table.pilots[1]
    pilot = replace(pilot, aliases=pilot.aliases | {"open": 11})
    rig.service.routes.table = replace(table, pilots=table.pilots | {1: pilot})

    reply = await post(rig, "chat/completions", {"model": "open"})

    assert reply.json["system_fingerprint"] == "fp_1"
    assert reply.headers["x-pilotdash-candidate"] == "cand-11"


def test_ids_agree_within_an_answer_and_fit_the_strictest_provider():
    first, second = Mask("ab", "", 0, None), Mask("cd", "", 0, None)

    ids = [first.opaque("call_1"), first.opaque("call_1"), first.opaque("call_2")]

    assert ids[0] == ids[1] != ids[2]
    assert second.opaque("call_1") != ids[0]
    assert all(len(one) == 9 and one.isalnum() and one.isascii() for one in ids)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"choices": None},
        {"choices": ["acme", {"message": None}]},
        {"choices": [{"message": {"content": {"acme": 1}, "tool_calls": ["acme", {"id": 5}]}}]},
        {"choices": [{"index": "acme", "finish_reason": 5, "message": {"content": 5}}]},
        {"content": [{"type": "text", "text": 5}, "acme", {"type": ["acme"]}], "usage": "acme"},
        {"output": [{"type": "message", "content": "acme"}, 5], "status": ["acme"]},
        {"data": [{"embedding": ["acme"], "index": "acme"}], "results": "acme"},
    ],
)
@pytest.mark.parametrize(
    "endpoint", ["chat/completions", "completions", "embeddings", "rerank", "messages", "responses"]
)
async def test_answers_of_any_shape_are_made_anew(rig, body, endpoint):
    hide(rig)
    answer(rig, json.dumps(body | {"provider": "acme"}).encode())

    reply = await post(rig, endpoint, {"model": "pilot-chat"})

    assert (reply.status, reply.json["model"]) == (200, "pilot-chat")
    assert not TELLING.search(reply.body)
