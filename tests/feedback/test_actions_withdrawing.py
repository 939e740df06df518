"""Taking back what was said: one rating, all of a person's, or the words alone."""

import pytest

from apps.feedback.actions import NothingToWithdraw, erase_words, rate, withdraw, withdraw_all
from apps.feedback.models import Rating, WaitingRating
from tests.factories import NOON
from tests.feedback.ratings import MINUTE, dirty, history, rated, standing


def test_a_withdrawn_rating_keeps_no_words(world):
    call = world.call()
    rated(world, call, tags=["clear"], comment="old")
    rated(world, call, comment="new", now=NOON + 2 * MINUTE)
    dirty()

    withdraw(call_id=call.id, person=world.person, now=NOON + 3 * MINUTE)

    assert standing() == [(1, [], "", NOON + 3 * MINUTE)]
    assert history() == [(1, [], "", NOON + 2 * MINUTE), (1, [], "", NOON + 3 * MINUTE)]
    assert dirty() == [NOON]


def test_a_withdrawn_rating_may_be_given_again(world):
    call = world.call()
    rated(world, call)
    withdraw(call_id=call.id, person=world.person, now=NOON + 2 * MINUTE)
    dirty()

    rated(world, call, now=NOON + 3 * MINUTE)

    assert standing() == [(1, [], "", None)]
    assert len(history()) == 1  # nothing was said in between
    assert dirty() == [NOON]


def test_withdrawing_works_once_and_for_oneself_only(world):
    call = world.call()
    other = world.colleague()
    rated(world, call)

    with pytest.raises(NothingToWithdraw):
        withdraw(call_id=call.id, person=other.person, now=NOON + 2 * MINUTE)
    withdraw(call_id=call.id, person=world.person, now=NOON + 2 * MINUTE)
    with pytest.raises(NothingToWithdraw):
        withdraw(call_id=call.id, person=world.person, now=NOON + 3 * MINUTE)


def test_a_rating_that_still_waits_is_withdrawn_too(world):
    call = world.call()
    WaitingRating.objects.create(
        call_id=call.id,
        pilot_id=world.pilot.id,
        person=world.person,
        score=1,
        scale="thumbs",
        via="api",
        received_at=NOON,
    )

    withdraw(call_id=call.id, person=world.person, now=NOON + MINUTE)

    assert not WaitingRating.objects.exists()


def test_everything_of_a_person_is_withdrawn_at_once(world):
    other = world.colleague()
    theirs = world.call(person=other.person)
    rate(call=theirs, person=other.person, score=1, scale="thumbs", via="page", now=NOON + MINUTE)
    for minutes in (1, 20):
        rated(
            world, world.call(at=NOON + minutes * MINUTE), comment="words", now=NOON + 30 * MINUTE
        )
    dirty()

    count = withdraw_all(person=world.person, now=NOON + 40 * MINUTE)

    assert count == 2
    assert list(Rating.objects.filter(withdrawn_at=None).values_list("person", flat=True)) == [
        other.person.id
    ]
    assert dirty() == [NOON, NOON + 15 * MINUTE]


def test_words_are_erased_and_scores_stay(world):
    call, plain = world.call(), world.call()
    rated(world, call, tags=["clear"], comment="first")
    rated(world, call, score=0, comment="second", now=NOON + 2 * MINUTE)
    rated(world, plain)

    count = erase_words(person=world.person)

    assert count == 1
    assert standing() == [(0, [], "", None), (1, [], "", None)]
    assert history() == [(1, [], "", NOON + 2 * MINUTE)]
