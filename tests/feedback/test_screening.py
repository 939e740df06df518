"""The screening: answers with names, times and costs, and what they add up to."""

from datetime import timedelta
from decimal import Decimal

import pytest

from apps.feedback import screening
from apps.feedback.answer_text import Block
from apps.feedback.comparison_votes import pick, withdraw_vote
from apps.feedback.screening import Cost, may_see_everybody, people_screening, sums
from apps.pilots.models import Stage
from apps.usage.ingest import store_records
from tests.factories import NOON, make_candidate, make_price, make_record, make_trial
from tests.feedback.comparing import SECOND, make_contest

pytestmark = pytest.mark.django_db
MINUTES = timedelta(minutes=5)


@pytest.fixture
def contest():
    return make_contest(3, stage=Stage.SCREENING)


def asked(contest, *texts, number=0, person=None):
    comparison = contest.screen("W" * 400, now=NOON + number * MINUTES, person=person)
    return contest.answered(comparison, *texts)


def store_call(contest, comparison, candidate, *, completion_tokens):
    """Store the call behind an answer, as the drain does some seconds later."""
    answer = comparison.answers.get(candidate_id=candidate.id)
    record = make_record(
        pilot_id=contest.pilot.id,
        person_id=contest.person.id,
        candidate_id=candidate.id,
        at=comparison.created_at + SECOND,
        prompt_tokens=100,
        completion_tokens=completion_tokens,
        source="compare",
        alias="side-by-side",
    )
    store_records([record])
    comparison.answers.filter(id=answer.id).update(call_id=record.id)


def shown(contest, comparison):
    comparison.refresh_from_db()
    now = NOON + timedelta(minutes=1)
    return screening.screened(comparison, pilot=contest.pilot, now=now)


def test_answers_come_with_name_time_and_an_estimate_until_the_call_is_stored(contest):
    first, second, third = contest.candidates
    # 100 tokens asked, and 100 answered, at $2 and $4 a million.
    make_price(first)
    make_price(third)
    comparison = asked(contest, "x" * 400, "Two.", None)
    store_call(contest, comparison, third, completion_tokens=10)

    found = shown(contest, comparison)

    assert [each.candidate for each in found.answers] == [first, second, third]
    assert [each.blocks for each in found.answers] == [[Block("x" * 400)], [Block("Two.")], []]
    assert [each.problem for each in found.answers] == ["", "", "It did not answer."]
    assert [each.total_ms for each in found.answers] == [1_000, 2_000, 3_000]
    assert [each.cost for each in found.answers] == [
        Cost(Decimal("0.0006"), True),
        Cost(None, True),
        Cost(Decimal("0.000240000000"), False),
    ]
    assert (found.can_pick, found.is_judged, found.has_failed) == (True, False, False)


def test_a_call_without_a_price_costs_nobody_knows_what(contest):
    comparison = asked(contest, "One.", "Two.", "Three.")
    store_call(contest, comparison, contest.candidates[0], completion_tokens=10)

    assert shown(contest, comparison).answers[0].cost == Cost(None, False)


def test_what_was_picked_is_marked(contest):
    comparison = asked(contest, "One.", "Two.", "Three.")
    second = contest.candidates[1]

    pick(comparison=comparison, winner_id=second.id, now=NOON)
    found = shown(contest, comparison)
    assert [each.is_winner for each in found.answers] == [False, True, False]
    assert (found.is_judged, found.has_winner) == (True, True)

    pick(comparison=comparison, winner_id=None, now=NOON + SECOND)
    found = shown(contest, comparison)
    assert (found.is_judged, found.has_winner) == (True, False)

    withdraw_vote(comparison=comparison, now=NOON + 2 * SECOND)
    found = shown(contest, comparison)
    assert (found.is_judged, found.is_withdrawn) == (False, True)


def test_nobody_answering_is_a_failure(contest):
    found = shown(contest, asked(contest, None, None, None))

    assert (found.has_failed, found.can_pick) == (True, False)


