"""Filling in the middle: as it came, with a suffix, or in the candidate's own template."""

import json

import pytest

from apps.gateway.rewrite import Names, StreamRewriter
from apps.gateway.usage_tap import Usage, UsageTap
from tests.gateway.serving import answer, post, serve
from tests.gateway.streams import STREAMS

FILLED = (
    b'{"id":"cmpl-1","object":"chat.completion","created":1,"model":"theirs","choices":[{"index":0,'
    b'"message":{"role":"assistant","content":"x"},"finish_reason":"stop"}],'
    b'"usage":{"prompt_tokens":6,"completion_tokens":1,"total_tokens":7}}'
)


async def test_a_middle_goes_to_a_provider_that_fills_in_as_it_came(rig):
    serve(rig)
    answer(rig, FILLED)
    body = b'{"model":"pilot-chat", "prompt":"a", "suffix":"b", "min_tokens":1, "stop":null}'

    reply = await post(rig, "fim/completions", body)

    ours = b"chatcmpl-" + reply.headers["x-request-id"].replace("-", "").encode()
    named = FILLED.replace(b"cmpl-1", ours).replace(b"theirs", b"pilot-chat")
    assert reply.body == named
    (seen,) = rig.provider.seen
    assert (seen.path, seen.body) == ("/v1/fim/completions", body.replace(b"pilot-chat", b"theirs"))
    record = rig.record()
    assert (record.task, record.rateable) == ("autocomplete", False)
    assert (record.prompt_tokens, record.completion_tokens) == (6, 1)


async def test_a_middle_is_rendered_where_the_provider_cannot(rig):
    serve(
        rig,
        "completions",
        template="<P>{prefix}<S>{suffix}<M>{prefix}",
        stops=("<P>",),
        most_stops=3,
    )
    body = (
        b'{"model":"pilot-chat","stream":true,"prompt":"a{suffix}","x":1.10,'
        b'"suffix":"b{prefix}\\u00e9","stop":["1","2","3"],"max_tokens":5}'
    )

    reply = await post(rig, "fim/completions", body)

    (seen,) = rig.provider.seen
    assert (seen.path, seen.body.decode()) == (
        "/v1/completions",
        '{"model":"theirs","stream_options":{"include_usage":true},"stream":true,'
        '"prompt":"<P>a{suffix}<S>b{prefix}é<M>{prefix}","x":1.10,'
        '"stop":["<P>","1","2"],"max_tokens":5}',
    )
    *events, done = reply.body.decode().strip().split("\n\n")
    told = [json.loads(event.removeprefix("data: ")) for event in events]
    assert [event["choices"][0]["delta"] for event in told] == [
        {"content": text} for text in ("Grüße", " aus", " 东京", "")
    ]
    assert {(event["object"], event["model"]) for event in told} == {
        ("chat.completion.chunk", "pilot-chat")
    }
    assert told[0]["id"] == "chatcmpl-" + reply.headers["x-request-id"].replace("-", "")
    assert [event["choices"][0]["finish_reason"] for event in told] == [None] * 3 + ["stop"]
    assert done == "data: [DONE]"
    record = rig.record()
    assert (record.endpoint, record.task, record.outcome) == (
        "fim/completions",
        "autocomplete",
        "ok",
    )
    assert (record.prompt_tokens, record.completion_tokens) == (9, 3)


async def test_a_whole_middle_that_was_rendered_is_shaped_like_a_chat(rig):
    serve(rig, "completions", template="{suffix}|{prefix}")

    reply = await post(rig, "fim/completions", {"model": "pilot-chat", "prompt": "a"})

    assert json.loads(rig.provider.seen[0].body) == {"model": "theirs", "prompt": "|a"}
    told = reply.json
    assert (told["object"], told["model"]) == ("chat.completion", "pilot-chat")
    assert told["choices"] == [
        {
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": "Grüße aus 东京"},
        }
    ]
    assert told["usage"]["completion_tokens"] == 3
    assert told["system_fingerprint"] == "fp_1"


