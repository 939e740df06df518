"""`/v1/feedback` with `"id": "today"`."""

import pytest

from apps.feedback.daily import skip, withdraw
from apps.feedback.models import DailyQuestion, DailyRevision
from apps.feedback.preferences import choose
from tests.factories import NOON, make_candidate
from tests.feedback.asking import URL, error
from tests.feedback.conftest import AT
from tests.feedback.days_of_use import make_rotation, said

pytestmark = pytest.mark.usefixtures("clock")


def test_the_days_question_is_answered(world, send):
    world.call()

    response = send({"id": "today", "rating": 4, "comment": "quick"})

    assert (response.status_code, response.json()) == (
        200,
        {
            "id": "today",
            "status": "recorded",
            "rating": 4,
            "tags": [],
            "comment": "quick",
            "day": "2026-11-18",
            "role": "chat",
        },
    )
    assert said() == [(4, "quick", None, None)]
    stored = DailyQuestion.objects.get()
    assert (stored.via, stored.answered_at, stored.asked_at) == ("api", AT, AT)


@pytest.fixture
def read(client, world):
    headers = {"Authorization": f"Bearer {world.plain_key}"}
    return lambda: client.get(URL, {"id": "today"}, headers=headers)


def test_what_is_asked_is_told_and_asks_nobody(world, read, settings):
    settings.SITE_URL = "https://pilot.example"
    world.call()

    response = read()

    assert (response.status_code, response.json()) == (
        200,
        {
            "id": "today",
            "status": "not_answered",
            "rating": None,
            "tags": [],
            "comment": "",
            "day": "2026-11-18",
            "role": "chat",
            "question": "How was the assistant today?",
            "is_open": True,
            "page_url": f"https://pilot.example/pilots/{world.pilot.slug}/today/",
        },
    )
    assert not DailyQuestion.objects.exists()


def test_what_was_answered_is_told(world, read, send):
    world.call()
    send({"id": "today", "rating": 4, "comment": "quick"})

    assert [read().json()[name] for name in ("status", "rating", "comment")] == [
        *("answered", 4, "quick")
    ]
    question = DailyQuestion.objects.get()
    withdraw(question=question, now=AT)
    assert [read().json()[name] for name in ("status", "rating")] == ["withdrawn", None]
    skip(question=question, pilot=world.pilot, now=AT)
    assert read().json()["status"] == "skipped"


def test_reading_works_after_the_closing_and_without_a_question(world, read, send):
    assert error(read()) == (404, "not_found_error", "nothing_used_today", "id")
    world.call()
    send({"id": "today", "rating": 4})
    world.pilot.closed_at = NOON
    world.pilot.save(update_fields=["closed_at"])

    assert [read().json()[name] for name in ("rating", "is_open")] == [4, False]


def test_saying_it_again_corrects_it_and_keeps_the_reason(world, send):
    world.call()
    send({"id": "today", "rating": 4, "comment": "quick"})

    again = send({"id": "today", "rating": 2})

    assert (again.json()["rating"], again.json()["comment"]) == (2, "quick")
    assert said() == [(2, "quick", None, None)]
    assert list(DailyRevision.objects.values_list("score", "reason")) == [(4, "quick")]


def test_the_scale_is_one_to_five_whatever_answers_are_rated_with(world, send):
    assert world.pilot.rating_scale == "thumbs"
    world.call()

    assert send({"id": "today", "rating": 5}).status_code == 200


@pytest.mark.parametrize("rating", ["up", "down", 0, 6, 2.5, True, "4", None, [4]])
def test_anything_else_is_refused(world, send, rating):
    world.call()

    response = send({"id": "today", "rating": rating})

    assert error(response) == (400, "invalid_request_error", "invalid_rating", "rating")
    assert response.json()["error"]["message"] == (
        "The daily question is answered from 1 to 5, whatever answers are rated with; "
        "send a whole number."
    )
    assert said() == []


def test_tags_are_refused(world, send):
    world.call()

    response = send({"id": "today", "rating": 4, "tags": ["slow"]})

    assert error(response) == (400, "invalid_request_error", "invalid_tags", "tags")
    assert send({"id": "today", "rating": 4, "tags": []}).status_code == 200


def test_a_bad_reason_asks_and_answers_nothing(world, send):
    world.call()

    response = send({"id": "today", "rating": 4, "comment": "a\u0001"})

    assert error(response) == (400, "invalid_request_error", "invalid_comment", "comment")
    assert said() == []


def test_nothing_used_today_is_not_found(world, send):
    world.call(at=NOON.replace(day=17))

    response = send({"id": "today", "rating": 4})

    assert error(response) == (404, "not_found_error", "nothing_used_today", "id")


def test_a_closed_pilot_takes_no_answers(world, send):
    world.call()
    world.pilot.closed_at = NOON
    world.pilot.save(update_fields=["closed_at"])

    response = send({"id": "today", "rating": 4})

    assert error(response) == (409, "invalid_request_error", "pilot_closed", None)


def test_who_wants_not_to_be_asked_may_still_answer(world, send):
    choose(enrollment=world.enrollment, channel="off", hour=16, now=NOON)
    world.call()

    assert send({"id": "today", "rating": 4}).status_code == 200


def test_who_answered_is_not_told(world, send):
    secret = make_candidate(name="Secret model", slug="secret-model")
    make_rotation(world.pilot, "chat", [secret])
    world.call(alias="pilot-chat", candidate=secret)

    response = send({"id": "today", "rating": 4})

    assert DailyQuestion.objects.get().candidate_id == secret.id
    assert b"ecret" not in response.content
