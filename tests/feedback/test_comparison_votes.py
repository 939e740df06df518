"""Votes: given, changed, taken back; and how the words go."""

from datetime import timedelta

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from apps.accounts.departures import erase
from apps.catalog.actions import rotate_credentials
from apps.core.secrets import open_token
from apps.feedback.comparison_votes import (
    NoMoreVotes,
    NotReady,
    NotShown,
    NoVote,
    empty_expired,
    erase_prompts,
    pick,
    vote,
    withdraw_vote,
    withdraw_votes,
)
from apps.feedback.comparisons import KEPT_FOR
from apps.feedback.models import Comparison, Outcome, VoteRevision
from apps.pilots.models import Stage
from tests.factories import NOON
from tests.feedback.comparing import SECOND, make_contest, texts

AT, LATER, LATEST = (NOON + n * 20 * SECOND for n in (1, 2, 3))


@pytest.fixture
def contest(db):
    return make_contest()


@pytest.fixture
def screening(db):
    return make_contest(3, stage=Stage.SCREENING)


def stored(comparison):
    return Comparison.objects.values_list(
        "outcome", "winner_id", "voted_at", "updated_at", "withdrawn_at"
    ).get(id=comparison.id)


def history():
    return list(VoteRevision.objects.order_by("id").values_list("outcome", "winner_id", "until"))


@pytest.mark.parametrize("outcome", Outcome.values)
def test_a_vote_is_stored(contest, outcome):
    asked = contest.ready()

    vote(comparison=asked, outcome=outcome, now=AT)

    assert stored(asked) == (outcome, None, AT, AT, None)
    assert history() == []


def test_a_vote_is_changed_and_what_it_was_is_kept(contest):
    asked = contest.ready()
    for outcome, now in (("left", AT), ("left", LATER), ("tie", LATEST)):
        vote(comparison=asked, outcome=outcome, now=now)

    assert stored(asked) == ("tie", None, AT, LATEST, None)
    assert history() == [("left", None, LATEST)]


def test_a_vote_is_withdrawn_and_given_again(contest):
    asked = contest.ready()
    vote(comparison=asked, outcome="right", now=AT)

    withdraw_vote(comparison=asked, now=LATER)
    assert stored(asked) == ("right", None, AT, LATER, LATER)
    with pytest.raises(NoVote):
        withdraw_vote(comparison=asked, now=LATEST)
    vote(comparison=asked, outcome="right", now=LATEST)

    assert stored(asked) == ("right", None, AT, LATEST, None)
    assert history() == [("right", None, LATER)]


def test_without_a_vote_there_is_nothing_to_withdraw(contest):
    with pytest.raises(NoVote):
        withdraw_vote(comparison=contest.ready(), now=AT)


@pytest.mark.parametrize("case", ["on its way", "failed", "emptied"])
def test_what_cannot_be_read_is_not_judged(contest, case):
    asked = contest.ask()
    if case == "failed":
        asked = contest.answered(asked, "One.", None)
    if case == "emptied":
        asked = contest.answered(asked, "One.", "Two.")
        erase_prompts(person=contest.person)

    with pytest.raises(NotReady):
        vote(comparison=asked, outcome="left", now=AT)

    assert stored(asked) == ("", None, None, None, None)


@pytest.mark.parametrize("end", ["closed_at", "unblinded_at"])
def test_votes_end_where_everybody_may_know_and_can_still_be_withdrawn(contest, end):
    asked = contest.ready()
    vote(comparison=asked, outcome="left", now=AT)
    setattr(contest.pilot, end, LATER)
    contest.pilot.save(update_fields=[end])

    with pytest.raises(NoMoreVotes):
        vote(comparison=asked, outcome="right", now=LATEST)
    assert stored(asked) == ("left", None, AT, AT, None)
    withdraw_vote(comparison=asked, now=LATEST)

    assert stored(asked)[-1] == LATEST


def test_an_outcome_that_is_none_is_no_vote(contest):
    with pytest.raises(ValueError, match="best"):
        vote(comparison=contest.ready(), outcome="best", now=AT)


