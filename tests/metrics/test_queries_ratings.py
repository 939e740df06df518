from datetime import timedelta
from uuid import uuid4

import pytest

from apps.core.periods import Period
from apps.feedback.models import Rating
from apps.metrics.queries_ratings import LATEST, latest_ratings
from tests.factories import NOON, make_candidate, make_pilot, make_user

pytestmark = pytest.mark.django_db
PERIOD = Period(NOON - timedelta(days=1), NOON + timedelta(days=1))


def make_rating(pilot, candidate, person, **fields):
    at = fields.pop("at", NOON)
    return Rating.objects.create(
        **{
            "call_id": uuid4(),
            "call_admitted_at": at,
            "pilot_id": pilot.id,
            "candidate_id": candidate.id,
            "person": person,
            "scale": "thumbs",
            "score": 1,
            "via": "inbox",
            "rated_at": at,
            "updated_at": at,
        }
        | fields
    )


@pytest.mark.parametrize(("named", "who"), [(False, ""), (True, "Ada")])
def test_opinions_name_people_only_where_the_pilot_does(named, who):
    pilot, candidate = make_pilot(people_named=named), make_candidate()
    user = make_user(name="Ada")
    make_rating(pilot, candidate, user.person, tags=["wrong API"], comment="No.", score=0)

    (opinion,) = latest_ratings(pilot, candidate_id=candidate.id, period=PERIOD)

    assert (opinion.who, opinion.score, opinion.is_liked) == (who, "down", False)
    assert (opinion.tags, opinion.comment) == (("wrong API",), "No.")


@pytest.mark.parametrize(("score", "liked"), [(3, False), (4, True)])
def test_four_stars_are_liked(score, liked):
    pilot, candidate = make_pilot(rating_scale="stars"), make_candidate()
    make_rating(pilot, candidate, make_user().person, scale="stars", score=score)

    (opinion,) = latest_ratings(pilot, candidate_id=candidate.id, period=PERIOD)

    assert (opinion.score, opinion.is_liked) == (f"{score} of 5", liked)


def test_withdrawn_ratings_and_those_of_others_are_left_out_and_the_newest_come_first():
    pilot, candidate = make_pilot(), make_candidate()
    person = make_user().person
    make_rating(pilot, candidate, person, withdrawn_at=NOON)
    make_rating(make_pilot(), candidate, person)
    make_rating(pilot, make_candidate(), person)
    make_rating(pilot, candidate, person, at=PERIOD.end)
    expected = [
        make_rating(pilot, candidate, person, at=NOON - timedelta(minutes=n)).call_id
        for n in range(LATEST + 1)
    ]

    found = latest_ratings(pilot, candidate_id=candidate.id, period=PERIOD)

    assert [opinion.call_id for opinion in found] == expected[:LATEST]


@pytest.mark.parametrize("count", [1, 3])
def test_opinions_take_one_query(count, django_assert_num_queries):
    pilot, candidate = make_pilot(people_named=True), make_candidate()
    for _ in range(count):
        make_rating(pilot, candidate, make_user().person)

    with django_assert_num_queries(1):
        latest_ratings(pilot, candidate_id=candidate.id, period=PERIOD)
