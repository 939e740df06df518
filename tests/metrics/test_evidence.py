from datetime import timedelta
from uuid import uuid4

import pytest

from apps.accounts.models import Role
from apps.core.intervals import wilson
from apps.feedback import daily
from apps.feedback.models import DailyQuestion, IdeEvent, Rating, SampledAnswer
from apps.metrics.arms import Arms
from apps.metrics.evidence import evidence_of
from apps.metrics.standing import DayRow
from tests.factories import NOON, make_user
from tests.metrics.made_trials import (
    FIRST,
    answer_days,
    complete_days,
    make_role,
    noon,
    turn,
    vote,
    working_days,
)

pytestmark = pytest.mark.django_db


def evidence(pilot, role="chat", measure="daily"):
    return evidence_of(pilot, role, measure, Arms(pilot, role))


def test_an_answer_is_a_day_with_whom_it_had_assigned():
    pilot, (a, b), (one, other), rotation = make_role(people=2)
    answer_days(pilot, [one, other], rotation, [FIRST], {a.id: (4,), b.id: (4,)})

    found = evidence(pilot)

    assert sorted(found.days, key=lambda row: row.person_id) == [
        DayRow(each.id, FIRST, turn(rotation, each, FIRST), 4.0, given_on=FIRST)
        for each in (one, other)
    ]
    assert (found.is_blind, found.people) == (True, {one.id, other.id})


def test_where_somebody_takes_turns_days_of_ones_own_choice_do_not_count():
    pilot, (a, b), raters, rotation = make_role(people=2)
    answer_days(pilot, raters, rotation, working_days(2), {a.id: (4,), b.id: (4,)})
    DailyQuestion.objects.filter(day=FIRST).update(is_blind=False)

    found = evidence(pilot)

    assert (len(found.days), found.asked) == (2, 2)


def test_completions_of_a_day_are_one_row_weighted_by_what_was_shown():
    pilot, (a, b), (one,), rotation = make_role(people=1, role="completion", measure="acceptance")
    complete_days(pilot, [one], rotation, [FIRST], {a.id: 5, b.id: 5})
    outside = IdeEvent.objects.first()
    outside.pk, outside.digest, outside.day = None, "before", FIRST - timedelta(days=3)
    outside.save()

    found = evidence(pilot, "completion", "acceptance")

    assert found.days == [DayRow(one.id, FIRST, turn(rotation, one, FIRST), 0.25, 20)]
    assert (found.asked, found.answered, found.swapped) == (1, 1, 0.0)


def test_votes_on_answers_that_name_their_model_are_flagged_and_left_out():
    pilot, (a, b), (one,), _ = make_role(people=1, measure="wins")
    vote(pilot, one, a, b, "left", FIRST)
    vote(pilot, one, a, b, "left", FIRST, names_itself=True)
    vote(pilot, one, b, a, "both_bad", FIRST)
    withdrawn = vote(pilot, one, a, b, "left", FIRST)
    withdrawn.withdrawn_at = NOON
    withdrawn.save()
    vote(pilot, one, a, b, "left", FIRST, role="edit")

    found = evidence(pilot, measure="wins")

    assert {(row.left_id, row.right_id, row.outcome) for row in found.votes} == {
        (a.id, b.id, "left"),
        (b.id, a.id, "both_bad"),
    }
    assert len(found.votes) == 2
    assert (found.flagged, found.asked, found.answered) == (1, 4, 3)
    assert (found.left, found.both_bad) == (wilson(1, 1), 0.5)
    assert found.met == {a.id, b.id}


def test_who_votes_left_always_is_told():
    pilot, (a, b), (one, other), _ = make_role(people=2, measure="wins")
    for number in range(5):
        vote(pilot, one, a, b, "left", FIRST)
        vote(pilot, other, a, b, "left" if number else "right", FIRST)

    assert evidence(pilot, measure="wins").extreme == 1


@pytest.mark.parametrize("role", [Role.ADMIN, Role.LEAD, Role.VIEWER])
@pytest.mark.parametrize("measure", ["daily", "wins"])
def test_who_sees_results_is_counted_apart(role, measure):
    pilot, (a, b), raters, rotation = make_role(people=3, measure=measure)
    make_user(role, person=raters[0])
    make_user(Role.DEVELOPER, person=raters[1])
    answer_days(pilot, raters, rotation, [FIRST], {a.id: (4,), b.id: (4,)})
    for person in raters:
        vote(pilot, person, a, b, "tie", FIRST)

    found = evidence(pilot, measure=measure)

    assert (found.people, found.seeing) == ({raters[1].id, raters[2].id}, 1)


