"""The openai package against a gateway under its real server, byte for byte."""

import json

import openai
import pytest

from tests.fakes.provider import Script, answer_of, event, events_of, usage_of
from tests.gateway.live import until
from tests.gateway.rig import KEY

MODELS = {
    "pilot-chat": "theirs",
    "crlf": "theirs?crlf=1&comment=1",
    "tools": "theirs?tools=2",
}
HELLO = [{"role": "user", "content": "hi"}]


@pytest.fixture
def client(live):
    with openai.OpenAI(api_key=KEY, base_url=f"{live.url}/v1", max_retries=0) as client:
        yield client


def renamed(raw: bytes, call_id: str, theirs: str, alias: str, prefix: str) -> bytes:
    ours = prefix + call_id.replace("-", "")
    return raw.replace(b'"id": "chatcmpl-theirs"', f'"id": "{ours}"'.encode()).replace(
        f'"model": "{theirs}"'.encode(), f'"model": "{alias}"'.encode()
    )


@pytest.mark.parametrize("alias", ["pilot-chat", "tools"])
def test_a_plain_chat_is_answered_byte_for_byte(client, alias):
    raw = client.chat.completions.with_raw_response.create(model=alias, messages=HELLO)

    theirs = answer_of(Script.of(MODELS[alias]), "/v1/chat/completions", MODELS[alias])
    call_id = raw.headers["x-request-id"]
    assert raw.content == renamed(theirs, call_id, MODELS[alias], alias, "chatcmpl-")
    assert raw.parse().model == alias


def test_a_plain_completion_is_answered_byte_for_byte(client):
    raw = client.completions.with_raw_response.create(model="pilot-chat", prompt="def f(")

    theirs = answer_of(Script(), "/v1/completions", "theirs")
    call_id = raw.headers["x-request-id"]
    assert raw.content == renamed(theirs, call_id, "theirs", "pilot-chat", "cmpl-")


@pytest.mark.parametrize("alias", ["pilot-chat", "crlf", "tools"])
@pytest.mark.parametrize("asks", [False, True])
def test_a_streamed_chat_is_answered_byte_for_byte(client, alias, asks):
    options = {"stream_options": {"include_usage": True}} if asks else {}
    theirs = MODELS[alias]

    with client.chat.completions.with_streaming_response.create(
        model=alias, messages=HELLO, stream=True, **options
    ) as response:
        received = b"".join(response.iter_bytes())

    script = Script.of(theirs)
    events = events_of(script, "/v1/chat/completions", theirs, asked=True)
    usage = {"id": script.id, "object": "chat.completion.chunk", "created": 1700000000}
    usage |= {"model": theirs, "choices": [], "usage": usage_of(script, script.events)}
    shown = events if asks else [one for one in events if one != event(usage, script)]
    call_id = response.headers["x-request-id"]
    assert received == renamed(b"".join(shown), call_id, theirs, alias, "chatcmpl-")
    assert response.headers["x-accel-buffering"] == "no"


def test_a_streamed_completion_is_answered_byte_for_byte(client):
    with client.completions.with_streaming_response.create(
        model="pilot-chat", prompt="def f(", stream=True
    ) as response:
        received = b"".join(response.iter_bytes())

    events = events_of(Script(), "/v1/completions", "theirs", asked=True)
    shown = b"".join([*events[:-2], events[-1]])
    call_id = response.headers["x-request-id"]
    assert received == renamed(shown, call_id, "theirs", "pilot-chat", "cmpl-")


def test_the_client_reads_what_it_gets(client):
    chunks = list(
        client.chat.completions.create(
            model="pilot-chat", messages=HELLO, stream=True, stream_options={"include_usage": True}
        )
    )

    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == "Grüße aus 东京"
    assert (chunks[-1].usage.prompt_tokens, chunks[-1].usage.completion_tokens) == (9, 3)
    assert {chunk.model for chunk in chunks} == {"pilot-chat"}


def test_a_suffix_is_passed_on_or_refused_by_name(client):
    """Editors that copy Copilot send `suffix`; the provider here takes none, nor is it rendered."""
    with pytest.raises(openai.NotFoundError, match="pilot-chat") as told:
        client.completions.create(model="pilot-chat", prompt="def f(", suffix="):")

    assert told.value.code == "endpoint_not_served"


def test_what_headers_say_can_be_read(client, live):
    raw = client.chat.completions.with_raw_response.create(
        model="pilot-chat", messages=HELLO, extra_headers={"X-Request-Id": "mine-1"}
    )

    until(lambda: "mine-1" in [one.client_request_id for one in live.records(0)])
    (record,) = [one for one in live.records(0) if one.client_request_id == "mine-1"]
    assert raw.request_id == record.id
    assert raw.headers["x-client-request-id"] == "mine-1"
    assert raw.headers["x-pilotdash-candidate"] == "cand-11"
    assert raw.retries_taken == record.client_retry == 0


def test_the_helper_for_streams_gathers_an_answer(client):
    with client.chat.completions.stream(
        model="tools", messages=HELLO, stream_options={"include_usage": True}
    ) as stream:
        events = [event.type for event in stream]
        whole = stream.get_final_completion()

    assert events.count("tool_calls.function.arguments.done") == 2
    assert whole.choices[0].message.content == "Grüße aus 东京"
    calls = [(one.id, one.function.name) for one in whole.choices[0].message.tool_calls]
    assert calls == [("call_0", "look"), ("call_1", "look")]
    assert whole.usage.prompt_tokens_details.cached_tokens == 4


async def test_the_client_for_asyncio_reads_the_same(live):
    async with openai.AsyncOpenAI(api_key=KEY, base_url=f"{live.url}/v1") as client:
        stream = await client.chat.completions.create(
            model="pilot-chat", messages=HELLO, stream=True
        )
        text = "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

    assert text == "Grüße aus 东京"


def test_embeddings_come_as_they_were_asked_for(client, live):
    vector = [round(0.001 * n, 3) for n in range(8)]

    numbers = client.embeddings.create(
        model="pilot-chat", input=["a", "b"], encoding_format="float"
    )
    # Unless told otherwise the package asks for base64, and decodes it.
    raw = client.embeddings.with_raw_response.create(model="pilot-chat", input="a")

    assert [one.embedding for one in numbers.data] == [vector, vector]
    assert json.loads(live.provider.seen[-1].body)["encoding_format"] == "base64"
    theirs = answer_of(Script(), "/v1/embeddings", "theirs", 1, "base64")
    assert raw.content == renamed(theirs, "", "theirs", "pilot-chat", "")
    assert raw.parse().data[0].embedding == pytest.approx(vector, abs=1e-8)


def test_models_are_listed_and_looked_up(client):
    listed = client.models.list()

    assert sorted(model.id for model in listed) == sorted(MODELS)
    assert client.models.retrieve("crlf") == next(one for one in listed if one.id == "crlf")


def test_a_key_in_the_api_key_header_and_a_task_in_the_path(live):
    headers = {"api-key": KEY, "Authorization": openai.Omit()}
    with openai.OpenAI(api_key="unused", base_url=f"{live.url}/t/edit/v1") as client:
        raw = client.chat.completions.with_raw_response.create(
            model="pilot-chat", messages=HELLO, extra_headers=headers
        )

    call_id = raw.headers["x-request-id"]
    until(lambda: call_id in {record.id for record in live.records(1)})
    (record,) = [record for record in live.records(1) if record.id == call_id]
    assert (record.task, record.client.split("/")[0]) == ("edit", "OpenAI")
