"""What people say of days and weeks, and that what is refused stores nothing."""

from datetime import date

import pytest

from apps.feedback.models import PulseAnswer
from apps.feedback.saying import say_of_day, say_of_week
from tests.factories import NOON
from tests.feedback.days_of_use import WEDNESDAY, said

LAST_WEEK = date(2026, 11, 9)


def of_day(world, **fields):
    given = {"day": WEDNESDAY, "role": "chat", "score": None, "reason": None, "do": ""} | fields
    return say_of_day(given, pilot=world.pilot, person=world.person, via="page", now=NOON)


def of_week(world, **fields):
    given = {"week": LAST_WEEK, "comment": "", "do": ""} | fields
    scores = {"trust": 4, "reliance": None, "usefulness": None, "time_saved": None}
    return say_of_week(given, scores, pilot=world.pilot, person=world.person, via="page", now=NOON)


@pytest.mark.usefixtures("valkey")
def test_a_day_is_answered_and_withdrawn(world):
    world.call()

    assert of_day(world, score=4, reason="quick") == []
    assert said() == [(4, "quick", None, None)]
    assert of_day(world, do="withdraw") == []
    assert said() == [(None, "", None, NOON)]


def test_a_refused_answer_asks_nobody_either(world):
    world.call()

    assert of_day(world, do="withdraw") == ["There is no answer to withdraw."]
    assert said() == []


@pytest.mark.usefixtures("valkey")
def test_a_week_is_answered_and_withdrawn_once(world):
    assert of_week(world) == []
    assert PulseAnswer.objects.get().trust == 4
    assert of_week(world, do="withdraw") == []
    assert of_week(world, do="withdraw") == ["There is no answer to withdraw."]