def test_after_the_end_nothing_counts_that_was_said_later():
    pilot, (a, b), (one, other), rotation = make_role(people=2)
    answer_days(pilot, [one, other], rotation, [FIRST], {a.id: (4,), b.id: (4,)})
    vote(pilot, one, a, b, "left", FIRST)
    vote(pilot, one, a, b, "left", FIRST + timedelta(days=1))
    pilot.closed_at = noon(FIRST) + timedelta(hours=1)
    pilot.save()
    late = noon(FIRST) + timedelta(hours=2)
    DailyQuestion.objects.filter(person=other).update(answered_at=late, updated_at=late)

    assert evidence(pilot).people == {one.id}
    assert len(evidence(pilot, measure="wins").votes) == 1


def test_after_an_unblinding_nothing_counts_as_blind_that_was_said_later():
    pilot, (a, b), raters, rotation = make_role(people=2)
    days = working_days(2)
    answer_days(pilot, raters, rotation, days, {a.id: (4,), b.id: (4,)})
    vote(pilot, raters[0], a, b, "left", days[0])
    vote(pilot, raters[0], a, b, "left", days[1])
    pilot.unblinded_at = noon(days[1]) - timedelta(hours=1)
    pilot.save()

    assert {row.day for row in evidence(pilot).days} == {days[0]}
    assert len(evidence(pilot, measure="wins").votes) == 1


def test_what_was_corrected_after_an_unblinding_is_not_blind():
    pilot, (a, b), raters, rotation = make_role(people=2)
    answer_days(pilot, raters, rotation, [FIRST], {a.id: (4,), b.id: (4,)})
    votes = [vote(pilot, person, a, b, "left", FIRST) for person in raters]
    pilot.unblinded_at = noon(FIRST) + timedelta(hours=1)
    pilot.save()
    assert len(evidence(pilot).days) == len(evidence(pilot, measure="wins").votes) == 2

    later = pilot.unblinded_at + timedelta(hours=1)
    question = DailyQuestion.objects.get(person=raters[0])
    daily.answer(question=question, pilot=pilot, score=1, reason=None, via="page", now=later)
    votes[0].updated_at = later
    votes[0].save()

    assert evidence(pilot).people == evidence(pilot, measure="wins").people == {raters[1].id}


def test_completions_of_the_day_of_an_unblinding_do_not_count():
    pilot, (a, b), raters, rotation = make_role(people=2, role="completion", measure="acceptance")
    days = working_days(2)
    complete_days(pilot, raters, rotation, days, {a.id: 5, b.id: 5})
    pilot.unblinded_at = noon(days[1])
    pilot.save()

    found = evidence(pilot, "completion", "acceptance")

    assert {row.day for row in found.days} == {days[0]}


def rate(pilot, person, candidate, score, *, is_sampled, scale="thumbs"):
    call_id = uuid4()
    Rating.objects.create(
        call_id=call_id,
        call_admitted_at=NOON,
        pilot_id=pilot.id,
        candidate_id=candidate.id,
        person=person,
        scale=scale,
        score=score,
        via="page",
        rated_at=NOON,
        updated_at=NOON,
    )
    if is_sampled:
        SampledAnswer.objects.create(
            call_id=call_id, pilot_id=pilot.id, person=person, admitted_at=NOON, asked_at=NOON
        )


def test_ratings_that_were_asked_for_are_told_apart_from_volunteered_ones():
    pilot, (a, _), (one,), _ = make_role(people=1)
    for score in (1, 1, 0):
        rate(pilot, one, a, score, is_sampled=True)
    rate(pilot, one, a, 0, is_sampled=False)
    rate(pilot, one, a, 4, is_sampled=False, scale="stars")

    found = evidence(pilot)

    assert (found.sampled, found.volunteered) == (wilson(2, 3), wilson(1, 2))


def test_what_nothing_is_collected_by_is_refused():
    pilot, *_ = make_role(people=1)

    with pytest.raises(ValueError, match="by stars"):
        evidence(pilot, measure="stars")
