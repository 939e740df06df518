"""Streams for blind aliases: exact events, nothing that tells, wherever the packets are cut."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.gateway.blind.mask import Mask
from apps.gateway.blind.messages import BlindMessages
from apps.gateway.blind.openai import BlindTurns
from apps.gateway.blind.responses import BlindResponses
from apps.gateway.blind.rewriter import BlindRewriter
from apps.gateway.drivers.wires import WIRES
from apps.gateway.usage_tap import Usage
from tests.gateway.blind.telling import TELLING, hide, told_of
from tests.gateway.serving import answer, post
from tests.gateway.streams import ALIAS, OUR_ID, SAID, STREAMS, Stream
from tests.gateway.test_split import cut

ESTIMATED = Usage(5, 4, None)
USAGE = {"prompt_tokens": 19, "completion_tokens": 10, "total_tokens": 29}
# Not in the fixtures' own words: names of fields that only some servers have.
OTHERS = re.compile(
    rb"Model-70B|gen-1717|native|fingerprint|DeepInfra|req_01|fp_x|EqQBCg|toolu|fc_t"
)


def relay(stream: Stream, pieces: list[bytes], *, wants_usage: bool = True):
    wire = WIRES[stream.endpoint]
    tap = wire.new_tap()
    mask = Mask(OUR_ID, ALIAS, 1_700_000_000, lambda: tap.usage() or ESTIMATED, wants_usage)
    match stream.endpoint:
        case "messages":
            shape = BlindMessages(mask)
        case "responses":
            shape = BlindResponses(mask, {})
        case endpoint:
            is_text = endpoint == "completions"
            shape = BlindTurns(mask, is_text=is_text, is_chat_of_text=False)
    rewriter = BlindRewriter(shape, tap, wire=wire)
    out = b"".join([rewriter.feed(piece) for piece in pieces])
    if rewriter.failure is None:
        out += rewriter.finish()
    return out, rewriter.held, rewriter.failure, tap.usage()


def events(raw: bytes) -> list:
    """Return the data of the events, and see that their names are right."""
    found = []
    for event in raw.decode().removesuffix("\n\n").split("\n\n"):
        *name, data = event.split("\n")
        parsed = data.removeprefix("data: ")
        parsed = parsed if parsed == "[DONE]" else json.loads(parsed)
        assert name == [f"event: {parsed['type']}"] if name else "type" not in parsed
        found.append(parsed)
    return found


@pytest.mark.parametrize("name", STREAMS)
def test_every_offset_gives_the_same_and_nothing_tells(name):
    stream = STREAMS[name]
    sent = stream.sent
    whole = relay(stream, [sent])

    assert (whole[2], whole[3]) == (stream.failure, stream.usage)
    assert not TELLING.search(whole[0] + whole[1])
    assert not OTHERS.search(whole[0] + whole[1])
    assert b"\n:" not in whole[0] + whole[1]
    for offset in range(len(sent) + 1):
        assert relay(stream, [sent[:offset], sent[offset:]]) == whole, offset


@pytest.mark.parametrize("name", STREAMS)
@given(st.data())
def test_any_cutting_gives_the_same(name, data):
    stream = STREAMS[name]
    offsets = data.draw(st.lists(st.integers(0, len(stream.sent)), max_size=12))

    assert relay(stream, cut(stream.sent, offsets)) == relay(stream, [stream.sent])


def chunk(delta: dict, reason: str | None = None) -> dict:
    choices = [{"index": 0, "delta": delta, "finish_reason": reason}]
    return HEAD | {"choices": choices}


HEAD = {
    "id": f"chatcmpl-{OUR_ID}",
    "object": "chat.completion.chunk",
    "created": 1_700_000_000,
    "model": ALIAS,
}


def test_a_chat_is_content_reasons_and_usage():
    out, held, *_ = relay(STREAMS["openai"], [STREAMS["openai"].sent])

    assert events(out + held) == [
        chunk({"role": "assistant", "content": ""}),
        chunk({"content": SAID}),
        chunk({}, "stop"),
        HEAD | {"choices": [], "usage": USAGE},
        "[DONE]",
    ]


def test_usage_is_told_where_it_is_asked_for_only():
    _, held, *_ = relay(STREAMS["vllm"], [STREAMS["vllm"].sent], wants_usage=False)

    assert held == b"data: [DONE]\n\n"


def test_servers_that_never_say_done_look_like_those_that_do():
    stream = STREAMS["no done"]
    _, held, *_ = relay(stream, [stream.sent], wants_usage=False)

    assert held == b"data: [DONE]\n\n"


@pytest.mark.parametrize("name", ["openai", "groq", "openrouter", "mistral fim", "cr"])
def test_chats_have_one_rhythm_whoever_answers(name):
    out, held, *_ = relay(STREAMS[name], [STREAMS[name].sent])

    begin, *said, end, usage, done = events(out + held)
    assert begin == chunk({"role": "assistant", "content": ""})
    assert end == chunk({}, "stop")
    assert said[-1] == chunk({"content": SAID})
    assert set(usage) == {*HEAD, "choices", "usage"}
    assert (usage["choices"], done) == ([], "[DONE]")


def of(*choices: dict) -> list:
    """Return what becomes of events with these choices: their index, and what they say."""
    shape = BlindTurns(Mask(OUR_ID, ALIAS, 0, None), is_text=False, is_chat_of_text=False)
    made = [shape.events({"choices": [choice]}) for choice in choices]
    return [
        (choice["index"], choice["delta"], choice["finish_reason"])
        for events in made
        for event in events
        for choice in event["choices"]
    ]


BEGIN = {"role": "assistant", "content": ""}


def test_a_role_in_each_event_and_an_end_with_words_become_the_same():
    told = of(
        {"index": 0, "delta": {"role": "assistant", "content": "a"}},
        {"index": 0, "delta": {"role": "assistant", "content": "b"}, "finish_reason": ""},
        {"index": 1, "delta": {"role": "assistant", "content": ""}},
        {"index": 0, "delta": {"role": "assistant", "content": "c"}, "finish_reason": "stop"},
        {"index": 0, "delta": {"content": ""}, "finish_reason": "stop"},
        {"index": 1, "delta": {"content": ""}, "finish_reason": "length"},
    )

    assert told == [
        (0, BEGIN, None),
        (0, {"content": "a"}, None),
        (0, {"content": "b"}, None),
        (1, BEGIN, None),
        (0, {"content": "c"}, None),
        (0, {}, "stop"),
        (1, {}, "length"),
    ]


@pytest.mark.parametrize(
    "nothing",
    [
        {},
        {"content": ""},
        {"content": None, "refusal": ""},
        {"role": "assistant", "function_call": {}},
        {"function_call": {"name": "", "arguments": ""}, "reasoning_content": ""},
        {"tool_calls": []},
        {"tool_calls": [{"index": 0, "function": {"arguments": ""}}, {}]},
    ],
)
def test_what_says_nothing_is_left_out(nothing):
    assert of({"delta": nothing}, {"delta": nothing}) == [(0, BEGIN, None)]


@pytest.mark.parametrize(
    "something",
    [
        {"refusal": "no"},
        {"function_call": {"name": "f", "arguments": ""}},
        {"function_call": {"arguments": "{}"}},
        {"tool_calls": [{"index": 1, "function": {"arguments": "{}"}}]},
    ],
)
def test_what_says_something_stays(something):
    assert of({"delta": something}) == [(0, BEGIN, None), (0, something, None)]


@pytest.mark.parametrize("name", ["no done", "tools"])
def test_usage_is_told_where_the_provider_states_none(name):
    _, held, *_ = relay(STREAMS[name], [STREAMS[name].sent])

    estimated = {"prompt_tokens": 5, "completion_tokens": 4, "total_tokens": 9}
    assert events(held) == [HEAD | {"choices": [], "usage": estimated}, "[DONE]"]


def test_tool_calls_keep_their_pieces_under_ids_of_ours():
    out, *_ = relay(STREAMS["tools"], [STREAMS["tools"].sent])

    mask = Mask(OUR_ID, "", 0, None)
    calls = [
        call for event in events(out) for call in event["choices"][0]["delta"].get("tool_calls", [])
    ]
    assert calls == [
        {
            "index": 0,
            "id": mask.opaque("call_aB3"),
            "type": "function",
            "function": {"name": "look", "arguments": ""},
        },
        {"index": 0, "function": {"arguments": '{"id":"x"}'}},
        {
            "index": 1,
            "id": mask.opaque("call_c"),
            "type": "function",
            "function": {"name": "go", "arguments": "{}"},
        },
    ]


def test_an_engines_reasons_become_the_common_ones():
    out, *_ = relay(STREAMS["tgi"], [STREAMS["tgi"].sent])

    assert [event["choices"][0] for event in events(out)] == [
        {"index": 0, "text": " Grüße", "finish_reason": None},
        {"index": 0, "text": " 东京", "finish_reason": None},
        {"index": 0, "text": "", "finish_reason": "stop"},
    ]


def test_thoughts_are_thoughts_whatever_their_shape():
    vllm, *_ = relay(STREAMS["vllm"], [STREAMS["vllm"].sent])
    mistral, *_ = relay(STREAMS["mistral"], [STREAMS["mistral"].sent])

    said = [
        chunk({"role": "assistant", "content": ""}),
        chunk({"reasoning_content": "hm"}),
        chunk({"content": SAID}),
    ]
    assert events(vllm) == [*said, chunk({}, "length")]
    assert events(mistral) == [*said, chunk({}, "stop")]


def test_a_message_keeps_what_every_server_can_say():
    out, held, *_ = relay(STREAMS["messages"], [STREAMS["messages"].sent])

    assert held == b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
    start, *rest = events(out)
    assert start["message"] == {
        "id": f"msg_{OUR_ID}",
        "type": "message",
        "role": "assistant",
        "model": ALIAS,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 2112, "output_tokens": 0},
    }
    tool = {
        "type": "tool_use",
        "id": Mask(OUR_ID, "", 0, None).opaque("toolu_01T"),
        "name": "look",
        "input": {},
    }
    blocks = [{"type": "thinking", "thinking": "", "signature": ""}, {"type": "text", "text": ""}]
    deltas = [
        {"type": "thinking_delta", "thinking": "hm"},
        {"type": "text_delta", "text": SAID},
        {"type": "input_json_delta", "partial_json": '{"model":1}'},
    ]
    expected = []
    for index, (block, delta) in enumerate(zip([*blocks, tool], deltas, strict=True)):
        at = {"index": index}
        expected += [
            {"type": "content_block_start"} | at | {"content_block": block},
            {"type": "content_block_delta"} | at | {"delta": delta},
            {"type": "content_block_stop"} | at,
        ]
    end = {
        "type": "message_delta",
        "delta": {"stop_reason": "tool_use", "stop_sequence": None},
        "usage": {"input_tokens": 2112, "output_tokens": 15},
    }
    assert rest == [*expected, end]


def test_blocks_and_items_that_are_left_out_leave_no_gap():
    told = [
        {"type": "content_block_start", "index": 0, "content_block": {"type": "server_tool_use"}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "a"}},
        {"type": "content_block_start", "index": 1, "content_block": {"type": "text"}},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "b"}},
        {"type": "content_block_stop", "index": 0},
    ]
    shape = BlindMessages(Mask(OUR_ID, ALIAS, 0, None))

    made = [shape.event(event) for event in told]

    assert [event and event["index"] for event in made] == [None, None, 0, 0, None]


def test_a_response_keeps_what_every_server_can_say():
    stream = STREAMS["responses"]

    out, held, *_ = relay(stream, [stream.sent])

    found = events(out + held)
    assert [event["sequence_number"] for event in found] == list(range(8))
    assert [event["type"] for event in found] == re.findall("event: (.*)", stream.text)
    mask = Mask(OUR_ID, "", 0, None)
    assert found[3] == {
        "type": "response.output_text.delta",
        "sequence_number": 3,
        "item_id": "msg_" + mask.opaque("msg_theirs"),
        "output_index": 0,
        "content_index": 0,
        "delta": SAID,
    }
    assert found[-1]["response"]["output"][1] == {
        "id": "fc_" + mask.opaque("fc_theirs"),
        "type": "function_call",
        "status": "completed",
        "call_id": mask.opaque("call_x"),
        "name": "look",
        "arguments": "{}",
    }
    assert found[-1]["response"]["usage"] == {
        "input_tokens": 37,
        "output_tokens": 11,
        "total_tokens": 48,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens_details": {"reasoning_tokens": 0},
    }
    assert found[0]["response"]["usage"] is None


@pytest.mark.parametrize("name", ["error", "messages, error", "responses, failed"])
def test_an_error_is_told_in_our_words_and_recorded_in_theirs(name):
    stream = STREAMS[name]

    out, _, failure, _ = relay(stream, [stream.sent])

    assert failure == stream.failure
    assert json.loads(out.rpartition(b"data: ")[2])["error"] == {
        "message": "The model's provider reported an error.",
        "type": "api_error",
        "code": "upstream_error",
        "param": None,
    }


@pytest.mark.parametrize("name", ["openrouter", "groq", "tgi", "messages", "responses"])
async def test_a_blind_stream_end_to_end(rig, name):
    stream = STREAMS[name]
    hide(rig)
    answer(rig, stream.sent, "text/event-stream; engine=acme")

    reply = await post(rig, stream.endpoint, {"model": "pilot-chat", "stream": True})

    assert reply.whole
    assert not TELLING.search(reply.body)
    assert not OTHERS.search(reply.body)
    assert told_of(reply) == {"content-type", "x-request-id", "x-accel-buffering"}
    assert reply.headers["content-type"] == "text/event-stream; charset=utf-8"
    record = rig.record()
    assert (record.outcome, record.finish_reason) == ("ok", stream.finish)
    assert record.prompt_tokens == stream.usage.prompt
