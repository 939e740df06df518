import json
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from apps.core.keys import checksum, new_key
from apps.core.uuid7 import new_uuid7
from apps.feedback import api
from apps.feedback.models import Rating, WaitingRating
from tests.factories import NOON, make_enrollment, make_key, make_pilot

URL = "/v1/feedback"
AT = NOON + timedelta(minutes=1)


@pytest.fixture(autouse=True)
def clock(monkeypatch, valkey):
    monkeypatch.setattr(timezone, "now", lambda: AT)


@pytest.fixture
def send(client, world):
    def send(body, *, key=None, **headers):
        raw = body if isinstance(body, bytes | str) else json.dumps(body)
        headers = headers or {"Authorization": f"Bearer {key or world.plain_key}"}
        return client.post(URL, raw, content_type="application/json", headers=headers)

    return send


def error(response):
    body = response.json()["error"]
    assert sorted(body) == ["code", "message", "param", "type"]
    assert response["cache-control"].startswith("max-age=0, no-cache, no-store")
    return response.status_code, body["type"], body["code"], body["param"]


def bad(code, param=None):
    return 400, "invalid_request_error", code, param


def test_a_rating_is_recorded(send, world):
    call = world.call()

    response = send(
        {"id": str(call.id), "rating": "up", "tags": ["Clear", "clear"], "comment": " good "}
    )

    assert response.status_code == 200
    assert response.json() == {
        "id": str(call.id),
        "status": "recorded",
        "rating": "up",
        "tags": ["clear"],
        "comment": "good",
    }
    rating = Rating.objects.get()
    assert (rating.person, rating.call_id, rating.score) == (world.person, call.id, 1)
    assert (rating.via, rating.rated_at) == ("api", AT)


def test_repeating_is_an_update_that_keeps_what_it_does_not_name(send, world):
    call = world.call()
    send({"id": str(call.id), "rating": "up", "tags": ["clear"], "comment": "good"})

    response = send({"id": f"chatcmpl-{call.id.hex}", "rating": "down", "tags": ["wrong"]})

    assert response.json() == {
        "id": str(call.id),
        "status": "recorded",
        "rating": "down",
        "tags": ["wrong"],
        "comment": "good",
    }
    assert Rating.objects.count() == 1
    assert Rating.objects.get().revisions.count() == 1


@pytest.mark.parametrize(
    "form", ["{0}", "{0.hex}", "chatcmpl-{0.hex}", "cmpl-{0.hex}", "CHATCMPL-{0.hex}"]
)
def test_every_form_of_the_id_is_understood(send, world, form):
    call = world.call()

    response = send({"id": form.format(call.id), "rating": "up"})

    assert (response.status_code, response.json()["id"]) == (200, str(call.id))


@pytest.mark.parametrize("header", ["x-api-key", "api-key"])
def test_the_key_may_come_in_other_headers(send, world, header):
    call = world.call()

    assert (
        send({"id": str(call.id), "rating": "up"}, **{header: world.plain_key}).status_code == 200
    )


def test_stars_are_taken_where_the_pilot_has_stars(client, stars):
    call = stars.call()

    response = client.post(
        URL,
        {"id": str(call.id), "rating": 4},
        content_type="application/json",
        headers={"Authorization": f"bearer {stars.plain_key}"},
    )

    assert (response.status_code, response.json()["rating"]) == (200, 4)


def test_last_is_the_newest_rateable_call_of_ones_own_in_the_pilot(send, world):
    other, elsewhere = world.colleague(), make_pilot()
    world.call(at=NOON - timedelta(hours=2))
    newest = world.call(at=NOON - timedelta(hours=1))
    world.call(at=NOON, rateable=False, task="autocomplete")
    world.call(at=NOON, person=other.person)
    world.call(at=NOON, pilot=elsewhere)

    response = send({"id": "last", "rating": "down"})

    assert (response.status_code, response.json()["id"]) == (200, str(newest.id))


def test_last_without_any_call_says_so(send):
    response = send({"id": "last", "rating": "up"})

    assert error(response) == (404, "not_found_error", "no_rateable_call", "id")


def test_today_says_what_to_do_while_there_is_no_daily_question(send):
    response = send({"id": "today", "rating": 4})

    assert error(response) == (409, "invalid_request_error", "no_daily_question", "id")
    assert response.json()["error"]["message"] == (
        "This pilot asks no daily question yet; rate an answer by its id, or the last."
    )


def test_a_well_formed_unknown_id_waits(send, world):
    call_id = new_uuid7()

    response = send({"id": f"chatcmpl-{call_id.hex}", "rating": "up", "tags": ["clear"]})

    assert response.status_code == 202
    assert response.json() == {
        "id": str(call_id),
        "status": "waiting",
        "rating": "up",
        "tags": ["clear"],
        "comment": "",
    }
    waiting = WaitingRating.objects.get()
    assert (waiting.call_id, waiting.person, waiting.pilot_id) == (
        call_id,
        world.person,
        world.pilot.id,
    )
    assert waiting.received_at == AT


