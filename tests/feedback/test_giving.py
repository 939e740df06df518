"""What a rating form does that has one address for giving and taking back."""

import pytest
from django.http import QueryDict

from apps.feedback.giving import give_or_withdraw
from tests.factories import NOON
from tests.feedback.conftest import AT, make_world
from tests.feedback.ratings import standing


def send(world, call, said, now=NOON):
    return give_or_withdraw(
        QueryDict(said), call=call, pilot=world.pilot, person=world.person, via="link", now=now
    )


def test_a_form_rates_or_takes_back(world):
    call = world.call()

    assert send(world, call, "rating=up&reason=on&tags=clear&comment=good") == []
    assert standing() == [(1, ["clear"], "good", None)]
    assert send(world, call, "withdraw=on&rating=down", AT) == []
    assert standing() == [(1, [], "", AT)]


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("rating=sideways", "Rate the answer with one of the buttons."),
        ("withdraw=on", "There is no rating to withdraw."),
    ],
)
def test_what_is_wrong_is_told_in_a_sentence(world, said, sentence):
    assert send(world, world.call(), said) == [sentence]
    assert standing() == []


def test_what_the_action_refuses_is_told_too(db):
    world = make_world(closed_at=NOON)

    assert send(world, world.call(), "rating=up") == [
        "This pilot is closed; its ratings no longer change."
    ]
    assert send(world, world.call(source="compare"), "rating=up", NOON) == [
        "Only finished chat, edit and agent turns are rated."
    ]
