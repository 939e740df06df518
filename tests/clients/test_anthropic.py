"""Anthropic's package for JavaScript, run by Node.js against the gateway."""

from dataclasses import replace

import pytest

from apps.gateway.contract import SERVABLE, RouteTable
from tests.clients.routes import apart
from tests.gateway.live import until

pytestmark = pytest.mark.xdist_group("node")

MODELS = {
    "pilot-chat": "theirs",
    "plain": "theirs",
    "stuck": "theirs?events=9&hang=mid",
    "mad": "theirs?error_at=2",
    "cut": "theirs?events=5&cut_at=4",
    "busy": "theirs?status=429&retry_after=0&shape=anthropic",
}
USAGE = {
    "input_tokens": 5,
    "cache_creation_input_tokens": 0,
    "cache_read_input_tokens": 4,
    "output_tokens": 3,
}


def routes(table: RouteTable) -> RouteTable:
    """All but `plain` are at providers that serve everything."""
    table = apart(table, "plain")
    everything = replace(table.providers[5], serves=SERVABLE, auth="x_api_key")
    table = replace(table, providers=table.providers | {5: everything})
    return apart(table, "stuck", "mad", "cut", "busy")


def run(node, step, model="pilot-chat"):
    return node.run("anthropic.mjs", step, model=model)


def test_a_message(node, live):
    head, content, usage = run(node, "message")

    assert head == {"id": "msg_theirs", "requestId": head["requestId"], "model": "pilot-chat"}
    assert content == [{"type": "text", "text": "Grüße aus 东京"}]
    assert usage == USAGE
    until(lambda: head["requestId"] in [one.id for one in live.records(0)])
    (record,) = [one for one in live.records(0) if one.id == head["requestId"]]
    assert (record.endpoint, record.task, record.outcome) == ("messages", "chat", "ok")
    assert (record.prompt_tokens, record.cached_tokens, record.completion_tokens) == (9, 4, 3)
    # The package sends its key as x-api-key, and so does the gateway send the provider's.
    assert live.provider.seen[-1].headers["x-api-key"] == "sk-provider-secret"


def test_the_helper_for_streams_gathers_a_message(node):
    model, text, usage = run(node, "stream")

    assert (model, text) == ("pilot-chat", "Grüße aus 东京")
    assert usage == USAGE


def test_every_event_of_a_stream_arrives(node):
    assert run(node, "events") == [
        "message_start",
        "content_block_start",
        *["content_block_delta"] * 3,
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]


def test_a_stream_that_is_left_is_closed_upstream(node, live):
    assert run(node, "abort", "stuck") == ["left"]

    until(lambda: live.provider.seen[-1].left is not None, seconds=1)
    (record,) = live.calls_of("abort", 1)
    assert record.outcome == "client_cancelled"


def test_tokens_are_counted(node):
    assert run(node, "count") == [{"input_tokens": 9}]


@pytest.mark.parametrize(
    ("model", "words"), [("mad", "the model ran away"), ("cut", "cannot be reached")]
)
def test_an_error_inside_a_stream_is_raised(node, model, words):
    *events, error = run(node, "events", model)

    assert events[-1] == "content_block_delta"
    assert words in error["message"]


@pytest.mark.parametrize(
    ("model", "name", "status", "words"),
    [
        ("nothing", "NotFoundError", 404, "has no model 'nothing'"),
        ("plain", "NotFoundError", 404, "plain"),
        ("busy", "RateLimitError", 429, "status 429 as told"),
    ],
)
def test_errors_are_the_packages_own(node, model, name, status, words):
    (error,) = run(node, "message", model)

    assert (error["error"], error["status"]) == (name, status)
    assert words in error["message"]


def test_a_key_that_was_cut_off_is_explained(node):
    (error,) = run(replace(node, key="pd_cut"), "message")

    assert (error["error"], error["status"]) == ("AuthenticationError", 401)
    assert "cut off when copied" in error["message"]
