"""The weekly pulse: four questions that may each be left out."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction

from apps.feedback.daily import NothingToTakeBack, TooLongAgo
from apps.feedback.models import PulseAnswer
from apps.feedback.pulse import (
    TEXTS,
    TOPICS,
    NothingSaid,
    PulseMean,
    PulseQuestion,
    answer_pulse,
    erase_pulse_words,
    pulse_by_week,
    questions,
    skip_pulse,
    withdraw_all_pulses,
    withdraw_pulse,
)
from apps.pilots.trail import PilotClosed
from tests.factories import NOON

MONDAY = date(2026, 11, 16)
FRIDAY = NOON + timedelta(days=2)
LATER = FRIDAY + timedelta(hours=1)


def say(world, *scores, person=None, now=FRIDAY, week=MONDAY, **fields):
    return answer_pulse(
        pilot=world.pilot,
        person=person or world.person,
        week=week,
        scores=dict(zip(TOPICS, scores, strict=False)),
        via="page",
        now=now,
        **fields,
    )


def stored():
    rows = PulseAnswer.objects.order_by("id")
    return list(rows.values_list(*TOPICS, "comment", "skipped_at", "withdrawn_at"))


def test_answers_are_stored_and_may_be_left_out(world):
    said = say(world, 4, None, 2, comment=" fine ")

    assert stored() == [(4, None, 2, None, "fine", None, None)]
    assert (said.week, said.answered_at, said.via) == (MONDAY, FRIDAY, "page")


def test_answering_again_replaces_all_of_it(world):
    say(world, 4, 4, 4, 4, comment="fine")
    again = say(world, None, None, None, 1, now=LATER)

    assert stored() == [(None, None, None, 1, "", None, None)]
    assert (again.answered_at, again.updated_at) == (FRIDAY, LATER)


def test_something_is_answered(world):
    with pytest.raises(NothingSaid):
        say(world, None, None, comment="only words")

    assert stored() == []


@pytest.mark.parametrize("score", [0, 6, 1.5])
def test_scores_are_one_to_five(world, score):
    with pytest.raises(ValueError, match="not scores"):
        say(world, score)


def test_only_the_week_in_view_is_answered(world):
    with pytest.raises(TooLongAgo):
        say(world, 4, week=MONDAY - timedelta(days=7))
    with pytest.raises(TooLongAgo):
        say(world, 4, now=NOON)  # Wednesday: this week's turn comes on Thursday

    say(world, 4, now=NOON + timedelta(days=7))  # up to the Wednesday after


def test_skipping_leaves_a_week_out_and_keeps_what_was_said(world):
    skip_pulse(pilot=world.pilot, person=world.person, week=MONDAY, now=FRIDAY)
    assert stored() == [(None, None, None, None, "", FRIDAY, None)]

    say(world, 3)
    skip_pulse(pilot=world.pilot, person=world.person, week=MONDAY, now=LATER)

    assert stored() == [(3, None, None, None, "", None, None)]


def test_what_is_withdrawn_is_gone(world):
    said = say(world, 3, 3, 3, 3, comment="why")

    withdraw_pulse(answer=said, now=LATER)

    assert stored() == [(None, None, None, None, "", None, LATER)]
    with pytest.raises(NothingToTakeBack):
        withdraw_pulse(answer=said, now=LATER)


def test_a_closed_pilot_takes_nothing_and_gives_back(world):
    said = say(world, 3)
    world.pilot.closed_at = LATER
    world.pilot.save(update_fields=["closed_at"])

    with pytest.raises(PilotClosed):
        say(world, 4, now=LATER)
    with pytest.raises(PilotClosed):
        skip_pulse(pilot=world.pilot, person=world.person, week=MONDAY, now=LATER)
    withdraw_pulse(answer=said, now=LATER)


def test_words_are_erased_and_everything_is_withdrawn_at_once(world):
    say(world, 3, comment="why")
    say(world, 5, person=world.colleague().person, comment="because")

    assert erase_pulse_words(person=world.person) == 1
    assert withdraw_all_pulses(person=world.person, now=LATER) == 1
    assert withdraw_all_pulses(person=world.person, now=LATER) == 0
    assert stored() == [
        (None, None, None, None, "", None, LATER),
        (5, None, None, None, "because", None, None),
    ]


def test_texts_are_the_pilots_own_or_ours(world):
    assert [question.text for question in questions(world.pilot)] == list(TEXTS)

    world.pilot.pulse_questions = ["Own?", "", "Useful?"]
    said = PulseAnswer(trust=4)

    assert questions(world.pilot, said) == [
        PulseQuestion("trust", "Own?", 4),
        PulseQuestion("reliance", TEXTS[1], None),
        PulseQuestion("usefulness", "Useful?", None),
        PulseQuestion("time_saved", TEXTS[3], None),
    ]


def test_means_are_told_of_five_people_and_more(world):
    people = [world.colleague().person for _ in range(5)]
    for score, person in enumerate(people, 1):
        say(world, score, score if score > 1 else None, person=person)
    assert pulse_by_week(world.pilot) == [
        PulseMean(
            MONDAY, 5, {"trust": 3.0, "reliance": None, "usefulness": None, "time_saved": None}
        )
    ]

    withdraw_all_pulses(person=people[0], now=LATER)

    assert pulse_by_week(world.pilot) == []


def test_the_database_takes_one_answer_a_week(world):
    said = say(world, 3)
    said.id = None
    with pytest.raises(IntegrityError, match="once_a_week"), transaction.atomic():
        said.save(force_insert=True)
    with pytest.raises(IntegrityError, match="one_to_five"), transaction.atomic():
        PulseAnswer.objects.update(trust=6)
