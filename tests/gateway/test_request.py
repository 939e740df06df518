"""What is read of a request: how much it may be answered with, and what no call can measure."""

import json

import pytest

from apps.gateway.request import read_request
from tests.gateway.serving import post, serve


def most(**fields) -> int | None:
    return read_request(json.dumps({"model": "m", **fields}).encode()).most_tokens


@pytest.mark.parametrize(
    ("fields", "tokens"),
    [
        ({}, None),
        ({"max_tokens": 10}, 10),
        ({"max_tokens": 1e4}, 10_000),
        ({"max_completion_tokens": 16.0}, 16),
        ({"max_output_tokens": 7.5}, None),
        ({"max_tokens": 0}, None),
        ({"max_tokens": 0.0}, None),
        ({"max_tokens": -5}, None),
        ({"max_tokens": -5.0}, None),
        ({"max_tokens": True}, None),
        ({"max_tokens": "10"}, None),
        ({"max_completion_tokens": 5, "max_tokens": 10}, 5),
        ({"max_tokens": 10, "n": 3}, 30),
        ({"max_tokens": 10, "best_of": 4}, 40),
        ({"max_tokens": 10, "best_of": 4.0}, 40),
        ({"max_tokens": 10, "n": 3, "best_of": 4}, 40),
        ({"max_tokens": 10, "n": 4, "best_of": 3}, 40),
        ({"max_tokens": 10, "best_of": -4}, 10),
        ({"max_tokens": 10, "best_of": "many"}, 10),
        ({"best_of": 4}, None),
    ],
)
def test_the_cap_is_for_all_that_is_written(fields, tokens):
    assert most(**fields) == tokens


@pytest.mark.parametrize("value", [True, 1, "true", {}])
async def test_nothing_is_answered_in_the_background(rig, value):
    serve(rig)

    reply = await post(rig, "responses", {"model": "pilot-chat", "background": value})

    assert (reply.status, reply.error) == (
        400,
        {
            "message": "PilotDash cannot measure what is answered in the background. "
            "Leave out the field 'background', or set it to false.",
            "type": "invalid_request_error",
            "code": "invalid_value",
            "param": "background",
        },
    )
    assert (rig.records(), rig.provider.seen) == ([], [])


@pytest.mark.parametrize(
    ("endpoint", "body"),
    [
        ("responses", b'{"model":"pilot-chat","background":false}'),
        ("responses", b'{"model":"pilot-chat","background":null}'),
        ("responses", b'{"model":"pilot-chat","store":true,"previous_response_id":"resp_1"}'),
        ("chat/completions", b'{"model":"pilot-chat","background":true}'),
    ],
)
async def test_what_can_be_measured_passes_untouched(rig, endpoint, body):
    serve(rig)

    reply = await post(rig, endpoint, body)

    assert reply.status == 200
    assert rig.provider.seen[0].body == body.replace(b"pilot-chat", b"theirs")
