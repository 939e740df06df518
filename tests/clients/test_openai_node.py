"""OpenAI's package for JavaScript, run by Node.js against the gateway."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from apps.gateway.contract import REFUSALS_KEY, SERVABLE, RouteTable
from tests.clients.routes import apart
from tests.fakes.provider import Script, usage_of, vector_of
from tests.gateway.live import until

pytestmark = pytest.mark.xdist_group("node")

MODELS = {
    "pilot-chat": "theirs",
    "tools": "theirs?tools=2",
    "stuck": "theirs?events=9&hang=mid",
    "mad": "theirs?error_at=2",
    "silent": "theirs?hang=head",
    "busy": "theirs?status=429&retry_after=0",
    "full": "theirs?status=429&retry_after=3600",
}
USAGE = usage_of(Script(), 3)
CALLS = [
    {"id": f"call_{n}", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    for n in range(2)
]
TEXT = "Grüße aus 东京"


def routes(table: RouteTable) -> RouteTable:
    everything = replace(table.providers[5], serves=SERVABLE)
    table = replace(table, providers=table.providers | {5: everything})
    return apart(table, "stuck", "mad", "silent", "busy", "full")


def ends_of(live, session: str, count: int) -> list[tuple[str, int | None]]:
    """Return how each call of a session ended, and which try it was."""
    return [(one.outcome, one.client_retry) for one in live.calls_of(session, count)]


def run(node, step, model="pilot-chat", **options):
    return node.run("openai.mjs", step, model=model, **options)


def too_many(live) -> int:
    """How often a key had too many calls running."""
    counts = live.valkey.hgetall(REFUSALS_KEY)
    return sum(int(count) for field, count in counts.items() if field.startswith(b"too_many"))


def test_a_chat(node):
    head, message, usage = run(node, "chat", "tools")

    ours = "chatcmpl-" + head["requestId"].replace("-", "")
    assert head == {"id": ours, "requestId": head["requestId"], "model": "tools"}
    assert message == {"role": "assistant", "content": TEXT, "tool_calls": CALLS}
    assert usage == USAGE


def test_a_streamed_chat(node):
    pieces = run(node, "chatStream")

    words = [{"content": word} for word in ("Grüße", " aus", " 东京")]
    assert pieces == [{"role": "assistant", "content": ""}, *words, {}, USAGE]


def test_the_helper_for_streams(node):
    assert run(node, "helper", "tools") == [TEXT, CALLS]


def test_a_stream_that_is_left_is_closed_upstream(node, live):
    pieces = run(node, "abort", "stuck")

    assert pieces == [{"role": "assistant", "content": ""}, {"content": "Grüße"}, "left"]
    until(lambda: live.provider.seen[-1].left is not None, seconds=1)
    assert ends_of(live, "abort", 1) == [("client_cancelled", 0)]


def test_a_streamed_completion(node):
    assert run(node, "completionStream") == ["Grüße", " aus", " 东京", ""]


def test_embeddings_are_asked_for_as_base64_and_read(node, live):
    found = run(node, "embed")

    assert json.loads(live.provider.seen[-1].body)["encoding_format"] == "base64"
    assert found == [pytest.approx(vector_of("float"), abs=1e-8)] * 2


def test_models(node):
    *names, found = run(node, "models")

    assert names == sorted(MODELS)
    assert (found["id"], found["owned_by"]) == ("pilot-chat", "pilotdash")


@pytest.mark.parametrize("step", ["respond", "respondStream"])
def test_responses(node, step):
    (answer,) = run(node, step)

    usage = answer["usage"]
    assert (answer["model"], answer["text"]) == ("pilot-chat", TEXT)
    assert (usage["input_tokens"], usage["output_tokens"]) == (9, 3)


@pytest.mark.parametrize(
    ("model", "key", "told"),
    [
        ("nothing", None, ("NotFoundError", 404, "has no model 'nothing'")),
        ("busy", None, ("RateLimitError", 429, "status 429 as told")),
        ("pilot-chat", "pd_cut", ("AuthenticationError", 401, "not a complete PilotDash key")),
    ],
)
def test_errors_are_the_packages_own(node, model, key, told):
    (error,) = run(replace(node, key=key or node.key), "chatStream", model)

    name, status, words = told
    assert (error["error"], error["status"]) == (name, status)
    assert words in error["message"]


def test_an_error_inside_a_stream_is_told_in_its_words(node):
    *pieces, error = run(node, "chatStream", "mad")

    assert [piece["content"] for piece in pieces] == ["", "Grüße", " aus"]
    assert error == {"error": "APIError", "message": "the model ran away"}


def test_a_time_out_leaves_and_comes_back(node, live):
    (error,) = run(node, "wait", "silent", timeout=400, maxRetries=1, session="time-out")

    assert error == {"error": "APIConnectionTimeoutError", "message": "Request timed out."}
    assert ends_of(live, "time-out", 2) == [("client_cancelled", 0), ("client_cancelled", 1)]


def test_a_wait_of_an_hour_is_told_at_once(node):
    (error,) = run(node, "wait", "full", maxRetries=2, session="hour")

    assert (error["error"], error["status"]) == ("RateLimitError", 429)
    assert "status 429 as told" in error["message"]


def test_retry_after_is_waited_for(node, live):
    body = json.dumps({"model": "stuck", "messages": [], "stream": True}).encode()
    streams = [live.send(body) for _ in range(10)]
    assert [stream.recv(12) for stream in streams] == [b"HTTP/1.1 200"] * 10
    before = too_many(live)

    def make_room():
        until(lambda: too_many(live) > before, seconds=30)
        for stream in streams:
            stream.close()

    with ThreadPoolExecutor() as pool:
        room = pool.submit(make_room)
        (answer,) = run(node, "wait", maxRetries=5, session="room")
        room.result()

    ((outcome, retries),) = ends_of(live, "room", 1)
    assert (answer["model"], outcome) == ("pilot-chat", "ok")
    # Left to itself the package would come back after half a second, then after another one.
    assert answer["waited"] >= 1_000 * retries >= 1_000
