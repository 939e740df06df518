"""Answers that are nearly JSON are relayed: our strictness loses nothing that a provider sent."""

import json
from urllib.parse import quote

import pytest

from apps.gateway.lenient import read_json
from apps.gateway.scanner import Malformed

HEAD = '"id": "chatcmpl-theirs", "model": "theirs", "choices": '
SAID = '[{"index": 0, "%s": {"content": "Hello you"}, "finish_reason": "stop"}]'
ODD = {
    "nan": '"logprobs": NaN',
    "infinity": '"logprobs": [Infinity, -Infinity]',
    "too large": '"logprobs": 1e400',
    "long": '"logprobs": ' + "9" * 5_000,
    "half a pair": '"logprobs": "\\ud83d"',
    "control": '"logprobs": "\t"',
}


def odd_answer(name: str, field: str = "message") -> str:
    return "{" + HEAD + SAID % field + ", " + ODD[name] + "}"


def named(text: str, reply) -> bytes:
    ours = "chatcmpl-" + reply.headers["x-request-id"].replace("-", "")
    return text.replace("chatcmpl-theirs", ours).replace('"theirs"', '"pilot-chat"').encode()


@pytest.mark.parametrize("name", ODD)
async def test_a_plain_answer_is_relayed_and_estimated(rig, name):
    model, text = "theirs?raw=", odd_answer(name)
    rig.route(model + quote(text))

    reply = await rig.chat()

    assert (reply.status, reply.body) == (200, named(text, reply))
    record = rig.record()
    assert (record.outcome, record.finish_reason, record.rateable) == ("ok", "stop", True)
    assert (record.usage_source, record.completion_tokens) == ("estimated", round(9 / 4))


async def test_usage_in_such_an_answer_is_believed(rig):
    usage = '"usage": {"prompt_tokens": 5, "completion_tokens": 2, "cost": NaN}'
    rig.route("theirs?raw=" + quote("{" + HEAD + "[], " + usage + "}"))

    await rig.chat()

    record = rig.record()
    assert (record.usage_source, record.prompt_tokens, record.completion_tokens) == (
        "provider",
        5,
        2,
    )


@pytest.mark.parametrize("name", ODD)
async def test_an_event_is_passed_through(rig, name):
    text = odd_answer(name, "delta").replace('"stop"', "null")
    rig.route("theirs?usage=never&raw=" + quote(text))

    reply = await rig.chat(stream=True)

    assert b"data: " + named(text, reply) + b"\n\n" in reply.body
    assert reply.body.endswith(b"data: [DONE]\n\n")
    record = rig.record()
    assert (record.outcome, record.usage_source) == ("ok", "estimated")
    assert record.completion_tokens == round(len("Grüße aus 东京Hello you".encode()) / 4)


@pytest.mark.parametrize("raw", [b'{"a": "\xff", "a\xff": 1}', b'\xef\xbb\xbf{"a": 1}'])
def test_bytes_that_are_no_text_are_read_around(raw):
    assert isinstance(read_json(raw), dict)


@pytest.mark.parametrize(
    "text", ["<html>", "", '{"a": [', "{'a': 1}", '{"a": 1} {}', "nonsense", "[" * 100_000]
)
async def test_what_is_no_json_at_all_is_still_unreadable(rig, text):
    with pytest.raises(Malformed):
        read_json(text.encode())
    if not text or len(text) > 100:
        return
    rig.route("theirs?raw=" + quote(text))

    plain = await rig.chat()
    streamed = await rig.chat(stream=True)

    assert (plain.status, plain.error["code"]) == (502, "provider_unreadable")
    assert json.loads(streamed.body.split(b"data: ")[-1])["error"]["code"] == "stream_broken"
    assert [record.outcome for record in rig.records()] == ["upstream_error", "stream_broken"]


@pytest.mark.parametrize("text", ["[1]", '"text"', "NaN", "1"])
async def test_json_that_is_no_object_is_unreadable_too(rig, text):
    rig.route("theirs?raw=" + quote(text))

    assert (await rig.chat()).status == 502
