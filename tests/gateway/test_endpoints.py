"""Every endpoint from end to end: the body the provider gets, the answer, and the record."""

import json

import pytest

from apps.gateway.contract import SERVABLE, SERVED_BY_MOST
from tests.gateway.rig import SECRET
from tests.gateway.serving import answer, post, serve
from tests.gateway.streams import OUR_ID, STREAMS

EVENT_STREAM = "text/event-stream"
MESSAGE = (
    b'{"id": "msg_01", "type": "message", "model":"theirs", "content": [{"type": "tool_use", '
    b'"id": "toolu_1", "name": "f", "input": {"a": 1.0}}], "stop_reason": "tool_use", "usage": '
    b'{"input_tokens": 5, "cache_read_input_tokens": 90, "cache_creation_input_tokens": 5, '
    b'"output_tokens": 4}}'
)
RESPONSE = (
    b'{"id":"resp_1","object":"response","status":"completed","error":null,"model":"theirs",'
    b'"output":[{"type":"message","id":"msg_1","content":[{"type":"output_text","text":"hi"}]}],'
    b'"usage":{"input_tokens":20,"input_tokens_details":{"cached_tokens":8},"output_tokens":2}}'
)
RERANKED = (
    b'{"id":"rr","model":"theirs","results":[{"index":1,"relevance_score":0.91},'
    b'{"index":0,"relevance_score":1e-7}],"usage":{"total_tokens":31}}'
)
RESPONDED = b'{"model":"pilot-chat","max_output_tokens":9,"stream_options":{"a":1},"input":"hi"}'


@pytest.mark.parametrize(
    ("endpoint", "asked", "answered", "tokens", "finish", "task", "rateable"),
    [
        (
            "messages",
            b'{"model":"pilot-chat","max_tokens":64,"messages":[],"metadata":{"u":1.0}}',
            MESSAGE,
            (100, 90, 4),
            "tool_use",
            "chat",
            False,
        ),
        (
            "messages",
            b'{"model":"pilot-chat","stop_sequences":["a","b"],"tools":[{"name":"f"}]}',
            MESSAGE.replace(b'"stop_reason": "tool_use"', b'"stop_reason": "end_turn"'),
            (100, 90, 4),
            "end_turn",
            "agent",
            True,
        ),
        ("responses", RESPONDED, RESPONSE, (20, 8, 2), "stop", "chat", True),
        (
            "rerank",
            b'{"model":"pilot-chat","query":"q","documents":["a","b"],"top_k":2}',
            RERANKED,
            (31, None, 0),
            "",
            "rerank",
            False,
        ),
        (
            "messages/count_tokens",
            b'{"model":"pilot-chat","messages":[]}',
            b'{"input_tokens": 2095}',
            (0, None, 0),
            "",
            "other",
            False,
        ),
    ],
    ids=("message with tools", "message", "response", "rerank", "count"),
)
@pytest.mark.parametrize("prefix", ["/v1", "/t/edit/v1"])
async def test_a_whole_answer_passes_under_our_names(
    rig, endpoint, asked, answered, tokens, finish, task, rateable, prefix
):
    serve(rig)
    answer(rig, answered)

    reply = await post(rig, endpoint, asked, prefix=prefix)

    assert (reply.status, reply.body) == (200, answered.replace(b'"theirs"', b'"pilot-chat"'))
    (seen,) = rig.provider.seen
    assert (seen.path, seen.body) == (
        f"/v1/{endpoint}",
        asked.replace(b'"pilot-chat"', b'"theirs"'),
    )
    record = rig.record()
    assert (record.endpoint, record.outcome, record.usage_source) == (endpoint, "ok", "provider")
    assert (record.prompt_tokens, record.cached_tokens, record.completion_tokens) == tokens
    assert record.finish_reason == finish
    if prefix == "/v1":
        assert (record.task, record.rateable) == (task, rateable)
    else:
        assert record.task == "edit"


