"""When a role is judged, and by what: looks, ties on the last one, and the end."""

from datetime import timedelta
from decimal import Decimal

import pytest

from apps.feedback.models import DailyQuestion
from apps.metrics.findings import BETTER, EARLY, NOT_WORSE, TIE, WINNER
from apps.pilots.models import Incumbent
from tests.factories import NOON
from tests.metrics.derived import make_usage
from tests.metrics.made_trials import (
    FIRST,
    WEEK_3,
    WEEK_7,
    answer_days,
    answered,
    found,
    make_role,
    noon,
    verdicts,
    vote,
    working_days,
)

pytestmark = pytest.mark.django_db


WEEK_1 = noon(FIRST + timedelta(weeks=1))


def test_before_the_first_look_nothing_is_judged():
    pilot, (good, bad), raters, rotation = make_role(people=6)
    answer_days(pilot, raters, rotation, working_days(5), {good.id: (5, 4), bad.id: (3, 2)})

    finding = found(pilot, WEEK_1)

    assert (finding.state, finding.winner_id, finding.look) == (EARLY, None, 0)
    assert set(verdicts(finding).values()) == {EARLY}
    assert finding.judged_on is None
    assert finding.places[0].rank == 1
    # It would suffice: only the look is missing.
    assert {each.more for each in finding.contrasts} == {0}


def test_a_look_sees_the_days_before_it():
    pilot, (good, bad), raters, rotation = make_role(people=6)
    same = {good.id: (4, 3), bad.id: (4, 3)}
    answer_days(pilot, raters, rotation, working_days(10), same)
    later = working_days(10, FIRST + timedelta(weeks=2))
    answer_days(pilot, raters, rotation, later[:8], {good.id: (5, 5), bad.id: (1, 1)})

    finding = found(pilot, noon(later[8]))

    assert finding.state == EARLY
    live = next(each for each in finding.contrasts if each.first_id == good.id)
    assert live.difference.low > 0
    assert live.verdict == EARLY


def test_equals_tie_on_the_last_look_and_the_cheapest_is_taken():
    pilot, (dear, cheap), raters, rotation = make_role(people=8, margin=0.5)
    answer_days(pilot, raters, rotation, working_days(30), {dear.id: (4, 3), cheap.id: (4, 3)})
    make_usage(pilot, dear, FIRST, calls=10, token_usd=5)
    make_usage(pilot, cheap, FIRST, calls=10, token_usd=1)

    assert found(pilot, WEEK_3).state == EARLY
    finding = found(pilot, WEEK_7)

    assert (finding.state, finding.winner_id) == (TIE, cheap.id)
    assert set(verdicts(finding).values()) == {NOT_WORSE}
    assert (finding.look, finding.next_look_on) == (3, None)


def test_what_is_better_by_less_than_the_margin_is_a_tie():
    pilot, (better, cheap), raters, rotation = make_role(people=12, margin=1.5)
    answer_days(pilot, raters, rotation, working_days(30), {better.id: (5, 4), cheap.id: (4, 3)})
    make_usage(pilot, better, FIRST, calls=10, token_usd=5)
    make_usage(pilot, cheap, FIRST, calls=10, token_usd=1)

    finding = found(pilot, WEEK_7)

    assert verdicts(finding) == {(better.id, cheap.id): BETTER, (cheap.id, better.id): NOT_WORSE}
    assert (finding.state, finding.winner_id) == (TIE, cheap.id)


def test_the_baseline_stays_in_a_tie_where_that_was_agreed():
    pilot, (one, other), raters, rotation = make_role(people=8, margin=0.5)
    incumbent = Incumbent.objects.create(
        pilot=pilot, name="Copilot", seats=8, usd_per_seat_month=Decimal(19), created_at=NOON
    )
    pilot.plan.baseline, pilot.plan.tie_break = incumbent, "baseline"
    pilot.plan.save()
    answer_days(pilot, raters, rotation, working_days(30), {one.id: (4, 3), other.id: (4, 3)})

    finding = found(pilot, WEEK_7)

    assert (finding.state, finding.winner_id) == (TIE, None)


def test_fewer_than_five_people_decide_nothing():
    pilot, (good, bad), raters, rotation = make_role(people=4)
    answer_days(pilot, raters, rotation, working_days(10), {good.id: (5, 4), bad.id: (1, 2)})

    finding = found(pilot, WEEK_3)

    assert (finding.state, finding.people) == (EARLY, 4)


