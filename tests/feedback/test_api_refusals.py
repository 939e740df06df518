"""What the feedback API refuses, in OpenAI's shape, and stores nothing of."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from apps.core.uuid7 import new_uuid7
from apps.feedback import api, pace
from apps.feedback.models import Rating, WaitingRating
from tests.factories import make_enrollment, make_key, make_pilot
from tests.feedback.asking import URL, error
from tests.feedback.conftest import AT

pytestmark = pytest.mark.usefixtures("clock")


def bad(code, param=None):
    return 400, "invalid_request_error", code, param


def test_last_without_any_call_says_so(send):
    response = send({"id": "last", "rating": "up"})

    assert error(response) == (404, "not_found_error", "no_rateable_call", "id")


def test_too_many_ratings_that_wait_are_refused(send, monkeypatch):
    monkeypatch.setattr("apps.feedback.waiting.MOST_PER_PERSON", 1)
    send({"id": str(uuid4()), "rating": "up"})

    response = send({"id": str(uuid4()), "rating": "up"})

    assert error(response) == (429, "rate_limit_error", "too_many_waiting", "id")
    assert response["retry-after"] == "60"


def test_somebody_elses_call_does_not_exist(send, world):
    theirs = world.call(person=world.colleague().person)
    my_other_pilot = world.call(pilot=make_pilot())

    for call in (theirs, my_other_pilot):
        response = send({"id": str(call.id), "rating": "up"})
        assert error(response) == (404, "not_found_error", "call_not_found", "id")
    assert not Rating.objects.exists()
    assert not WaitingRating.objects.exists()


def test_a_completion_is_not_rateable(send, world):
    call = world.call(rateable=False, task="autocomplete")

    response = send({"id": str(call.id), "rating": "up"})

    assert error(response) == (409, "invalid_request_error", "call_not_rateable", "id")


def test_a_closed_pilot_takes_no_ratings(send, world):
    call = world.call()
    world.pilot.closed_at = AT
    world.pilot.save(update_fields=["closed_at"])

    for call_id in (call.id, uuid4()):
        response = send({"id": str(call_id), "rating": "up"})
        assert error(response) == (409, "invalid_request_error", "pilot_closed", None)


SOME_ID = "019aa1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b"


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        (b"", bad("invalid_json")),
        (b"{", bad("invalid_json")),
        (b"\xff\xfe{\x00}\x00", bad("invalid_json")),  # UTF-16
        (b'{"id": "last", "rating": NaN}', bad("invalid_json")),
        (b"[" * 10_000, bad("invalid_json")),
        (b"[]", bad("invalid_json")),
        (b'"last"', bad("invalid_json")),
        ({}, bad("missing_id", "id")),
        ({"id": None, "rating": "up"}, bad("missing_id", "id")),
        ({"id": 7, "rating": "up"}, bad("missing_id", "id")),
        ({"id": "", "rating": "up"}, bad("invalid_id", "id")),
        ({"id": "chatcmpl-9XyzOpenAIsOwn", "rating": "up"}, bad("invalid_id", "id")),
        ({"id": SOME_ID}, bad("invalid_rating", "rating")),
        ({"id": SOME_ID, "rating": "good"}, bad("invalid_rating", "rating")),
        ({"id": SOME_ID, "rating": 4}, bad("invalid_rating", "rating")),
        ({"id": SOME_ID, "rating": True}, bad("invalid_rating", "rating")),
        (b'{"id": "%s", "rating": %s}' % (SOME_ID.encode(), b"9" * 5_000), None),
        ({"id": SOME_ID, "rating": "up", "tags": "clear"}, bad("invalid_tags", "tags")),
        ({"id": SOME_ID, "rating": "up", "tags": [1]}, bad("invalid_tags", "tags")),
        ({"id": SOME_ID, "rating": "up", "tags": ["<b>"]}, bad("invalid_tags", "tags")),
        ({"id": SOME_ID, "rating": "up", "comment": 1}, bad("invalid_comment", "comment")),
        (
            {"id": SOME_ID, "rating": "up", "comment": "x" * 2_001},
            bad("invalid_comment", "comment"),
        ),
        (
            {"id": SOME_ID, "rating": "up", "comment": "a\x00b"},
            bad("invalid_comment", "comment"),
        ),
    ],
)
def test_a_malformed_request_is_refused_and_stores_nothing(send, body, answer):
    response = send(body)

    if answer is None:  # a number of any length is malformed, whichever way it is read
        assert response.status_code == 400
    else:
        assert error(response) == answer
    assert not WaitingRating.objects.exists()


def test_a_rating_on_the_other_scale_says_which_one_is_used(send, world):
    response = send({"id": str(world.call().id), "rating": 5})

    assert response.json() == {
        "error": {
            "message": 'This pilot rates with thumbs; send "up" or "down".',
            "type": "invalid_request_error",
            "code": "invalid_rating",
            "param": "rating",
        }
    }


@pytest.mark.parametrize("size", [api.LARGEST_BODY + 1, 3 * 1024 * 1024])
def test_a_large_body_is_refused(send, size):
    body = b'{"id": "last", "comment": "' + b"x" * size

    assert error(send(body)) == (413, "invalid_request_error", "body_too_large", None)


@pytest.mark.parametrize("method", ["head", "put", "patch", "delete", "options"])
def test_nothing_but_get_and_post_is_answered(client, world, method):
    call = world.call()

    response = getattr(client, method)(
        f"{URL}?id={call.id}&rating=up",
        headers={"Authorization": f"Bearer {world.plain_key}"},
    )

    assert (response.status_code, response["allow"]) == (405, "GET, POST")
    if method != "head":
        assert response.json()["error"]["code"] == "method_not_allowed"
    assert not Rating.objects.exists()


def test_so_many_ratings_a_minute_and_key(send, world, monkeypatch):
    monkeypatch.setattr(pace, "PER_MINUTE", 2)
    colleague = world.colleague()
    _, other_key = make_key(make_enrollment(make_pilot(), colleague.person))
    body = {"id": str(world.call().id), "rating": "up"}

    codes = [send(body).status_code for _ in range(2)]
    refused = send(body)
    others = send({"id": str(new_uuid7()), "rating": "up"}, key=other_key)
    monkeypatch.setattr(timezone, "now", lambda: AT + timedelta(minutes=1))
    later = send(body)

    assert codes == [200, 200]
    assert error(refused) == (429, "rate_limit_error", "rate_limit_exceeded", None)
    assert refused["retry-after"] == "60"
    assert (others.status_code, later.status_code) == (202, 200)
