"""Votes as data, and comparisons as their author may see them."""

import random
from datetime import timedelta

import pytest
from cryptography.fernet import Fernet

from apps.feedback import comparison_queries
from apps.feedback.answer_text import Block
from apps.feedback.comparison_queries import (
    FAILURES,
    TRY_AGAIN,
    Own,
    Side,
    Vote,
    own_comparison,
    own_votes,
    votes_of,
)
from apps.feedback.comparison_votes import erase_prompts, pick, vote, withdraw_vote
from apps.feedback.comparisons import ANSWERED_WITHIN
from apps.pilots.models import Stage
from tests.factories import NOON, make_pilot
from tests.feedback.comparing import SECOND, make_contest

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def contest():
    return make_contest()


def shown(contest, comparison, now=NOON + 30 * SECOND):
    comparison.refresh_from_db()
    return comparison_queries.shown(comparison, pilot=contest.pilot, now=now)


def test_votes_are_told_with_sides_lengths_and_flags(contest):
    expected = []
    for seed, outcome in enumerate(("left", "right", "tie", "both_bad")):
        person = contest.colleague().person
        second = "I am Claude." if outcome == "tie" else "Longer."
        asked = contest.answered(
            contest.ask(person=person, chance=random.Random(seed)), "Brief", second
        )
        now = NOON + (seed + 1) * HOUR
        vote(comparison=asked, outcome=outcome, now=now)
        sides = asked.answers.order_by("side").values_list("candidate_id", flat=True)
        is_flagged = outcome == "tie"
        expected.append(Vote(person.id, *sides, outcome, 5, len(second), is_flagged, now, now))

    assert votes_of(contest.pilot, "chat") == expected


def test_votes_that_do_not_count_are_left_out(contest, django_assert_num_queries):
    withdrawn = contest.ready()
    vote(comparison=withdrawn, outcome="left", now=NOON)
    withdraw_vote(comparison=withdrawn, now=NOON + SECOND)
    contest.ready(person=contest.colleague().person)
    elsewhere = make_contest().ready()
    vote(comparison=elsewhere, outcome="left", now=NOON)
    for_agents = contest.ready(role="agent", now=NOON + HOUR)
    vote(comparison=for_agents, outcome="left", now=NOON + 2 * HOUR)

    with django_assert_num_queries(1):
        assert votes_of(contest.pilot, "chat") == []
    assert [each.outcome for each in votes_of(contest.pilot, "agent")] == ["left"]


def test_a_changed_vote_is_told_as_it_stands_at_the_time_it_was_first_given(contest):
    asked = contest.ready()
    vote(comparison=asked, outcome="left", now=NOON + HOUR)
    vote(comparison=asked, outcome="tie", now=NOON + 2 * HOUR)

    (told,) = votes_of(contest.pilot, "chat")
    assert (told.outcome, told.voted_at) == ("tie", NOON + HOUR)
    assert told.updated_at == NOON + 2 * HOUR


def test_while_answers_are_on_their_way_nothing_of_them_is_told(contest):
    asked = contest.ask("Wozu?")
    # What a worker could only have stored by a fault.
    asked.answers.filter(side=0).update(finished_at=NOON, length=7, text="x", error="late")

    found = shown(contest, asked)

    assert (found.is_waiting, found.is_ready, found.can_vote) == (True, False, False)
    assert (found.sides, found.problem, found.prompt) == ([], "", "Wozu?")


def test_answers_are_told_without_anything_of_who_gave_them(contest):
    found = shown(contest, contest.ready("So:\n```py\n1\n```", "Two."))

    assert found.sides == [
        Side("A", [Block("So:"), Block("1", True, "py")]),
        Side("B", [Block("Two.")]),
    ]
    assert (found.is_ready, found.can_vote, found.outcome, found.words) == (True, True, "", "")


def test_a_comparison_that_nobody_answered_in_time_has_failed(contest):
    found = shown(contest, contest.ask(), now=NOON + ANSWERED_WITHIN)

    assert (found.is_waiting, found.problem) == (False, TRY_AGAIN)


