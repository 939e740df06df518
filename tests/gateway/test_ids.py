"""By which ids an answer, or a refusal, can be found again."""

from uuid import UUID

import pytest

from tests.gateway.rig import CHAT, GOOD
from tests.gateway.serving import answer, post, serve


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        (CHAT, b"{", 400),
        (CHAT, b'{"model":"nobody"}', 404),
        ("/v1/messages", b"{", 400),
        ("/t/chat/v1/messages/count_tokens", b"{}", 400),
        ("/v1/nothing", b"", 404),
        ("/models", b"", 404),
    ],
)
async def test_a_refusal_has_an_id_and_repeats_the_clients(rig, path, body, status):
    first = await rig.request("POST", path, body, {"x-request-id": "mine-\x07"})
    second = await rig.request("POST", path, body)

    assert (first.status, second.status) == (status, status)
    ids = [UUID(reply.headers["x-request-id"]) for reply in (first, second)]
    assert [one.version for one in ids] == [7, 7]
    assert ids[0] < ids[1]
    told = [reply.headers.get("x-client-request-id") for reply in (first, second)]
    assert told == ["mine-?", None]
    expected = str(ids[0]) if "messages" in path else None
    assert first.headers.get("request-id") == expected


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("endpoint", "is_anthropic"),
    [
        ("messages", True),
        ("messages/count_tokens", True),
        ("chat/completions", False),
        ("responses", False),
    ],
)
async def test_anthropics_clients_find_a_calls_id_under_their_own_name(
    rig, endpoint, is_anthropic, stream
):
    serve(rig)

    reply = await post(rig, endpoint, {"model": "pilot-chat", "stream": stream})

    record = rig.record()
    assert (reply.status, reply.headers["x-request-id"]) == (200, record.id)
    assert reply.headers.get("request-id") == (record.id if is_anthropic else None)


async def test_an_error_of_the_providers_has_the_calls_id(rig):
    serve(rig)
    answer(rig, b'{"type":"error","error":{"message":"no"}}')

    reply = await post(rig, "messages", GOOD, {"x-request-id": "mine-1"})

    record = rig.record()
    assert (reply.status, record.outcome) == (502, "upstream_error")
    assert reply.headers["x-request-id"] == reply.headers["request-id"] == record.id
    assert reply.headers["x-client-request-id"] == "mine-1"
