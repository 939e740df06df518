"""How the openai package tells what went wrong: its exceptions, its retries, its time-outs."""

import threading
import time
from dataclasses import replace

import openai
import pytest

from apps.core.keys import new_key
from apps.gateway.contract import RouteTable
from tests.clients.routes import apart
from tests.gateway.live import until
from tests.gateway.rig import EARLY, EXPIRED, KEY, LATE

MODELS = {
    "pilot-chat": "theirs",
    "wrong": "theirs?status=400",
    "odd": "theirs?status=422&shape=fastapi",
    "busy": "theirs?status=429&retry_after=0",
    "failing": "theirs?status=500",
    "silent": "theirs?hang=head",
    "stuck": "theirs?events=9&hang=mid",
    "cut": "theirs?events=5&cut_at=3",
    "mad": "theirs?error_at=2",
    "paused": "theirs",
}
HELLO = [{"role": "user", "content": "hi"}]


def routes(table: RouteTable) -> RouteTable:
    number = table.pilots[1].aliases["paused"]
    paused = replace(table.candidates[number], state="paused")
    table = replace(table, candidates=table.candidates | {number: paused})
    return apart(table, "busy", "failing", "cut", "mad", "silent")


@pytest.fixture
def client(live):
    with openai.OpenAI(api_key=KEY, base_url=f"{live.url}/v1", max_retries=0) as client:
        yield client


def chat(client, model, **more):
    return client.chat.completions.create(model=model, messages=HELLO, **more)


def ends_of(live, session: str, count: int) -> list[tuple[str, int | None]]:
    """Return how each call of a session ended, and which try it was."""
    return [(one.outcome, one.client_retry) for one in live.calls_of(session, count)]


def within(session: str) -> dict:
    return {"extra_headers": {"X-PilotDash-Session": session}}


@pytest.mark.parametrize(
    ("model", "kind", "status", "code", "words"),
    [
        ("wrong", openai.BadRequestError, 400, "y", "status 400 as told"),
        ("nothing", openai.NotFoundError, 404, "model_not_found", "has no model 'nothing'"),
        ("odd", openai.UnprocessableEntityError, 422, "provider_422", "status 422 as told"),
        ("busy", openai.RateLimitError, 429, "y", "status 429 as told"),
        ("failing", openai.InternalServerError, 500, "y", "status 500 as told"),
        ("paused", openai.InternalServerError, 503, "paused_model", "'paused' is paused"),
    ],
)
def test_a_status_becomes_the_packages_exception(client, model, kind, status, code, words):
    with pytest.raises(kind, match=words) as told:
        chat(client, model)

    assert (type(told.value), told.value.status_code, told.value.code) == (kind, status, code)


@pytest.mark.parametrize(
    ("key", "kind", "words"),
    [
        (new_key(), openai.AuthenticationError, "This key is not known"),
        ("sk-cut", openai.AuthenticationError, "not a complete PilotDash key"),
        (EXPIRED, openai.AuthenticationError, "This key expired on"),
        (EARLY, openai.PermissionDeniedError, "The pilot spring opens on"),
        (LATE, openai.APIStatusError, "The pilot summer ended on"),
    ],
    # Keys are new in every process, and all processes must find tests of the same names.
    ids=["unknown", "cut off", "expired", "too early", "too late"],
)
def test_a_key_that_does_not_open_says_why(client, key, kind, words):
    for ask in (lambda c: chat(c, "pilot-chat"), lambda c: c.models.list()):
        with pytest.raises(kind, match=words) as told:
            ask(client.with_options(api_key=key))

        assert type(told.value) is kind


def test_a_request_of_ours_that_is_wrong_names_the_field(client):
    with pytest.raises(openai.BadRequestError, match="use one of chat, edit") as told:
        chat(client, "pilot-chat", extra_headers={"X-PilotDash-Task": "knitting"})
    with pytest.raises(openai.NotFoundError) as unknown:
        chat(client, "nothing")

    assert told.value.code == "invalid_task"
    assert (unknown.value.param, unknown.value.type) == ("model", "not_found_error")


def test_a_body_that_is_too_large_is_told_so(client):
    huge = [{"role": "user", "content": "x" * (10 << 20)}]

    with pytest.raises(openai.APIStatusError, match="10 MiB") as told:
        client.chat.completions.create(model="pilot-chat", messages=huge)

    assert told.value.status_code == 413


@pytest.mark.parametrize(
    "ask",
    [
        lambda client: client.moderations.create(input="x"),
        lambda client: client.images.generate(prompt="x"),
        lambda client: client.audio.speech.create(model="m", voice="alloy", input="x"),
        lambda client: client.files.list(),
        lambda client: client.batches.list(),
        lambda client: client.fine_tuning.jobs.list(),
        lambda client: client.vector_stores.list(),
        lambda client: client.conversations.create(),
        lambda client: client.chat.completions.list(),
        lambda client: client.models.delete("pilot-chat"),
        lambda client: client.responses.retrieve("resp_1"),
    ],
)
def test_what_the_gateway_does_not_serve_is_an_error_the_package_reads(client, ask):
    with pytest.raises(openai.APIStatusError) as told:
        ask(client)

    assert told.value.status_code in (404, 405)
    assert told.value.type in ("not_found_error", "invalid_request_error")


@pytest.mark.parametrize(
    ("model", "words"), [("cut", "cannot be reached"), ("mad", "the model ran away")]
)
def test_an_error_inside_a_stream_is_raised_after_what_came(client, model, words):
    parts = []

    stream = (chunk.choices[0].delta.content for chunk in chat(client, model, stream=True))
    with pytest.raises(openai.APIError, match=words):
        parts.extend(stream)

    assert parts == ["", "Grüße", " aus"]


def test_retries_of_the_package_are_calls_of_their_own_and_numbered(client, live):
    with pytest.raises(openai.InternalServerError):
        chat(client.with_options(max_retries=2), "failing", **within("retries"))

    tries = ends_of(live, "retries", 3)
    assert tries == [("upstream_error", 0), ("upstream_error", 1), ("upstream_error", 2)]


def test_retry_after_is_waited_for(client):
    streams = [chat(client, "stuck", stream=True) for _ in range(10)]
    with pytest.raises(openai.RateLimitError, match="10 calls running") as told:
        chat(client, "pilot-chat")
    room = threading.Timer(0.2, lambda: [stream.close() for stream in streams])
    room.start()
    begun = time.monotonic()

    # Left to itself the package would come back after half a second at most.
    patient = client.with_options(max_retries=1)
    raw = patient.chat.completions.with_raw_response.create(model="pilot-chat", messages=HELLO)

    assert told.value.response.headers["retry-after"] == "1"
    assert raw.retries_taken == 1
    assert 1.0 <= time.monotonic() - begun < 3.0
    room.join()


def test_a_stream_that_is_left_is_closed_upstream_and_recorded(client, live):
    stream = chat(client, "stuck", stream=True, **within("leaving"))
    first = next(stream).choices[0].delta.role
    stream.close()

    seen = live.provider.seen[-1]
    until(lambda: seen.left is not None, seconds=1)
    assert first == "assistant"
    assert ends_of(live, "leaving", 1) == [("client_cancelled", 0)]


def test_a_time_out_of_the_package_is_a_call_that_was_left(client, live):
    with pytest.raises(openai.APITimeoutError):
        chat(client.with_options(timeout=0.4, max_retries=1), "silent", **within("waiting"))

    tries = ends_of(live, "waiting", 2)
    assert tries == [("client_cancelled", 0), ("client_cancelled", 1)]
    until(lambda: live.provider.seen[-1].left is not None, seconds=1)
