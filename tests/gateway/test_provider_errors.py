"""A provider's error reaches the developer and the record, its credential neither of them."""

import json
from urllib.parse import quote

import pytest

from apps.gateway.contract import ENDPOINTS
from tests.gateway.blind.telling import hide
from tests.gateway.rig import SECRET
from tests.gateway.serving import answer, post, serve

GENERIC = "The model's provider reported an error that PilotDash does not repeat."
ESCAPED = "".join(f"\\u{ord(char):04x}" for char in SECRET)
LEAKS = {
    "openai": f'{{"error": {{"message": "bad key {SECRET}", "type": "x", "code": null}}}}',
    "another field": f'{{"error": {{"message": "no", "type": "x", "param": "{SECRET}"}}}}',
    "escaped": f'{{"error": {{"message": "bad key {ESCAPED}"}}}}',
    "text": f'{{"error": "bad key {SECRET}"}}',
    "key": f'{{"error": {{"{ESCAPED}": 1, "message": "no"}}}}',
    "not strict": f'{{"error": {{"message": "bad key {ESCAPED}", "at": NaN}}}}',
    "no error": f'{{"detail": [{{"msg": "bad key {SECRET}"}}]}}',
    "no error, escaped": f'{{"id": "x", "message": "bad key {ESCAPED}"}}',
    "groq": f'{{"x_groq": {{"error": "bad key {SECRET}"}}}}',
}


def secretless(rig, reply) -> bool:
    seen = reply.body + repr(reply.headers).encode() + rig.record().to_json()
    return SECRET.encode() not in seen and ESCAPED.encode() not in seen


@pytest.mark.parametrize("name", LEAKS)
async def test_a_stream_does_not_repeat_the_providers_credential(rig, name):
    rig.route(f"theirs?raw={quote(LEAKS[name])}")

    reply = await rig.chat(stream=True)

    assert json.loads(reply.body.split(b"data: ")[-1])["error"]["message"] == GENERIC
    assert (rig.record().outcome, rig.record().error) == ("upstream_error", GENERIC)
    assert secretless(rig, reply)


@pytest.mark.parametrize("name", LEAKS)
@pytest.mark.parametrize("status", [400, 500])
async def test_an_error_status_does_not_repeat_it_either(rig, name, status):
    rig.route(f"theirs?status={status}&raw={quote(LEAKS[name])}")

    reply = await rig.chat()

    message = f"The model's provider answered with status {status}."
    assert (reply.status, reply.error["message"]) == (status, message)
    assert secretless(rig, reply)


@pytest.mark.parametrize("stream", [False, True])
async def test_headers_that_hold_the_credential_are_not_passed_back(rig, stream):
    rig.route(f"theirs?echo=Bearer {SECRET}")

    reply = await rig.chat(stream=stream)

    assert reply.status == 200
    assert not {"retry-after", "cache-control", "openai-processing-ms"} & set(reply.headers)
    assert rig.record().upstream_request_id == ""
    assert secretless(rig, reply)


async def test_an_error_status_with_the_credential_in_its_headers(rig):
    rig.route(f"theirs?status=429&echo={SECRET}")

    reply = await rig.chat()

    assert (reply.status, reply.headers["retry-after"]) == (429, "5")
    assert secretless(rig, reply)


async def test_a_long_error_is_recorded_in_part(rig):
    rig.route("theirs?raw=" + quote(json.dumps({"error": "x" * 5_000})))

    await rig.chat(stream=True)

    assert rig.record().error == "x" * 2_000


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"error": {"message": "no memory", "type": "x", "code": 429}}, "no memory"),
        ({"error": "no memory"}, "no memory"),
        ({"error": {"detail": [{"msg": "no memory"}]}, "choices": []}, "no memory"),
        ({"error": {"code": 5}}, "The model's provider reported an error."),
        ({"error": {"message": f"no memory for {SECRET}"}}, GENERIC),
        ({"detail": [{"msg": f"bad key {SECRET}"}]}, GENERIC),
        ({"error": "no memory", "usage": {"prompt_tokens": 9}}, "no memory"),
        ({"error": "x" * 100_000}, "x" * 2_000),
    ],
)
async def test_an_error_in_a_plain_200_is_a_failure(rig, body, message):
    rig.route(f"theirs?raw={quote(json.dumps(body))}")

    reply = await rig.chat()

    error = {"message": message, "type": "api_error", "code": "upstream_error", "param": None}
    assert (reply.status, reply.json) == (502, {"error": error})
    record = rig.record()
    assert (record.outcome, record.status, record.error) == ("upstream_error", 502, message)
    assert (record.usage_source, record.prompt_tokens, record.rateable) == ("none", None, False)
    assert secretless(rig, reply)


@pytest.mark.parametrize("blind", [False, True])
@pytest.mark.parametrize("endpoint", ENDPOINTS)
async def test_what_is_no_answer_in_any_format_does_not_repeat_it(rig, endpoint, blind):
    serve(rig)
    if blind:
        hide(rig)
    answer(rig, b'{"id":"x","usage":null,"detail":[{"msg":"%b"}]}' % SECRET.encode())

    reply = await post(rig, endpoint, {"model": "pilot-chat"})

    assert (reply.status, rig.record().outcome) == (502, "upstream_error")
    assert secretless(rig, reply)


@pytest.mark.parametrize("endpoint", ENDPOINTS)
async def test_what_is_no_answer_is_passed_on_where_it_does_not(rig, endpoint):
    serve(rig)
    said = b'{"detail":[{"msg":"sk-provider"}]}'
    answer(rig, said)

    reply = await post(rig, endpoint, {"model": "pilot-chat"})

    assert (reply.status, reply.body) == (200, said)


async def test_an_error_that_is_null_is_none(rig):
    rig.route("theirs?raw=" + quote('{"error": null, "choices": []}'))

    reply = await rig.chat()

    assert (reply.status, rig.record().outcome) == (200, "ok")
