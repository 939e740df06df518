"""The responses of OpenAI's API by its package: named events, and objects within objects."""

from dataclasses import replace

import openai
import pytest

from apps.gateway.contract import SERVABLE, RouteTable
from tests.clients.routes import apart
from tests.fakes import formats
from tests.fakes.provider import Script
from tests.gateway.live import until
from tests.gateway.rig import KEY

MODELS = {
    "pilot-chat": "theirs",
    "plain": "theirs",
    "mad": "theirs?error_at=2",
    "cut": "theirs?events=5&cut_at=5",
    "stuck": "theirs?hang=mid",
}


def routes(table: RouteTable) -> RouteTable:
    """All but `plain` are at providers that serve responses."""
    table = apart(table, "plain")
    everything = replace(table.providers[5], serves=SERVABLE)
    table = replace(table, providers=table.providers | {5: everything})
    return apart(table, "mad", "cut", "stuck")


@pytest.fixture
def client(live):
    with openai.OpenAI(api_key=KEY, base_url=f"{live.url}/v1", max_retries=0) as client:
        yield client


def named(raw: bytes) -> bytes:
    """Ids of responses stay as they came; the model is the alias at every depth we know of."""
    return raw.replace(b'"model": "theirs"', b'"model": "pilot-chat"')


def within(session: str) -> dict:
    return {"extra_headers": {"X-PilotDash-Session": session}}


def test_a_response_comes_as_it_was_written(client, live):
    raw = client.responses.with_raw_response.create(
        model="pilot-chat", input="hi", **within("plain")
    )

    assert raw.content == named(formats.plain("responses", Script(), "theirs", 1))
    assert raw.parse().output_text == "Grüße aus 东京"
    (record,) = live.calls_of("plain", 1)
    assert (record.endpoint, record.task, record.outcome) == ("responses", "chat", "ok")
    assert (record.prompt_tokens, record.cached_tokens, record.completion_tokens) == (9, 4, 3)


def test_a_streamed_response_comes_as_it_was_written(client, live):
    with client.responses.with_streaming_response.create(
        model="pilot-chat", input="hi", stream=True, **within("stream")
    ) as response:
        received = b"".join(response.iter_bytes())

    assert received == named(b"".join(formats.events("responses", Script(), "theirs")))
    (record,) = live.calls_of("stream", 1)
    assert (record.outcome, record.finish_reason, record.streamed) == ("ok", "stop", True)
    assert (record.prompt_tokens, record.cached_tokens, record.completion_tokens) == (9, 4, 3)


def test_the_helper_for_streams_gathers_a_response(client):
    with client.responses.stream(model="pilot-chat", input="hi") as stream:
        text = "".join(event.delta for event in stream if event.type.endswith("text.delta"))
        whole = stream.get_final_response()

    assert text == whole.output_text == "Grüße aus 东京"
    assert (whole.model, whole.usage.total_tokens) == ("pilot-chat", 12)


def test_a_provider_that_does_not_serve_responses_is_named(client):
    with pytest.raises(openai.NotFoundError, match="plain") as told:
        client.responses.create(model="plain", input="hi")

    assert told.value.code == "endpoint_not_served"


def test_an_error_of_the_provider_inside_a_stream_is_an_event(client):
    *_, last = client.responses.create(model="mad", input="hi", stream=True)

    assert (last.type, last.message) == ("error", "the model ran away")


def test_a_stream_that_breaks_is_raised(client):
    parts = []

    stream = client.responses.create(model="cut", input="hi", stream=True)
    with pytest.raises(openai.APIError, match="cannot be reached"):
        parts.extend(event.type for event in stream)

    assert parts[-1] == "response.output_text.delta"


def test_a_response_that_is_left_is_closed_upstream(client, live):
    stream = client.responses.create(model="stuck", input="hi", stream=True, **within("leaving"))
    first = next(stream).type
    stream.close()

    seen = live.provider.seen[-1]
    until(lambda: seen.left is not None, seconds=1)
    (record,) = live.calls_of("leaving", 1)
    assert (first, record.outcome) == ("response.created", "client_cancelled")
