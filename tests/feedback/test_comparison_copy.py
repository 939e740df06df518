"""What a person's own copy holds of their comparisons."""

from datetime import timedelta

import pytest

from apps.feedback.comparison_copy import comparisons_of
from apps.feedback.comparison_votes import vote
from apps.pilots.models import Stage
from tests.factories import NOON
from tests.feedback.comparing import make_contest

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(hours=1)


def test_a_copy_holds_the_words_and_not_who_answered():
    contest = make_contest()
    asked = contest.ready()
    contest.ready(person=contest.colleague().person)
    vote(comparison=asked, outcome="left", now=LATER)
    vote(comparison=asked, outcome="tie", now=LATER + timedelta(minutes=1))

    (told,) = comparisons_of(contest.person)

    assert (told["id"], told["pilot"], told["outcome"]) == (asked.id, contest.pilot.slug, "tie")
    assert told["prompt"] == "Why?"
    assert told["answers"] == [{"side": 0, "text": "One."}, {"side": 1, "text": "Two."}]
    assert [each["outcome"] for each in told["earlier_votes"]] == ["left"]


def test_after_the_unblinding_it_says_who_answered():
    contest = make_contest()
    asked = contest.ready()
    contest.pilot.unblinded_at = LATER
    contest.pilot.save(update_fields=["unblinded_at"])

    (told,) = comparisons_of(contest.person)

    sides = asked.answers.order_by("side").values_list("candidate_id", "total_ms", "error")
    assert [
        (each["candidate_id"], each["total_ms"], each["error"]) for each in told["answers"]
    ] == list(sides)


@pytest.mark.parametrize("count", [1, 3])
def test_a_copy_asks_the_same_queries_for_any_number(count, django_assert_num_queries):
    contest = make_contest(stage=Stage.SCREENING)
    for number in range(count):
        asked = contest.screen(now=NOON + number * timedelta(minutes=5))
        contest.answered(asked, "One.", "Two.")

    with django_assert_num_queries(4):
        told = comparisons_of(contest.person)

    assert len(told) == count
    assert told[0]["answers"][0]["candidate_id"] == contest.candidates[0].id
