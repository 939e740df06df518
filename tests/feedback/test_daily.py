"""Asking once a day; answering, correcting, skipping and taking back."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction

from apps.changes.models import DirtySlice
from apps.feedback.daily import (
    ANSWERED_WITHIN,
    NoScore,
    NothingToAsk,
    NothingToTakeBack,
    OtherRole,
    TooLongAgo,
    answer,
    ask,
    erase_reasons,
    skip,
    withdraw,
    withdraw_all,
)
from apps.feedback.models import DailyQuestion, DailyRevision
from apps.feedback.words import BadComment
from apps.pilots.trail import PilotClosed
from tests.factories import NOON
from tests.feedback.days_of_use import HOUR, WEDNESDAY, asked, said

LATER = NOON + HOUR


@pytest.fixture
def question(world):
    world.call()
    return ask(pilot=world.pilot, person=world.person, now=NOON)


@pytest.fixture
def say(world, question):
    def say(score=None, reason=None, *, now=NOON, **fields):
        return answer(
            question=question,
            pilot=world.pilot,
            score=score,
            reason=reason,
            now=now,
            **{"via": "page"} | fields,
        )

    return say


def history():
    rows = DailyRevision.objects.order_by("id")
    return list(rows.values_list("score", "reason", "until"))


def close(world):
    world.pilot.closed_at = NOON
    world.pilot.save(update_fields=["closed_at"])


def test_question_is_asked_once_a_day(world):
    world.call()

    first = ask(pilot=world.pilot, person=world.person, now=NOON)
    again = ask(pilot=world.pilot, person=world.person, now=LATER, channel="email")

    assert first == again
    assert asked() == [(world.person.id, WEDNESDAY, "chat", world.candidate.id, False, "page")]


def test_a_day_without_use_is_not_asked_about(world):
    with pytest.raises(NothingToAsk):
        ask(pilot=world.pilot, person=world.person, now=NOON)

    assert asked() == []


def test_saturday_belongs_to_fridays_question(world):
    saturday = NOON + timedelta(days=3)
    world.call(at=saturday)

    asked_on = ask(pilot=world.pilot, person=world.person, now=saturday)

    assert asked_on.day == date(2026, 11, 20)


def test_nothing_is_asked_once_the_pilot_is_closed(world):
    world.call()
    close(world)

    with pytest.raises(PilotClosed):
        ask(pilot=world.pilot, person=world.person, now=NOON)


def test_answer_is_stored_and_marks_nothing(world, say):
    DirtySlice.objects.all().delete()

    answered = say(4, " quick ", now=LATER)

    assert said() == [(4, "quick", None, None)]
    assert (answered.answered_at, answered.updated_at, answered.via) == (LATER, LATER, "page")
    assert history() == []
    assert not DirtySlice.objects.exists()


def test_correcting_keeps_what_was_said(say):
    say(4, "quick")
    corrected = say(2, now=LATER, via="link")

    assert said() == [(2, "quick", None, None)]
    assert history() == [(4, "quick", LATER)]
    assert (corrected.answered_at, corrected.updated_at, corrected.via) == (NOON, LATER, "link")


def test_saying_the_same_again_changes_nothing(say):
    say(4, "quick")
    again = say(4, now=LATER)

    assert history() == []
    assert again.updated_at == NOON


def test_a_reason_alone_keeps_the_score_and_an_empty_one_erases_all_words(say):
    say(4, "quick")
    say(reason="slow", now=LATER)
    assert said() == [(4, "slow", None, None)]

    say(reason="", now=LATER)

    assert said() == [(4, "", None, None)]
    assert history() == [(4, "", LATER), (4, "", LATER)]


@pytest.mark.parametrize("score", [None, 0, 6, -1])
def test_only_one_to_five_is_an_answer(say, score):
    with pytest.raises(NoScore):
        say(score, "why")

    assert said() == [(None, "", None, None)]


def test_reasons_are_plain_and_short(say):
    with pytest.raises(BadComment):
        say(4, "a\x00b")
    with pytest.raises(BadComment):
        say(4, "a" * 2001)

    assert said() == [(None, "", None, None)]


def test_an_answer_for_another_role_is_refused(say):
    with pytest.raises(OtherRole):
        say(4, role="edit")

    assert say(4, role="chat").score == 4


def test_skipping_leaves_the_day_out_until_it_is_answered(world, question, say):
    skip(question=question, pilot=world.pilot, now=NOON)
    assert said() == [(None, "", NOON, None)]

    say(3, now=LATER)

    assert said() == [(3, "", None, None)]


def test_an_answer_is_not_skipped(world, question, say):
    say(3)

    skip(question=question, pilot=world.pilot, now=LATER)

    assert said() == [(3, "", None, None)]


def test_what_is_withdrawn_counts_nowhere_and_loses_its_words(question, say):
    say(3, "one")
    say(4, "two", now=LATER)

    withdraw(question=question, now=LATER)

    assert said() == [(None, "", None, LATER)]
    assert history() == [(3, "", LATER), (4, "", LATER)]
    with pytest.raises(NothingToTakeBack):
        withdraw(question=question, now=LATER)
    assert say(5, now=LATER).withdrawn_at is None


def test_answers_are_taken_for_a_week(say):
    last = NOON + ANSWERED_WITHIN

    assert say(3, now=last).score == 3
    with pytest.raises(TooLongAgo):
        say(4, now=last + timedelta(days=1))


def test_a_closed_pilot_takes_no_answers_and_gives_them_back(world, question, say):
    say(3)
    close(world)

    with pytest.raises(PilotClosed):
        say(4, now=LATER)
    with pytest.raises(PilotClosed):
        skip(question=question, pilot=world.pilot, now=LATER)
    withdraw(question=question, now=LATER)

    assert said() == [(None, "", None, LATER)]


def test_everything_is_withdrawn_at_once_and_only_ones_own(world, say):
    say(3)
    other = world.colleague().person
    world.call(person=other)
    theirs = ask(pilot=world.pilot, person=other, now=NOON)
    answer(question=theirs, pilot=world.pilot, score=5, via="page", now=NOON)

    assert withdraw_all(person=world.person, now=LATER) == 1
    assert withdraw_all(person=world.person, now=LATER) == 0
    assert said() == [(None, "", None, LATER), (5, "", None, None)]


def test_reasons_are_erased_and_scores_stay(world, say):
    say(3, "one")
    say(4, "two", now=LATER)

    assert erase_reasons(person=world.person) == 1
    assert said() == [(4, "", None, None)]
    assert history() == [(3, "", LATER)]


@pytest.mark.parametrize("score", [0, 6])
def test_the_database_takes_one_to_five_alone(question, score):
    with pytest.raises(IntegrityError, match="one_to_five"), transaction.atomic():
        DailyQuestion.objects.update(score=score)


def test_the_database_takes_one_question_a_day(question):
    question.id = None
    with pytest.raises(IntegrityError, match="once_a_day"), transaction.atomic():
        question.save(force_insert=True)
