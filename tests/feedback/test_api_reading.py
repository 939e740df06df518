"""What GET /v1/feedback says of an answer."""

from datetime import timedelta

import pytest

from apps.core.uuid7 import new_uuid7
from apps.feedback.actions import withdraw
from apps.feedback.links import make_token
from apps.feedback.models import Rating
from tests.factories import NOON, make_pilot
from tests.feedback.asking import URL, error
from tests.feedback.blind import make_rotation
from tests.feedback.conftest import AT, make_world
from tests.feedback.ratings import rated, standing

pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def ask(client, world):
    def ask(answer, key=None):
        headers = {"Authorization": f"Bearer {key or world.plain_key}"}
        return client.get(URL, {"id": answer}, headers=headers)

    return ask


def test_an_answer_is_told_with_what_was_said_and_where_to_say_more(ask, world, settings):
    settings.SITE_URL = "https://pilot.example.com"
    call = world.call()
    rated(world, call, tags=["clear"], comment="good")

    response = ask(f"chatcmpl-{call.id.hex}")

    token = make_token(call, now=AT)
    assert response.status_code == 200
    assert response["cache-control"].startswith("max-age=0, no-cache, no-store")
    assert response.json() == {
        "id": str(call.id),
        "at": "2026-11-18T12:00:00Z",
        "scale": "thumbs",
        "status": "rated",
        "rating": "up",
        "tags": ["clear"],
        "comment": "good",
        "offered_tags": [
            *("correct", "saved time", "clear"),
            *("wrong", "incomplete", "made up", "ignored the request", "too long", "slow"),
        ],
        "page_url": f"https://pilot.example.com/rate/{token}/",
        "widget_url": f"https://pilot.example.com/widget/{token}/",
        "token": token,
        "links_expire_at": "2026-11-25T12:05:00Z",
    }


def test_last_is_the_newest_answer_and_reading_records_nothing(ask, world):
    world.call(at=NOON - timedelta(minutes=1))
    call = world.call()

    told = ask("last").json()

    assert (told["id"], told["status"], told["rating"]) == (str(call.id), "not_rated", None)
    assert standing() == []


def test_a_withdrawn_rating_is_told_as_such(ask, world):
    call = world.call()
    rated(world, call)
    withdraw(call_id=call.id, person=world.person, now=AT)

    told = ask(str(call.id)).json()

    assert (told["status"], told["rating"], told["tags"]) == ("withdrawn", None, [])


def test_a_pilots_own_tags_and_stars_are_told(client, db):
    world = make_world(rating_tags=["on the spot"], rating_scale="stars")
    rated(world, world.call(), score=4, scale="stars")

    told = client.get(
        URL, {"id": "last"}, headers={"Authorization": f"Bearer {world.plain_key}"}
    ).json()

    assert (told["scale"], told["rating"], told["offered_tags"]) == ("stars", 4, ["on the spot"])


@pytest.mark.parametrize(
    ("whose", "expected"),
    [
        ("unknown", (404, "not_found_error", "call_not_found", "id")),
        ("colleague", (404, "not_found_error", "call_not_found", "id")),
        ("elsewhere", (404, "not_found_error", "call_not_found", "id")),
        ("completion", (409, "invalid_request_error", "call_not_rateable", "id")),
        ("last", (404, "not_found_error", "no_rateable_call", "id")),
        ("nonsense", (400, "invalid_request_error", "invalid_id", "id")),
        ("", (400, "invalid_request_error", "invalid_id", "id")),
    ],
)
def test_what_is_none_of_ones_own_answers_is_refused(ask, world, whose, expected):
    calls = {
        "unknown": lambda: new_uuid7(),
        "colleague": lambda: world.call(person=world.colleague().person).id,
        "elsewhere": lambda: world.call(pilot=make_pilot()).id,
        "completion": lambda: world.call(rateable=False, task="autocomplete").id,
    }

    assert error(ask(str(calls.get(whose, lambda: whose)()))) == expected
    assert not Rating.objects.exists()


def test_a_key_that_is_none_reads_nothing(ask, world):
    world.call()

    assert error(ask("last", key="pd_wrong"))[0] == 401


def test_a_blind_answer_tells_neither_who_answered_nor_how_fast(ask, world):
    make_rotation(world.pilot, world.candidate)
    world.call(alias="pilot-chat", completion_tokens=1_240, total_ms=12_345)

    response = ask("last")

    told = response.content.decode() + str(dict(response.headers))
    for secret in (world.candidate.name, world.candidate.slug, "1240", "12345", "candidate"):
        assert secret not in told