def test_the_best_is_picked_or_nobody(screening):
    asked = screening.answered(screening.screen(), "One.", None, "Three.")
    first, failed, third = (each.id for each in screening.candidates)

    pick(comparison=asked, winner_id=third, now=AT)
    assert stored(asked) == ("", third, AT, AT, None)
    pick(comparison=asked, winner_id=None, now=LATER)
    assert stored(asked) == ("", None, AT, LATER, None)
    with pytest.raises(NotShown):
        pick(comparison=asked, winner_id=failed, now=LATEST)
    pick(comparison=asked, winner_id=first, now=LATEST)

    assert stored(asked) == ("", first, AT, LATEST, None)
    assert history() == [("", third, LATER), ("", None, LATEST)]


def test_all_votes_of_one_person_are_withdrawn_at_once(contest):
    other = contest.ready(person=contest.colleague().person)
    mine = [contest.ready(now=NOON + n * timedelta(minutes=5)) for n in range(3)]
    for asked in [other, *mine]:
        vote(comparison=asked, outcome="tie", now=NOON + timedelta(hours=1))
    withdraw_vote(comparison=mine[0], now=NOON + timedelta(hours=2))

    assert withdraw_votes(person=contest.person, now=NOON + timedelta(hours=3)) == 2
    standing = Comparison.objects.filter(voted_at__isnull=False, withdrawn_at__isnull=True)
    assert list(standing) == [other]
    assert len(history()) == 3


def test_words_are_erased_and_votes_stay(contest):
    other = contest.ready(person=contest.colleague().person)
    mine = contest.ready()
    vote(comparison=mine, outcome="left", now=AT)

    assert [erase_prompts(person=contest.person) for _ in range(2)] == [1, 0]

    mine.refresh_from_db()
    assert (mine.prompt, texts(mine)) == ("", ["", ""])
    assert stored(mine)[0] == "left"
    assert texts(other) == ["One.", "Two."]
    assert list(mine.answers.order_by("side").values_list("length", flat=True)) == [4, 4]


def test_words_go_when_their_time_is_over_and_the_vote_stays(contest):
    asked = contest.ready()
    vote(comparison=asked, outcome="left", now=AT)

    assert empty_expired(now=NOON + KEPT_FOR - SECOND) == 0
    assert texts(asked) == ["One.", "Two."]
    assert [empty_expired(now=NOON + KEPT_FOR) for _ in range(2)] == [1, 0]

    asked.refresh_from_db()
    assert (asked.prompt, texts(asked), asked.outcome) == ("", ["", ""], "left")


def test_words_go_with_the_person(contest):
    asked = contest.ready()
    vote(comparison=asked, outcome="left", now=AT)

    erase(person=contest.person, actor=None, now=LATER)

    asked.refresh_from_db()
    assert (asked.prompt, texts(asked), asked.outcome) == ("", ["", ""], "left")


def test_words_are_sealed_again_with_the_newest_key(contest, settings):
    asked = contest.ready()
    newest, old = Fernet.generate_key().decode(), settings.ENCRYPTION_KEYS
    settings.ENCRYPTION_KEYS = [newest, *old]

    assert rotate_credentials(now=LATER) == 3

    settings.ENCRYPTION_KEYS = [newest]
    asked.refresh_from_db()
    assert open_token(asked.prompt, [newest]) == "Why?"
    assert texts(asked) == ["One.", "Two."]


def test_words_that_no_key_opens_hold_up_no_rotation(contest, settings):
    asked = contest.ready()
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]

    rotate_credentials(now=LATER)

    asked.refresh_from_db()
    assert (asked.prompt, texts(asked)) == ("", ["", ""])


class TestAnyOrder(TestCase):
    @examples(max_examples=25, deadline=None)
    @given(st.lists(st.sampled_from([*Outcome.values, "withdraw"]), max_size=8))
    def test_the_last_word_stands_whatever_came_before(self, said):
        asked = make_contest().ready()
        last = ""
        for number, word in enumerate(said):
            now = NOON + (number + 20) * SECOND
            if word == "withdraw":
                if last:
                    withdraw_vote(comparison=asked, now=now)
                last = ""
            else:
                vote(comparison=asked, outcome=word, now=now)
                last = word

        outcome, _, _, _, withdrawn_at = stored(asked)
        assert (outcome if withdrawn_at is None else "") == last
