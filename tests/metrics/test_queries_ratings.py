from datetime import timedelta
from uuid import uuid4

import pytest

from apps.core.periods import Period
from apps.feedback.models import DailyQuestion, Rating
from apps.metrics.queries_ratings import LATEST, latest_opinions
from apps.usage.ingest import store_records
from tests.dashboard.pieces import ALL, FIVE
from tests.factories import (
    NOON,
    make_candidate,
    make_pilot,
    make_record,
    make_rotation,
    make_user,
)

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

    (opinion,) = latest_opinions(pilot, candidate_id=candidate.id, period=PERIOD, reader=ALL)

    assert (opinion.who, opinion.score, opinion.is_liked) == (who, "down", False)
    assert (opinion.tags, opinion.comment) == (("wrong API",), "No.")


@pytest.mark.parametrize(("score", "liked"), [(3, False), (4, True)])
def test_four_stars_are_liked(score, liked):
    pilot, candidate = make_pilot(rating_scale="stars"), make_candidate()
    make_rating(pilot, candidate, make_user().person, scale="stars", score=score)

    (opinion,) = latest_opinions(pilot, candidate_id=candidate.id, period=PERIOD, reader=ALL)

    assert (opinion.score, opinion.is_liked) == (f"{score} of 5", liked)


def test_withdrawn_ratings_and_those_of_others_are_left_out_and_the_newest_come_first():
    pilot, candidate = make_pilot(), make_candidate()
    person = make_user().person
    make_rating(pilot, candidate, person, withdrawn_at=NOON)
    make_rating(make_pilot(), candidate, person)
    make_rating(pilot, make_candidate(), person)
    make_rating(pilot, candidate, person, at=PERIOD.end)
    expected = [
        make_rating(pilot, candidate, person, at=NOON - timedelta(minutes=n)).updated_at
        for n in range(LATEST + 1)
    ]

    found = latest_opinions(pilot, candidate_id=candidate.id, period=PERIOD, reader=ALL)

    assert [opinion.at for opinion in found] == expected[:LATEST]


@pytest.mark.parametrize("count", [1, 3])
def test_opinions_take_the_same_queries_for_any_number(count, django_assert_num_queries):
    pilot, candidate = make_pilot(people_named=True), make_candidate()
    for _ in range(count):
        make_rating(pilot, candidate, make_user().person)

    with django_assert_num_queries(4):
        latest_opinions(pilot, candidate_id=candidate.id, period=PERIOD, reader=ALL)


def make_answer(pilot, candidate, person, **fields):
    return DailyQuestion.objects.create(
        **{
            "pilot_id": pilot.id,
            "person": person,
            "day": NOON.date(),
            "role": "chat",
            "candidate_id": candidate.id,
            "is_blind": True,
            "asked_at": NOON,
            "answered_at": NOON,
            "updated_at": NOON,
            "score": 4,
            "reason": "It kept our naming.",
        }
        | fields
    )


def opinions(pilot, candidate, reader=ALL):
    return latest_opinions(pilot, candidate_id=candidate.id, period=PERIOD, reader=reader)


@pytest.mark.parametrize("alias", ["pilot-chat", "by-name"])
def test_who_rated_a_blind_answer_stays_sealed_until_the_unblinding(alias):
    pilot, candidate = make_pilot(people_named=True), make_candidate()
    make_rotation(pilot, candidate, make_candidate())
    user = make_user(name="Ada")
    record = make_record(
        pilot_id=pilot.id, person_id=user.person_id, candidate_id=candidate.id, alias=alias
    )
    store_records([record])
    make_rating(pilot, candidate, user.person, call_id=record.id)

    (opinion,) = opinions(pilot, candidate)
    is_blind = alias == "pilot-chat"
    assert (opinion.who, opinion.is_sealed) == ("" if is_blind else "Ada", is_blind)

    pilot.unblinded_at = NOON
    pilot.save()
    (opinion,) = opinions(pilot, candidate)
    assert (opinion.who, opinion.is_sealed) == ("Ada", False)


def test_a_call_that_is_unknown_counts_as_blind_where_anything_is():
    pilot, candidate = make_pilot(people_named=True), make_candidate()
    make_rotation(pilot, candidate, make_candidate())
    make_rating(pilot, candidate, make_user(name="Ada").person)

    assert [each.is_sealed for each in opinions(pilot, candidate)] == [True]


def test_reasons_of_the_daily_question_stand_beside_ratings():
    pilot, candidate = make_pilot(people_named=True), make_candidate()
    user = make_user(name="Ada")
    make_answer(pilot, candidate, user.person)
    make_answer(pilot, candidate, make_user().person, reason="")
    make_answer(pilot, candidate, make_user().person, withdrawn_at=NOON)

    (blind,) = opinions(pilot, candidate)
    assert (blind.score, blind.is_liked, blind.comment) == ("4 of 5", True, "It kept our naming.")
    assert (blind.about, blind.who, blind.is_sealed) == ("a day of chat", "", True)

    DailyQuestion.objects.update(is_blind=False)
    (seen,) = opinions(pilot, candidate)
    assert (seen.who, seen.is_sealed) == ("Ada", False)


@pytest.mark.parametrize(("people", "told"), [(4, 0), (5, 5)])
def test_reasons_of_few_people_are_not_told(people, told):
    pilot, candidate = make_pilot(), make_candidate()
    for _ in range(people):
        make_answer(pilot, candidate, make_user().person)

    assert len(opinions(pilot, candidate, reader=FIVE)) == told
