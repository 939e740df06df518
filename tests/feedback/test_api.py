"""What the feedback API records."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.core.cache import cache

from apps.core.uuid7 import new_uuid7
from apps.feedback.models import Rating, WaitingRating
from tests.factories import NOON, make_pilot
from tests.feedback.asking import URL
from tests.feedback.conftest import AT

pytestmark = pytest.mark.usefixtures("clock")


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