@pytest.mark.parametrize(
    ("serves", "template", "sent"),
    [
        (("completions", "suffix"), "", {"prompt": "a", "suffix": "b"}),
        (("completions",), "{prefix}^{suffix}", {"prompt": "a^b", "stop": ["^"]}),
    ],
)
async def test_a_suffix_leaves_a_text_a_text(rig, serves, template, sent):
    serve(rig, *serves, template=template, stops=("^",) if template else ())
    body = {"model": "pilot-chat", "suffix": "b", "prompt": "a"}

    reply = await post(rig, "completions", body)

    assert json.loads(rig.provider.seen[0].body) == {"model": "theirs"} | sent
    assert (reply.json["object"], reply.json["choices"][0]["text"]) == (
        "text_completion",
        "Grüße aus 东京",
    )
    assert rig.record().endpoint == "completions"


async def test_a_text_without_a_suffix_is_nothing_special(rig):
    serve(rig, "completions", template="{prefix}^{suffix}")
    body = b'{"model":"pilot-chat","prompt":"a","suffix":null}'

    await post(rig, "completions", body)

    assert rig.provider.seen[0].body == body.replace(b"pilot-chat", b"theirs")


@pytest.mark.parametrize(
    ("asked", "sent"),
    [
        (b'{"model":"pilot-chat","suffix":"","stream_options":{}}', b'{"model":"theirs"}'),
        (b'{"suffix": "" , "stream_options":{},"model":"pilot-chat"}', b'{ "model":"theirs"}'),
        (
            b'{"model":"pilot-chat", "prompt":"\\"suffix\\":", "suffix" : "", "x":1.0}',
            b'{"model":"theirs", "prompt":"\\"suffix\\":", "x":1.0}',
        ),
    ],
)
async def test_nothing_that_follows_is_no_suffix_for_those_who_take_none(rig, asked, sent):
    serve(rig, "completions", stream_usage="reject_option")

    reply = await rig.request("POST", "/v1/completions", asked)

    assert (reply.status, reply.json["object"]) == (200, "text_completion")
    assert rig.provider.seen[0].body == sent


async def test_a_suffix_of_nothing_stays_for_those_who_take_one(rig):
    serve(rig, "completions", "suffix")
    body = b'{"model":"pilot-chat","prompt":"a","suffix":""}'

    await post(rig, "completions", body)

    assert rig.provider.seen[0].body == body.replace(b"pilot-chat", b"theirs")


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"prompt": ["a"]}, "prompt"),
        ({}, "prompt"),
        ({"prompt": "a", "suffix": 5}, "suffix"),
        ({"prompt": "a", "stop": 5}, "stop"),
        ({"prompt": "a", "stop": ["a", 5]}, "stop"),
    ],
)
async def test_a_middle_that_cannot_be_rendered_is_refused(rig, fields, param):
    serve(rig, "completions", template="{prefix}^{suffix}")

    reply = await post(rig, "fim/completions", {"model": "pilot-chat"} | fields)

    assert (reply.status, reply.error["param"]) == (400, param)
    assert (rig.records(), rig.provider.seen) == ([], [])


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_text_becomes_the_same_chat_at_every_offset(end):
    sent = STREAMS["tgi"].sent.replace(b"\n", end.encode())

    def received(pieces: list[bytes]):
        tap = UsageTap()
        names = Names("chatcmpl-ours", "alias")
        rewriter = StreamRewriter(names, tap, hide_usage=True, is_chat_of_text=True)
        out = b"".join([rewriter.feed(piece) for piece in pieces]) + rewriter.finish()
        return out, rewriter.held, tap.usage(), tap.finish_reason

    whole = received([sent])
    out, held, usage, finish = whole
    first, last = [json.loads(event[6:]) for event in out.decode().strip().split("\n\n")]
    assert first["choices"] == [{"index": 0, "finish_reason": None, "delta": {"content": " Grüße"}}]
    assert last["usage"] == {"prompt_tokens": 4, "completion_tokens": 2, "total_tokens": 6}
    assert held == f"data: [DONE]{end}{end}".encode()
    assert (usage, finish) == (Usage(4, 2, None), "eos_token")
    for offset in range(len(sent) + 1):
        assert received([sent[:offset], sent[offset:]]) == whole, offset
