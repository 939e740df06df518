"""Giving a rating, and what the database itself refuses."""

import threading
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from apps.feedback.actions import CallNotRateable, NotYourCall
from apps.feedback.models import Rating, RatingRevision, WaitingRating
from apps.feedback.scales import WrongScale
from apps.feedback.waiting import wait_for_call
from apps.feedback.words import BadComment, BadTag
from apps.pilots.trail import PilotClosed
from tests.factories import NOON, make_pilot
from tests.feedback.conftest import make_world
from tests.feedback.ratings import MINUTE, dirty, history, rated, standing


def test_a_rating_says_which_call_it_is_of_and_marks_its_quarter(world):
    call = world.call(at=NOON + timedelta(minutes=17))
    dirty()

    rating = rated(world, call, tags=["clear"], comment="good", now=NOON + timedelta(hours=3))

    rating.refresh_from_db()
    assert (rating.call_id, rating.call_admitted_at) == (call.id, call.admitted_at)
    assert (rating.pilot_id, rating.candidate_id) == (world.pilot.id, world.candidate.id)
    assert (rating.person, rating.scale, rating.score) == (world.person, "thumbs", 1)
    assert (rating.tags, rating.comment, rating.via) == (["clear"], "good", "page")
    assert rating.rated_at == rating.updated_at == NOON + timedelta(hours=3)
    assert dirty() == [NOON + timedelta(minutes=15)]
    assert history() == []


def test_a_second_rating_replaces_the_first_and_keeps_it_as_history(world):
    call = world.call()
    rated(world, call, tags=["clear"], comment="good")
    dirty()

    rating = rated(world, call, score=0, tags=["wrong"], via="api", now=NOON + 2 * MINUTE)

    assert standing() == [(0, ["wrong"], "good", None)]
    assert history() == [(1, ["clear"], "good", NOON + 2 * MINUTE)]
    assert (rating.rated_at, rating.updated_at) == (NOON + MINUTE, NOON + 2 * MINUTE)
    assert rating.via == "api"
    assert dirty() == [NOON]


def test_saying_the_same_again_changes_nothing(world):
    call = world.call()
    rated(world, call, tags=["clear"])
    dirty()

    rating = rated(world, call, tags=["clear"], now=NOON + 2 * MINUTE)

    assert rating.updated_at == NOON + MINUTE
    assert (history(), dirty()) == ([], [])


def test_what_is_older_than_what_stands_changes_nothing(world):
    call = world.call()
    rated(world, call, now=NOON + 2 * MINUTE)

    rated(world, call, score=0, now=NOON + MINUTE)

    assert standing() == [(1, [], "", None)]


def test_an_emptied_comment_is_gone_from_the_history_too(world):
    call = world.call()
    rated(world, call, comment="names a customer")
    rated(world, call, score=0, now=NOON + 2 * MINUTE)

    rated(world, call, score=0, comment="", now=NOON + 3 * MINUTE)

    assert standing() == [(0, [], "", None)]
    assert [comment for _, _, comment, _ in history()] == ["", ""]


def test_a_rating_ends_the_wait_of_an_earlier_one(world):
    call = world.call()
    wait_for_call(
        call_id=call.id,
        pilot=world.pilot,
        person=world.person,
        score=0,
        via="api",
        now=NOON,
    )

    rated(world, call)

    assert not WaitingRating.objects.exists()


def refusal(world):
    """Each way out of rate(): what is wrong, and the exception."""
    other = world.colleague()
    completion = world.call(task="autocomplete", endpoint="completions", rateable=False)
    mine = world.call()
    return {
        "another's call": (world.call(person=other.person), {}, NotYourCall),
        "a completion": (completion, {}, CallNotRateable),
        "another scale": (mine, {"scale": "stars", "score": 4}, WrongScale),
        "no such score": (mine, {"score": 2}, WrongScale),
        "a bad tag": (mine, {"tags": ["<b>"]}, BadTag),
        "a bad comment": (mine, {"comment": "\x00"}, BadComment),
    }


@pytest.mark.parametrize(
    "case",
    [
        "another's call",
        "a completion",
        "another scale",
        "no such score",
        "a bad tag",
        "a bad comment",
    ],
)
def test_what_is_refused_leaves_nothing_behind(world, case):
    call, fields, problem = refusal(world)[case]
    dirty()

    with pytest.raises(problem):
        rated(world, call, **fields)

    assert (standing(), dirty()) == ([], [])


def test_a_closed_pilot_takes_ratings_up_to_its_closing_only(db):
    world = make_world(closed_at=NOON + 2 * MINUTE)
    call = world.call()

    rated(world, call, now=NOON + MINUTE)
    with pytest.raises(PilotClosed):
        rated(world, call, score=0, now=NOON + 2 * MINUTE)

    assert standing() == [(1, [], "", None)]


def test_the_database_holds_one_rating_for_a_call_and_person(world):
    rating = rated(world, world.call())
    rating.pk = None

    problem = pytest.raises(IntegrityError, match="rating_once_per_call_and_person")
    with problem, transaction.atomic():
        rating.save(force_insert=True)


@pytest.mark.parametrize(("scale", "score"), [("thumbs", 2), ("stars", 0), ("stars", 6)])
def test_the_database_refuses_a_score_off_its_scale(world, scale, score):
    rating = rated(world, world.call())

    with pytest.raises(IntegrityError, match="rating_score_fits_scale"), transaction.atomic():
        Rating.objects.filter(id=rating.id).update(scale=scale, score=score)


@pytest.mark.django_db(transaction=True)
def test_two_presses_at_once_are_one_rating():
    world = make_world()
    call = world.call()
    ready = threading.Barrier(2)
    problems = []

    def press(score):
        try:
            ready.wait(timeout=10)
            rated(world, call, score=score)
        except Exception as problem:
            problems.append(problem)
        finally:
            connection.close()

    threads = [threading.Thread(target=press, args=[score]) for score in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert problems == []
    assert Rating.objects.count() == 1
    assert RatingRevision.objects.count() == 1


def test_a_call_of_another_pilot_is_rated_on_that_pilots_scale(world):
    other = make_pilot(rating_scale="stars")
    call = world.call(pilot=other)

    rated(world, call, score=4, scale="stars")

    assert Rating.objects.get().pilot_id == other.id
