"""Comparisons from the prompt to the answers."""

import random
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import IntegrityError

from apps.core.secrets import open_token
from apps.feedback.comparisons import (
    ANSWERED_WITHIN,
    KEPT_FOR,
    MOST_PER_DAY,
    EnoughForToday,
    NotOpen,
    NotTakingPart,
    NotToBeCompared,
    OneIsRunning,
    give_up,
    is_running,
)
from apps.feedback.contestants import NobodyToCompare
from apps.feedback.models import ComparedAnswer, Comparison
from apps.pilots.models import Enrollment, Stage
from tests.factories import NOON, make_candidate, make_person
from tests.feedback.comparing import SECOND, make_contest, texts

DAY = timedelta(days=1)

pytestmark = pytest.mark.django_db


@pytest.fixture
def contest():
    return make_contest()


@pytest.fixture
def screening():
    return make_contest(3, stage=Stage.SCREENING)


def test_a_blind_comparison_asks_two_on_sides_left_to_chance(contest):
    sides = {
        tuple(
            contest.ask(person=contest.colleague().person, chance=random.Random(seed))
            .answers.order_by("side")
            .values_list("candidate_id", flat=True)
        )
        for seed in range(10)
    }

    one, other = (each.id for each in contest.candidates)
    assert sides == {(one, other), (other, one)}


def test_the_prompt_is_stored_sealed_and_for_thirty_days(contest):
    asked = Comparison.objects.get(id=contest.ask("Wozu? 🎉\n\ttab").id)

    assert "Wozu" not in asked.prompt
    assert open_token(asked.prompt, settings.ENCRYPTION_KEYS) == "Wozu? 🎉\n\ttab"
    assert (asked.is_blind, asked.role) == (True, "chat")
    assert asked.expires_at == NOON + KEPT_FOR == NOON + timedelta(days=30)


def test_side_by_side_asks_those_who_were_chosen_in_their_order(screening):
    chosen = [screening.candidates[2], screening.candidates[0]]

    asked = screening.screen(candidates=chosen)

    rows = asked.answers.order_by("side").values_list("candidate_id", flat=True)
    assert list(rows) == [screening.candidates[0].id, screening.candidates[2].id]
    assert asked.is_blind is False


@pytest.mark.parametrize("case", ["one alone", "a stranger", "nine"])
def test_side_by_side_refuses_who_may_not_be_compared(screening, case):
    chosen = {
        "one alone": screening.candidates[:1] * 2,
        "a stranger": [screening.candidates[0], make_candidate()],
        "nine": make_contest(9, stage=Stage.SCREENING).candidates,
    }[case]

    with pytest.raises(NotToBeCompared):
        screening.screen(candidates=chosen)

    assert Comparison.objects.count() == 0


def test_eight_at_once_are_asked():
    screening = make_contest(8, stage=Stage.SCREENING)

    assert screening.screen().answers.count() == 8


@pytest.mark.parametrize(
    "change",
    [
        {"started_at": None},
        {"closed_at": NOON - DAY},
        {"unblinded_at": NOON - DAY},
        {"starts_on": NOON.date() + DAY},
        {"stage": Stage.SCREENING},
    ],
)
def test_nothing_is_compared_blind_while_the_pilot_is_not_open_for_it(change):
    contest = make_contest(**change)

    with pytest.raises(NotOpen):
        contest.ask()

    assert Comparison.objects.count() == 0


def test_a_trial_shows_no_names_beside_answers(contest):
    with pytest.raises(NotOpen):
        contest.screen()


def test_only_those_who_take_part_compare(contest):
    with pytest.raises(NotTakingPart):
        contest.ask(person=make_person())
    Enrollment.objects.filter(person=contest.person).update(left_at=NOON)
    with pytest.raises(NotTakingPart):
        contest.ask()


def test_with_one_candidate_nothing_is_compared():
    with pytest.raises(NobodyToCompare):
        make_contest(1).ask()


