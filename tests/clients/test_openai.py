"""The openai package against a gateway under its real server, byte for byte."""

import openai
import pytest

from apps.core.keys import new_key
from tests.fakes.provider import Script, answer_of, event, events_of, usage_of
from tests.gateway.live import running_live, until
from tests.gateway.rig import KEY

MODELS = {
    "pilot-chat": "theirs",
    "crlf": "theirs?crlf=1&comment=1",
    "tools": "theirs?tools=2",
    "busy": "theirs?status=429&retry_after=0",
    "broken": "theirs?events=5&cut_at=3",
}
HELLO = [{"role": "user", "content": "hi"}]


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    import redis
    from django.conf import settings

    with redis.Redis.from_url(settings.REDIS_URL) as valkey:
        valkey.flushdb()
        with running_live(tmp_path_factory.mktemp("live"), valkey, MODELS) as live:
            yield live


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


def test_embeddings_and_models(client):
    found = client.embeddings.create(model="pilot-chat", input=["a", "b"], encoding_format="float")

    assert [len(one.embedding) for one in found.data] == [8, 8]
    assert sorted(model.id for model in client.models.list()) == sorted(MODELS)
    assert client.models.retrieve("crlf").id == "crlf"


def test_errors_become_the_clients_own(client, live):
    with pytest.raises(openai.NotFoundError, match="The pilot autumn has no model 'nothing'"):
        client.chat.completions.create(model="nothing", messages=HELLO)
    with pytest.raises(openai.RateLimitError, match="status 429 as told"):
        client.chat.completions.create(model="busy", messages=HELLO)
    with pytest.raises(openai.AuthenticationError, match="This key is not known"):
        client.with_options(api_key=new_key()).models.list()
    with pytest.raises(openai.APIError, match="cannot be reached"):
        list(client.chat.completions.create(model="broken", messages=HELLO, stream=True))


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