def test_the_end_is_the_last_look_and_sees_everything_before_it():
    pilot, (good, bad), raters, rotation = make_role(people=6)
    days = working_days(4)
    answer_days(pilot, raters, rotation, days, {good.id: (5, 5), bad.id: (1, 2)})
    pilot.closed_at = noon(days[3]) + timedelta(hours=1)
    pilot.save()
    DailyQuestion.objects.filter(person=raters[0], day=days[0]).update(
        updated_at=pilot.closed_at + timedelta(hours=1)
    )

    finding = found(pilot, WEEK_7)

    assert (finding.state, finding.winner_id, finding.is_frozen) == (WINNER, good.id, True)
    assert (finding.look, finding.next_look_on, finding.count) == (3, None, 23)


def test_a_pilot_closed_after_its_last_look_is_not_judged_again():
    """One has looked as often as was planned: the days since count among answers alone."""
    pilot, (good, bad), raters, rotation = make_role(people=6)
    same = {good.id: (4, 3), bad.id: (4, 3)}
    answer_days(pilot, raters, rotation, working_days(6), same)
    days = working_days(8, FIRST + timedelta(weeks=6))
    answer_days(pilot, raters, rotation, days, {good.id: (5, 5), bad.id: (1, 1)})
    before = found(pilot, noon(days[-1]))
    pilot.closed_at = noon(days[-1]) + timedelta(hours=1)
    pilot.save()

    finding = found(pilot, noon(days[-1]) + timedelta(hours=2))

    assert (before.state, before.winner_id) == (EARLY, None)
    assert (finding.state, finding.winner_id, finding.is_frozen) == (EARLY, None, True)
    assert (finding.look, finding.judged_on) == (3, FIRST + timedelta(weeks=6))
    assert verdicts(finding) == verdicts(before)
    assert finding.count == 6 * 14


def test_an_answer_given_after_a_look_does_not_move_it():
    """On the day of the look the answers about its days come in, and decide nothing."""
    pilot, (good, bad), raters, rotation = make_role(people=6)
    answer_days(pilot, raters, rotation, working_days(10), {good.id: (5, 4), bad.id: (3, 2)})
    late = DailyQuestion.objects.filter(person__in=raters[:2])
    late.update(answered_at=WEEK_3, updated_at=WEEK_3)

    finding = found(pilot, WEEK_3 + timedelta(hours=1))

    # Four people had answered before the look.
    assert (finding.state, finding.people, finding.count) == (EARLY, 6, 60)
    late.update(updated_at=WEEK_3 - timedelta(days=1))
    assert found(pilot, WEEK_3 + timedelta(hours=1)).state == WINNER


def test_a_vote_changed_after_a_look_does_not_move_it():
    pilot, (good, bad), raters, _ = make_role(measure="wins", margin=0.05, people=10)
    votes = [
        vote(pilot, person, *((good, bad, "left") if number % 2 else (bad, good, "right")), day)
        for person in raters
        for number, day in enumerate(working_days(5))
    ]
    assert found(pilot, WEEK_3).state == WINNER
    for each in votes[5:]:
        each.updated_at = WEEK_3
        each.save()

    finding = found(pilot, WEEK_3)

    assert (finding.state, finding.people, finding.count) == (EARLY, 10, 50)


def test_somebody_who_met_both_is_not_five_people():
    """Five people have nine days each of one, and one of them a day of the other."""
    pilot, (usual, new), raters, _ = make_role(people=5)
    scores = {(person, day): 3 + (day.day % 2) for person in raters for day in working_days(9)}
    for (person, day), score in scores.items():
        answered(pilot, person, day, usual.id, score)
    answered(pilot, raters[0], working_days(10)[9], new.id, 5)

    finding = found(pilot, WEEK_3)

    assert (finding.state, set(verdicts(finding).values())) == (EARLY, {EARLY})
    assert [each.estimate for each in finding.places] == [None, None]
    assert [each.level is None for each in finding.places] == [False, False]


def test_five_votes_one_way_decide_nothing():
    pilot, (good, bad), raters, _ = make_role(measure="wins", margin=0.05, people=5)
    for person in raters:
        vote(pilot, person, good, bad, "left", FIRST)

    finding = found(pilot, WEEK_3)

    assert (finding.state, set(verdicts(finding).values())) == (EARLY, {EARLY})
    # Fifteen more make the twenty that a pair needs.
    assert [each.more for each in finding.contrasts] == [15, 15]