def test_while_answers_are_on_their_way_none_is_told(contest):
    comparison = contest.screen()
    comparison.answers.filter(side=0).update(text="x", finished_at=NOON)

    found = shown(contest, comparison)

    assert found.is_waiting
    assert [each.blocks for each in found.answers] == [[], [], []]


def test_sums_count_what_was_shown_picked_and_paid(contest, django_assert_num_queries):
    first, second, third = contest.candidates
    make_price(first)
    picked = [
        asked(contest, "One.", "Two.", None),
        asked(contest, "One.", "Two.", "Three.", number=1),
        asked(contest, "One.", "Two.", "Three.", number=2),
        asked(contest, "One.", "Two.", "Three.", number=3),
    ]
    for comparison, winner in zip(picked, (first, first, None, second), strict=True):
        pick(comparison=comparison, winner_id=winner and winner.id, now=NOON)
    withdraw_vote(comparison=picked[3], now=NOON)
    # On their way, failed, and somebody else's.
    contest.screen(now=NOON + 4 * MINUTES)
    asked(contest, None, None, None, number=5)
    asked(contest, "One.", "Two.", "Three.", person=contest.colleague().person)
    store_call(contest, picked[0], first, completion_tokens=100)
    store_call(contest, picked[1], first, completion_tokens=300)

    with django_assert_num_queries(3):
        mine = sums(contest.pilot, person=contest.person)

    assert [
        (each.candidate, each.shown, each.failed, each.judged, each.picked) for each in mine
    ] == [(first, 4, 0, 3, 2), (second, 4, 0, 3, 0), (third, 3, 1, 2, 0)]
    assert [each.median_ms for each in mine] == [1_000, 2_000, 3_000]
    # 100 in and 100 or 300 out: $0.0006 and $0.0014.
    assert [(each.mean_usd, each.costed) for each in mine] == [
        (Decimal("0.001"), 2),
        (None, 0),
        (None, 0),
    ]
    assert [each.shown for each in sums(contest.pilot)] == [5, 5, 4]


def test_before_anything_was_shown_there_are_no_sums(contest):
    contest.screen()

    assert sums(contest.pilot) == []
    assert people_screening(contest.pilot) == set()


def test_a_candidate_that_came_later_stands_in_its_place(contest):
    late = make_candidate(provider=contest.candidates[0].provider)
    make_trial(contest.pilot, late)
    contest.answered(contest.screen(candidates=[late, contest.candidates[0]]), "One.", "Two.")

    assert [each.candidate for each in sums(contest.pilot)] == [contest.candidates[0], late]


@pytest.mark.parametrize(
    ("is_lead", "named", "others", "is_one_of_them", "expected"),
    [
        # Leads, as of all figures: five people, or a pilot that names them.
        (True, False, 4, False, False),
        (True, False, 5, False, True),
        (True, False, 4, True, True),
        (True, True, 1, False, True),
        # Everybody else can take their own share away.
        (False, False, 4, True, False),
        (False, True, 4, True, False),
        (False, False, 5, True, True),
        (False, False, 0, True, False),
    ],
)
def test_sums_of_few_people_stay_theirs(is_lead, named, others, is_one_of_them, expected):
    contest = make_contest(stage=Stage.SCREENING, people_named=named)
    people = set(range(10_000, 10_000 + others)) | (
        {contest.person.id} if is_one_of_them else set()
    )

    seen = may_see_everybody(contest.pilot, contest.person, is_lead=is_lead, people=people)

    assert seen is expected


def test_people_count_once_their_answers_were_there(contest):
    colleague = contest.colleague().person
    asked(contest, "One.", "Two.", "Three.")
    asked(contest, "One.", "Two.", None, person=colleague)
    contest.screen(person=contest.colleague().person)

    assert people_screening(contest.pilot) == {contest.person.id, colleague.id}
