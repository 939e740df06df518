from datetime import timedelta

import pytest

from apps.core.uuid7 import new_uuid7
from apps.feedback import waiting
from apps.feedback.actions import rate
from apps.feedback.models import Rating, WaitingRating
from apps.feedback.waiting import TooManyWaiting, attach_waiting, wait_for_call
from apps.feedback.words import BadComment, BadTag
from apps.pilots.trail import PilotClosed
from tests.factories import NOON, make_pilot
from tests.feedback.conftest import make_world

SECOND = timedelta(seconds=1)
DAY = timedelta(hours=24)


def wait(world, call_id, **fields):
    said = {"score": 1, "via": "api", "now": NOON}
    return wait_for_call(call_id=call_id, pilot=world.pilot, person=world.person, **said | fields)


def ratings():
    return list(Rating.objects.order_by("id").values_list("call_id", "score", "tags", "comment"))


def test_a_rating_is_attached_once_its_call_is_stored(world):
    call_id = new_uuid7()
    wait(world, call_id, tags=["clear"], comment="good")

    before = attach_waiting(now=NOON + SECOND)
    world.call(id=str(call_id))
    after = attach_waiting(now=NOON + 2 * SECOND)
    again = attach_waiting(now=NOON + 3 * SECOND)

    assert (before, after, again) == (0, 1, 0)
    assert ratings() == [(call_id, 1, ["clear"], "good")]
    assert Rating.objects.get().rated_at == NOON  # when it was given, not when it was attached
    assert not WaitingRating.objects.exists()


def test_the_latest_of_two_waiting_ratings_counts(world):
    call_id = new_uuid7()
    wait(world, call_id, comment="first")
    wait(world, call_id, score=0, now=NOON + SECOND)
    world.call(id=str(call_id))

    assert attach_waiting(now=NOON + 2 * SECOND) == 1
    assert ratings() == [(call_id, 0, [], "first")]


def test_a_rating_given_meanwhile_outlives_the_waiting_one(world):
    call_id = new_uuid7()
    call = world.call(id=str(call_id))
    rate(
        call=call,
        person=world.person,
        score=0,
        scale="thumbs",
        via="page",
        now=NOON + SECOND,
    )
    wait(world, call_id)

    attach_waiting(now=NOON + 2 * SECOND)

    assert ratings() == [(call_id, 0, [], "")]
    assert not WaitingRating.objects.exists()


def test_a_rating_waits_for_a_day_and_is_forgotten(world):
    call_id = new_uuid7()
    wait(world, call_id)

    attach_waiting(now=NOON + DAY - SECOND)
    assert WaitingRating.objects.count() == 1
    attach_waiting(now=NOON + DAY)
    assert WaitingRating.objects.count() == 0


def not_attached(world):
    other = world.colleague()
    return {
        "another's call": {"person": other.person},
        "another pilot": {"pilot": make_pilot()},
        "a completion": {"rateable": False, "task": "autocomplete"},
    }


@pytest.mark.parametrize("case", ["another's call", "another pilot", "a completion"])
def test_a_rating_of_what_one_may_not_rate_is_forgotten_in_silence(world, case):
    call_id = new_uuid7()
    wait(world, call_id)
    world.call(id=str(call_id), **not_attached(world)[case])

    assert attach_waiting(now=NOON + SECOND) == 0
    assert ratings() == []
    assert not WaitingRating.objects.exists()


def test_a_rating_made_before_the_closing_is_attached_after_it(world):
    call_id = new_uuid7()
    wait(world, call_id)
    world.pilot.closed_at = NOON + SECOND
    world.pilot.save(update_fields=["closed_at"])
    world.call(id=str(call_id))

    assert attach_waiting(now=NOON + 2 * SECOND) == 1


def test_a_change_of_the_scale_forgets_what_waits_on_the_old_one(world):
    call_id = new_uuid7()
    wait(world, call_id)
    world.pilot.rating_scale = "stars"
    world.pilot.save(update_fields=["rating_scale"])
    world.call(id=str(call_id))

    assert attach_waiting(now=NOON + SECOND) == 0
    assert not WaitingRating.objects.exists()


def test_a_closed_pilot_takes_no_rating_that_would_wait(db):
    world = make_world(closed_at=NOON)

    with pytest.raises(PilotClosed):
        wait(world, new_uuid7())


@pytest.mark.parametrize(
    ("fields", "problem"), [({"tags": ["<"]}, BadTag), ({"comment": "\x00"}, BadComment)]
)
def test_bad_words_do_not_wait(world, fields, problem):
    with pytest.raises(problem):
        wait(world, new_uuid7(), **fields)

    assert not WaitingRating.objects.exists()


def test_one_person_has_so_many_ratings_waiting_and_no_more(world, monkeypatch):
    monkeypatch.setattr(waiting, "MOST_PER_PERSON", 2)
    first = new_uuid7()
    wait(world, first)
    wait(world, new_uuid7())

    with pytest.raises(TooManyWaiting):
        wait(world, new_uuid7())
    wait(world, first, score=0)  # one that waits already may change

    assert WaitingRating.objects.count() == 2


def test_everything_is_attached_in_batches(world, monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(waiting, "BATCH", 2)
    ids = [new_uuid7() for _ in range(5)]
    for call_id in ids:
        wait(world, call_id)
    for call_id in ids[1:]:
        world.call(id=str(call_id))

    assert attach_waiting(now=NOON + SECOND) == 4
    with django_assert_num_queries(3):  # nothing has come: forget, list, look
        assert attach_waiting(now=NOON + SECOND) == 0
