"""Which answers chance picks, who is asked about them, and what they said."""

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from apps.feedback.actions import rate, withdraw
from apps.feedback.models import SampledAnswer
from apps.feedback.preferences import choose
from apps.feedback.samples import (
    MOST_A_DAY,
    SampledRating,
    is_sampled,
    pick,
    salt_of,
    sampled_ratings,
    waiting_samples,
)
from apps.usage.models import Call
from tests.factories import NOON, make_candidate
from tests.feedback.days_of_use import make_rotation

MINUTE = timedelta(minutes=1)
IDS = [UUID(int=number) for number in range(20_000)]


@pytest.fixture
def everything(world):
    """A pilot in which every answer is in the sample."""
    world.pilot.sample_share = Decimal(1)
    world.pilot.save(update_fields=["sample_share"])
    return world


def picked(world, now=NOON + MINUTE):
    pick(pilot=world.pilot, now=now)
    rows = SampledAnswer.objects.order_by("admitted_at", "id")
    return list(rows.values_list("call_id", "channel"))


def test_the_sample_is_a_pure_function_of_id_and_salt():
    salt, other = salt_of(1), salt_of(2)
    share = Decimal("0.05")

    first = [is_sampled(each, salt=salt, share=share) for each in IDS]

    assert first == [is_sampled(each, salt=salt, share=share) for each in IDS]
    assert first != [is_sampled(each, salt=other, share=share) for each in IDS]
    # 1,000 expected; the bounds are five standard deviations away.
    assert 846 <= sum(first) <= 1154


def test_nobody_is_picked_of_none_and_everybody_of_all():
    salt = salt_of(1)

    assert not any(is_sampled(each, salt=salt, share=Decimal(0)) for each in IDS)
    assert all(is_sampled(each, salt=salt, share=Decimal(1)) for each in IDS)


def test_a_larger_sample_holds_the_smaller_one():
    salt = salt_of(1)
    small = {each for each in IDS if is_sampled(each, salt=salt, share=Decimal("0.05"))}
    large = {each for each in IDS if is_sampled(each, salt=salt, share=Decimal("0.2"))}

    assert small < large


def test_recent_answers_are_picked_once(everything):
    old = everything.call(at=NOON - 15 * MINUTE)
    new = everything.call(at=NOON)

    assert picked(everything) == [(new.id, "page")]
    assert picked(everything) == [(new.id, "page")]
    assert picked(everything, NOON - MINUTE) == [(old.id, "page"), (new.id, "page")]


@pytest.mark.parametrize("fields", [{"rateable": False}, {"source": "compare", "key_id": None}])
def test_what_is_not_rated_is_not_picked(everything, fields):
    everything.call(**fields)

    assert picked(everything) == []


def test_only_the_pilots_share_is_picked(world):
    calls = [world.call(at=NOON, person=world.colleague().person) for _ in range(60)]
    salt = salt_of(world.pilot.id)
    world.pilot.sample_share = Decimal("0.5")

    found = {call_id for call_id, _ in picked(world)}

    half = Decimal("0.5")
    assert found == {call.id for call in calls if is_sampled(call.id, salt=salt, share=half)}
    assert 0 < len(found) < 60


def test_nobody_is_asked_about_more_than_three_a_day(everything):
    calls = [everything.call(at=NOON + second * timedelta(seconds=1)) for second in range(5)]
    other = everything.call(at=NOON, person=everything.colleague().person)
    first_three = {(call.id, "page") for call in [*calls[:MOST_A_DAY], other]}

    assert set(picked(everything)) == first_three
    assert set(picked(everything, NOON + 2 * MINUTE)) == first_three
    tomorrow = everything.call(at=NOON + timedelta(days=1))
    assert set(picked(everything, NOON + timedelta(days=1, minutes=1))) == first_three | {
        (tomorrow.id, "page")
    }


def test_who_left_or_wants_not_to_be_asked_is_not(everything):
    gone = everything.colleague().person
    gone.enrollments.update(left_at=NOON)
    everything.call(person=gone)
    everything.call()
    choose(enrollment=everything.enrollment, channel="off", hour=16, now=NOON)

    assert picked(everything) == []


def test_being_rated_already_does_not_matter(everything):
    call = everything.call()
    rate(call=call, person=everything.person, score=1, scale="thumbs", via="page", now=NOON)

    assert picked(everything) == [(call.id, "page")]
    assert list(waiting(everything)) == []


def waiting(world, now=NOON + MINUTE):
    samples = waiting_samples(pilot=world.pilot, person=world.person, now=now)
    return samples.values_list("call_id", flat=True)


def test_samples_wait_until_rated_or_withdrawn_or_old(everything):
    first, second = everything.call(at=NOON), everything.call(at=NOON + MINUTE)
    picked(everything, NOON + 2 * MINUTE)
    assert list(waiting(everything)) == [second.id, first.id]

    rate(call=first, person=everything.person, score=1, scale="thumbs", via="page", now=NOON)
    withdraw(call_id=first.id, person=everything.person, now=NOON)

    assert list(waiting(everything)) == [second.id]
    assert list(waiting(everything, NOON + timedelta(days=8))) == []


def test_ratings_of_the_sample_are_told_with_those_that_were_not_given(everything):
    candidates = [make_candidate(), make_candidate()]
    make_rotation(everything.pilot, "chat", candidates)
    rated = everything.call(at=NOON)
    blind = everything.call(
        at=NOON + MINUTE,
        alias="pilot-chat",
        candidate=candidates[1],
        assigned_candidate_id=candidates[0].id,
    )
    everything.call(at=NOON - timedelta(days=1))  # never picked
    picked(everything, NOON + 2 * MINUTE)
    rate(call=rated, person=everything.person, score=0, scale="thumbs", via="page", now=NOON)

    person_id, candidate_id = everything.person.id, everything.candidate.id
    assert sampled_ratings(everything.pilot) == [
        SampledRating(person_id, candidate_id, rated.id, NOON, "thumbs", 0),
        SampledRating(person_id, candidates[0].id, blind.id, NOON + MINUTE, "thumbs", None),
    ]

    # Calls are deleted in time, and what was said of them stays.
    Call.objects.all().delete()
    assert [each.call_id for each in sampled_ratings(everything.pilot)] == [rated.id]


def test_ratings_of_the_sample_are_read_in_three_queries(everything, django_assert_num_queries):
    for second in range(3):
        everything.call(at=NOON + second * timedelta(seconds=1))
    picked(everything)

    with django_assert_num_queries(3):
        assert len(sampled_ratings(everything.pilot)) == 3