def test_too_many_ratings_that_wait_are_refused(send, monkeypatch):
    monkeypatch.setattr("apps.feedback.waiting.MOST_PER_PERSON", 1)
    send({"id": str(uuid4()), "rating": "up"})

    response = send({"id": str(uuid4()), "rating": "up"})

    assert error(response) == (429, "rate_limit_error", "too_many_waiting", "id")


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


def wrong_keys(world):
    body = "a" * 34
    return {
        "none": {"accept": "*/*"},
        "empty": {"Authorization": "Bearer "},
        "another scheme": {"Authorization": f"Basic {world.plain_key}"},
        "a word": {"Authorization": "Bearer sk-123"},
        "mistyped": {"Authorization": f"Bearer {world.plain_key[:-1]}~"},
        "unknown": {"Authorization": f"Bearer {new_key()}"},
        "a bad checksum": {"Authorization": f"Bearer pd_{body}{checksum('b' * 34)}"},
        "not ASCII": {"Authorization": "Bearer pd_ä"},
    }


@pytest.mark.parametrize(
    "case",
    [
        "none",
        "empty",
        "another scheme",
        "a word",
        "mistyped",
        "unknown",
        "a bad checksum",
        "not ASCII",
    ],
)
def test_a_wrong_key_is_refused(send, world, case):
    call = world.call()

    response = send({"id": str(call.id), "rating": "up"}, **wrong_keys(world)[case])

    assert error(response) == (401, "authentication_error", "invalid_api_key", None)
    assert response["www-authenticate"] == "Bearer"
    assert not Rating.objects.exists()


@pytest.mark.parametrize(
    "change",
    ["revoked", "expired", "left", "erased", "inactive", "reader"],
)
def test_a_key_that_is_no_longer_in_force_is_refused_at_once(send, world, change):
    call = world.call()
    body = {"id": str(call.id), "rating": "up"}
    assert send(body).status_code == 200
    match change:
        case "revoked":
            world.key.revoked_at = AT
            world.key.save(update_fields=["revoked_at"])
        case "expired":
            world.key.expires_at = AT
            world.key.save(update_fields=["expires_at"])
        case "left":
            world.enrollment.left_at = AT
            world.enrollment.save(update_fields=["left_at"])
        case "erased":
            world.person.erased_at = AT
            world.person.save(update_fields=["erased_at"])
        case "inactive":
            world.user.is_active = False
            world.user.save(update_fields=["is_active"])
        case "reader":
            world.key.kind = "reader"
            world.key.save(update_fields=["kind"])

    response = send(body)

    assert error(response) == (401, "authentication_error", "invalid_api_key", None)


@pytest.mark.parametrize("method", ["get", "head", "put", "patch", "delete", "options"])
def test_nothing_but_post_is_answered(client, world, method):
    call = world.call()

    response = getattr(client, method)(
        f"{URL}?id={call.id}&rating=up",
        headers={"Authorization": f"Bearer {world.plain_key}"},
    )

    assert (response.status_code, response["allow"]) == (405, "POST")
    if method != "head":
        assert response.json()["error"]["code"] == "method_not_allowed"
    assert not Rating.objects.exists()


def test_a_page_of_another_site_gets_no_rating_without_a_key(world):
    """No cookie opens this route, so a forged form from a signed-in browser changes nothing."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(world.user)
    call = world.call()

    response = client.post(
        URL, {"id": str(call.id), "rating": "up"}, content_type="application/json"
    )

    assert error(response) == (401, "authentication_error", "invalid_api_key", None)


def test_so_many_ratings_a_minute_and_key(send, world, monkeypatch):
    monkeypatch.setattr(api, "PER_MINUTE", 2)
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


def test_without_the_cache_ratings_are_let_through(send, world, settings):
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:1/0",
        }
    }
    assert cache  # resolved anew from the settings

    assert send({"id": str(world.call().id), "rating": "up"}).status_code == 200


@pytest.mark.parametrize("calls", [1, 3])
def test_the_last_call_is_rated_in_the_same_queries_for_any_number(
    send, world, calls, django_assert_num_queries
):
    for minutes in range(calls):
        world.call(at=NOON - timedelta(minutes=minutes))

    with django_assert_num_queries(11):
        assert send({"id": "last", "rating": "up"}).status_code == 200


def test_the_time_of_the_calls_does_not_matter_to_a_lookup(send, world):
    call = world.call(at=datetime(2026, 10, 1, tzinfo=UTC))

    assert UUID(send({"id": str(call.id), "rating": "up"}).json()["id"]) == call.id