@pytest.mark.parametrize(
    ("problem", "sentence"),
    [
        ("failed", TRY_AGAIN),
        ("late", TRY_AGAIN),
        ("empty", TRY_AGAIN),
        ("unreachable", TRY_AGAIN),
        *FAILURES.items(),
    ],
)
@pytest.mark.parametrize("which", [0, 1])
def test_a_failure_never_says_which_of_the_two_it_was(contest, problem, sentence, which):
    asked = contest.answered(contest.ask(), "One.", "Two.", problem=problem)
    asked.answers.filter(side=which).update(error="")

    found = shown(contest, asked)

    assert (found.problem, found.sides, found.can_vote) == (sentence, [], False)


def test_a_vote_is_shown_until_it_is_withdrawn(contest):
    asked = contest.ready()
    vote(comparison=asked, outcome="both_bad", now=NOON + HOUR)
    found = shown(contest, asked)
    assert (found.outcome, found.words, found.can_vote) == ("both_bad", "Both are bad", True)

    withdraw_vote(comparison=asked, now=NOON + 2 * HOUR)
    found = shown(contest, asked)

    assert (found.outcome, found.words, found.is_withdrawn) == ("", "", True)


def test_erased_answers_are_told_as_such(contest):
    asked = contest.ready()
    erase_prompts(person=contest.person)

    found = shown(contest, asked)

    assert (found.is_emptied, found.can_vote, found.prompt) == (True, False, "")
    assert [side.blocks for side in found.sides] == [[], []]


def test_words_whose_key_is_gone_are_as_good_as_erased(contest, settings):
    asked = contest.ready()
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]

    found = shown(contest, asked)

    assert (found.prompt, [side.blocks for side in found.sides]) == ("", [[], []])
    assert (found.is_emptied, found.can_vote) == (True, False)


def test_nobody_elses_comparison_exists(contest):
    asked = contest.ready()

    def own(**fields):
        whose = {"pilot": contest.pilot, "person": contest.person, "is_blind": True} | fields
        return own_comparison(asked.id, **whose)

    assert own() == asked
    assert own(person=contest.colleague().person) is None
    assert own(pilot=make_pilot()) is None
    assert own(is_blind=False) is None


def test_the_last_ones_are_listed_with_their_first_words(contest, django_assert_num_queries):
    for number in range(12):
        contest.ready(prompt=f"Number {number}\n" + "x" * 200, now=NOON + number * HOUR)
    contest.ready(person=contest.colleague().person)

    with django_assert_num_queries(1):
        found = comparison_queries.recent(
            pilot=contest.pilot, person=contest.person, now=NOON + 12 * HOUR, is_blind=True
        )

    assert [each.at for each in found] == [NOON + n * HOUR for n in range(11, 1, -1)]
    assert found[0].beginning == "Number 11 " + "x" * 79 + "…"
    assert len(found[0].beginning) == 90


def test_what_was_picked_in_the_screening_is_named():
    contest = make_contest(3, stage=Stage.SCREENING)
    for number, winner in enumerate((contest.candidates[1], None)):
        asked = contest.screen(now=NOON + number * HOUR)
        contest.answered(asked, "One.", "Two.", "Three.")
        pick(comparison=asked, winner_id=winner and winner.id, now=NOON + number * HOUR)
    contest.screen(now=NOON + 2 * HOUR)

    found = comparison_queries.recent(
        pilot=contest.pilot, person=contest.person, now=NOON + 3 * HOUR, is_blind=False
    )

    assert [each.words for each in found] == ["", "None is good", contest.candidates[1].name]


def test_ones_votes_and_what_is_left_of_the_day_are_counted(contest):
    for number in range(3):
        asked = contest.ready(now=NOON + number * HOUR)
        vote(comparison=asked, outcome="tie", now=NOON + 5 * HOUR)
    withdraw_vote(comparison=asked, now=NOON + 6 * HOUR)

    now = NOON + timedelta(hours=24, minutes=30)

    own = own_votes(pilot=contest.pilot, person=contest.person, now=now)
    assert own == Own(votes=2, left_today=48)