@pytest.mark.parametrize("name", ["messages", "messages, crlf", "responses", "mistral fim", "tgi"])
async def test_a_stream_passes_under_our_names_and_is_recorded_before_its_end(rig, name):
    stream = STREAMS[name]
    serve(rig)
    answer(rig, stream.sent, EVENT_STREAM)
    recorded: list[int] = []

    reply = await rig.request(
        "POST",
        f"/v1/{stream.endpoint}",
        b'{"model":"pilot-chat","stream":true}',
        on_piece=lambda reply: recorded.append(len(rig.records())),
    )

    ours = reply.headers["x-request-id"].replace("-", "").encode()
    assert reply.body == stream.relayed.replace(OUR_ID.encode(), ours)
    assert (reply.whole, recorded[-1]) == (True, 1)
    record = rig.record()
    assert (record.outcome, record.finish_reason) == ("ok", stream.finish)
    assert record.tool_calls == stream.tools
    usage = stream.usage
    assert (record.prompt_tokens, record.completion_tokens) == (usage.prompt, usage.completion)
    assert record.cached_tokens == usage.cached
    assert record.first_content_ms is not None


@pytest.mark.parametrize("name", ["messages", "responses"])
async def test_a_stream_of_named_events_without_its_last_is_broken(rig, name):
    stream = STREAMS[name]
    cut = stream.sent[: stream.sent.rindex(b"event: ")]
    serve(rig)
    answer(rig, cut, EVENT_STREAM)

    reply = await post(rig, stream.endpoint, b'{"model":"pilot-chat","stream":true}')

    begun, _, end = reply.body.rpartition(b"event: error\n")
    assert begun == stream.relayed[: stream.relayed.rindex(b"event: ")]
    error = json.loads(end.removeprefix(b"data: "))
    assert (error["type"], error["error"]["message"]) == ("error", error["message"])
    assert error["message"] == "The model's provider ended its answer in the middle."
    assert rig.record().outcome == "stream_broken"


@pytest.mark.parametrize("name", ["error", "messages, error", "responses, failed"])
async def test_an_error_in_a_200_stream_is_passed_on_and_recorded(rig, name):
    stream = STREAMS[name]
    serve(rig)
    answer(rig, stream.sent, EVENT_STREAM)

    reply = await post(rig, stream.endpoint, b'{"model":"pilot-chat","stream":true}')

    ours = reply.headers["x-request-id"].replace("-", "").encode()
    assert reply.body == stream.relayed.replace(OUR_ID.encode(), ours)
    record = rig.record()
    assert (record.outcome, record.error) == stream.failure
    if stream.usage is None:
        assert (record.usage_source, record.prompt_tokens) == ("none", None)
    else:
        assert record.prompt_tokens == stream.usage.prompt


@pytest.mark.parametrize("endpoint", ["messages", "responses"])
async def test_usage_is_not_asked_for_where_the_format_has_no_way_to(rig, endpoint):
    serve(rig, stream_usage="on_request")
    body = b'{"model":"pilot-chat","stream":true}'

    await post(rig, endpoint, body)

    assert rig.provider.seen[0].body == body.replace(b"pilot-chat", b"theirs")


async def test_anthropics_headers_reach_its_servers(rig):
    serve(rig, auth="x_api_key")
    body = b'{"model":"pilot-chat","messages":[]}'

    await post(rig, "messages", body, {"anthropic-beta": "b-1", "x-api-key": "pd_theirs"})
    await post(rig, "messages/count_tokens", body, {"anthropic-version": "2024-01-01"})
    await post(rig, "chat/completions", body, {"anthropic-version": "2024-01-01"})

    told = [
        {name.lower(): value for name, value in seen.headers.items()} for seen in rig.provider.seen
    ]
    assert [headers.get("anthropic-version") for headers in told] == [
        "2023-06-01",
        "2024-01-01",
        None,
    ]
    assert [headers.get("anthropic-beta") for headers in told] == ["b-1", None, None]
    assert [headers["x-api-key"] for headers in told] == [SECRET] * 3
    assert not any("authorization" in headers for headers in told)