def test_one_runs_at_a_time(contest):
    first = contest.ask()
    with pytest.raises(OneIsRunning):
        contest.ask(now=NOON + ANSWERED_WITHIN - SECOND)
    contest.answered(first, "One.", "Two.")

    contest.ask(now=NOON + 20 * SECOND)
    # Somebody else's is no hindrance, and one that nobody has answered is over at last.
    contest.ask(person=contest.colleague().person)
    contest.ask(now=NOON + 20 * SECOND + ANSWERED_WITHIN)

    assert Comparison.objects.count() == 4


def test_a_day_allows_so_many(contest):
    for number in range(MOST_PER_DAY):
        contest.ready(now=NOON + number * timedelta(minutes=5))

    with pytest.raises(EnoughForToday):
        contest.ask(now=NOON + DAY - SECOND)
    contest.ask(now=NOON + DAY)


def test_answers_are_stored_sealed_and_together(contest):
    asked = contest.answered(contest.ask(), "Grüße", "Ich bin Claude.\x00")

    assert asked.ready_at == NOON + 10 * SECOND
    assert asked.failed_at is None
    rows = asked.answers.order_by("side").values_list(
        "length", "names_itself", "first_content_ms", "total_ms", "error", "finished_at"
    )
    assert list(rows) == [
        (5, False, 200, 1_000, "", asked.ready_at),
        (15, True, 200, 2_000, "", asked.ready_at),
    ]
    assert texts(asked) == ["Grüße", "Ich bin Claude."]
    assert not ComparedAnswer.objects.filter(text__contains="Claude").exists()
    assert all(asked.answers.values_list("call_id", flat=True))


@pytest.mark.parametrize("said", [("One.", None), (None, "Two."), (None, None)])
def test_a_blind_comparison_fails_with_either_answer_and_keeps_none(contest, said):
    asked = contest.answered(contest.ask(), *said)

    assert (asked.ready_at, asked.failed_at) == (None, NOON + 10 * SECOND)
    assert texts(asked) == ["", ""]
    errors = asked.answers.order_by("side").values_list("error", flat=True)
    assert list(errors) == ["" if text else "failed" for text in said]


def test_side_by_side_goes_on_without_who_failed(screening):
    asked = screening.answered(screening.screen(), "One.", None, "Three.")

    assert (asked.ready_at, asked.failed_at) == (NOON + 10 * SECOND, None)
    assert texts(asked) == ["One.", "", "Three."]


def test_side_by_side_fails_where_nobody_answers(screening):
    asked = screening.answered(screening.screen(), None, None, None)

    assert (asked.ready_at, asked.failed_at) == (None, NOON + 10 * SECOND)


def test_answers_that_come_too_late_or_twice_change_nothing(contest):
    late = contest.answered(contest.ask(), "One.", "Two.", now=NOON + ANSWERED_WITHIN)
    assert (late.ready_at, texts(late)) == (None, ["", ""])

    once = contest.ready(now=NOON + ANSWERED_WITHIN)
    again = contest.answered(once, "Other.", "Words.", now=NOON + ANSWERED_WITHIN + 20 * SECOND)

    assert texts(again) == ["One.", "Two."]


def test_giving_up_ends_the_wait_and_no_more(contest):
    asked = contest.ask()
    assert is_running(asked, now=NOON + ANSWERED_WITHIN - SECOND)
    assert not is_running(asked, now=NOON + ANSWERED_WITHIN)

    give_up(comparison_id=asked.id, now=NOON + SECOND)
    asked.refresh_from_db()
    assert asked.failed_at == NOON + SECOND
    assert not is_running(asked, now=NOON + SECOND)

    ready = contest.ready(now=NOON + 2 * SECOND)
    give_up(comparison_id=ready.id, now=NOON + 30 * SECOND)
    ready.refresh_from_db()
    assert ready.failed_at is None


@pytest.mark.parametrize("twice", ["side", "candidate_id"])
def test_a_side_and_a_candidate_stand_once_in_a_comparison(contest, twice):
    asked = contest.ask()
    standing = asked.answers.get(side=0)
    fields = {"side": 7, "candidate_id": 99} | {twice: getattr(standing, twice)}

    with pytest.raises(IntegrityError):
        ComparedAnswer.objects.create(comparison=asked, **fields)


def test_a_vote_needs_answers(contest):
    with pytest.raises(IntegrityError):
        Comparison.objects.filter(id=contest.ask().id).update(voted_at=NOON)