@pytest.mark.parametrize(
    ("endpoint", "body"),
    [
        ("messages", b'{"model":"pilot-chat"}'),
        ("messages/count_tokens", b'{"model":"pilot-chat"}'),
        ("responses", b'{"model":"pilot-chat"}'),
        ("rerank", b'{"model":"pilot-chat"}'),
        ("fim/completions", b'{"model":"pilot-chat","prompt":"a"}'),
        ("completions", b'{"model":"pilot-chat","prompt":"a","suffix":"b"}'),
    ],
)
async def test_what_the_provider_does_not_serve_is_a_404(rig, endpoint, body):
    serve(rig, *SERVED_BY_MOST)

    reply = await post(rig, endpoint, body)

    assert (reply.status, reply.error["code"]) == (404, "endpoint_not_served")
    assert "'pilot-chat'" in reply.error["message"]
    assert (reply.json.get("type") == "error") is endpoint.startswith("messages")
    assert (rig.records(), rig.provider.seen) == ([], [])


@pytest.mark.parametrize(
    ("switches", "status", "message"),
    [
        ("status=429&shape=openai", 429, "status 429 as told"),
        ("status=529&shape=anthropic", 529, "status 529 as told"),
        ("status=400&shape=fastapi", 400, "status 400 as told"),
    ],
)
async def test_errors_of_messages_can_be_read_by_anthropics_clients(rig, switches, status, message):
    rig.route(f"theirs?{switches}&retry_after=9", serves=SERVABLE)

    reply = await post(rig, "messages", b'{"model":"pilot-chat"}')

    assert (reply.status, reply.json["type"]) == (status, "error")
    assert reply.error["message"] == message


@pytest.mark.parametrize(
    ("endpoint", "asked", "sent"),
    [
        ("chat/completions", '"stop":["a", "b","c"]', '"stop":["a","b"]'),
        ("chat/completions", '"stop":["a", "b"]', '"stop":["a", "b"]'),
        ("chat/completions", '"stop":"abc"', '"stop":"abc"'),
        ("chat/completions", '"stop":null', '"stop":null'),
        ("messages", '"stop_sequences":["a","b","c"]', '"stop_sequences":["a","b"]'),
    ],
)
async def test_a_long_list_of_stops_is_cut_to_what_the_provider_takes(rig, endpoint, asked, sent):
    serve(rig, most_stops=2)

    await post(rig, endpoint, b'{"model":"pilot-chat",%b,"n":1}' % asked.encode())

    assert rig.provider.seen[0].body == b'{"model":"theirs",%b,"n":1}' % sent.encode()


@pytest.mark.parametrize(
    ("endpoint", "field"),
    [
        ("chat/completions", "max_tokens"),
        ("chat/completions", "max_completion_tokens"),
        ("responses", "max_output_tokens"),
        ("messages", "max_tokens"),
    ],
)
async def test_an_estimate_is_never_above_what_was_allowed(rig, endpoint, field):
    name = {"chat/completions": "no done"}.get(endpoint, endpoint)
    stream = STREAMS[name]
    begun = stream.sent.decode()
    begun = begun[: begun.index("Grüße")] + "x" * 4_000 + begun[begun.index("Grüße") :]
    serve(rig)
    cut = begun[: begun.index("\n\n", begun.index("xxxx")) + 2]
    answer(rig, cut.replace('"usage"', '"unused"').encode(), EVENT_STREAM)

    await post(rig, endpoint, {"model": "pilot-chat", "stream": True, field: 7})

    record = rig.record()
    assert (record.outcome, record.usage_source) == ("stream_broken", "estimated")
    assert record.completion_tokens == 7


async def test_a_response_that_failed_is_an_error(rig):
    serve(rig)
    failed = RESPONSE.replace(b'"completed","error":null', b'"failed","error":{"message":"gone"}')
    answer(rig, failed)

    reply = await post(rig, "responses", RESPONDED)

    assert (reply.status, reply.error["message"]) == (502, "gone")
    assert rig.record().outcome == "upstream_error"
