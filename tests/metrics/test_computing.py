from datetime import date, timedelta
from decimal import Decimal

import pytest

from apps.accounts.models import Role, User
from apps.feedback import daily
from apps.feedback.models import DailyQuestion
from apps.metrics.findings import BETTER, EARLY, NOTHING, WINNER, WORSE
from apps.pilots.models import Goal, Incumbent, IncumbentDay, RotationEra, Swap, Trial
from tests.factories import NOON, make_candidate, make_pilot, make_trial, make_user
from tests.metrics.made_trials import (
    FIRST,
    WEEK_3,
    answer_days,
    complete_days,
    found,
    make_role,
    noon,
    verdicts,
    vote,
    working_days,
)

pytestmark = pytest.mark.django_db


def test_who_is_clearly_better_wins_at_the_first_look():
    pilot, (good, bad), raters, rotation = make_role(people=6)
    answer_days(pilot, raters, rotation, working_days(10), {good.id: (5, 4), bad.id: (3, 2)})

    finding = found(pilot, WEEK_3)

    assert (finding.state, finding.winner_id) == (WINNER, good.id)
    assert verdicts(finding) == {(good.id, bad.id): BETTER, (bad.id, good.id): WORSE}
    assert (finding.look, finding.looks) == (1, 3)
    assert (finding.judged_on, finding.next_look_on) == (date(2026, 11, 16), date(2026, 11, 30))
    assert (finding.people, finding.count, finding.is_blind) == (6, 60, True)
    best, worst = finding.places
    assert (best.candidate_id, best.rank, best.rank_most) == (good.id, 1, 1)
    assert (worst.rank, worst.rank_most) == (2, 2)
    assert (best.people, best.count, best.days, best.first_share) == (6, 30, 30, 1.0)
    # Ten more answers of the mean of all stand beside thirty.
    mean = sum(each.score for each in DailyQuestion.objects.all()) / 60
    total = sum(each.score for each in DailyQuestion.objects.filter(candidate_id=good.id))
    assert best.shrunken == pytest.approx((10 * mean + total) / 40)
    first = next(each for each in finding.contrasts if each.first_id == good.id)
    assert (first.prefer_first, first.prefer_second, first.more) == (6, 0, None)
    assert finding.bias.changes_without_one is False
    assert (finding.bias.asked, finding.bias.answered, finding.bias.coverage) == (60, 60, 1.0)


def test_who_was_dropped_cannot_win_and_is_still_told():
    pilot, (good, bad, gone), raters, rotation = make_role(people=8, candidates=3)
    scores = {good.id: (4, 5), bad.id: (1, 2), gone.id: (5, 5)}
    answer_days(pilot, raters, rotation, working_days(10), scores)
    Trial.objects.filter(candidate=gone).update(dropped_at=NOON)
    RotationEra.objects.create(
        rotation=rotation, first_day=date(2026, 11, 16), candidate_ids=[good.id, bad.id]
    )

    finding = found(pilot, WEEK_3)

    assert (finding.state, finding.winner_id) == (WINNER, good.id)
    assert {each.candidate_id for each in finding.places} == {good.id, bad.id, gone.id}


def test_leads_who_rate_are_counted_apart():
    pilot, (good, bad), raters, rotation = make_role(people=7)
    make_user(Role.LEAD, person=raters[0])
    answer_days(pilot, raters, rotation, working_days(10), {good.id: (5, 4), bad.id: (3, 2)})

    finding = found(pilot, WEEK_3)

    assert (finding.people, finding.count, finding.bias.seeing_raters) == (6, 60, 1)
    assert User.objects.count() == 1


def test_withdrawn_and_unanswered_questions_count_nowhere():
    pilot, (good, bad), raters, rotation = make_role(people=6)
    answer_days(pilot, raters, rotation, working_days(10), {good.id: (5, 4), bad.id: (3, 2)})
    first, second = DailyQuestion.objects.order_by("id")[:2]
    daily.withdraw(question=first, now=WEEK_3)
    DailyQuestion.objects.filter(id=second.id).update(score=None, answered_at=None)
    daily.skip(question=second, pilot=pilot, now=noon(second.day))

    finding = found(pilot, WEEK_3)

    assert (finding.count, finding.bias.asked, finding.bias.answered) == (58, 60, 58)


def test_acceptance_is_weighed_by_what_was_shown():
    pilot, (good, bad), raters, rotation = make_role(
        role="completion", measure="acceptance", margin=0.02, people=6
    )
    complete_days(pilot, raters, rotation, working_days(10), {good.id: 12, bad.id: 5})
    Swap.objects.create(
        rotation=rotation,
        person=raters[0],
        day=FIRST,
        assigned=good,
        chosen=bad,
        at=noon(FIRST),
    )

    finding = found(pilot, WEEK_3, "completion")

    assert (finding.state, finding.winner_id) == (WINNER, good.id)
    assert finding.count == 60 * 20
    assert finding.places[0].estimate.mid == pytest.approx(0.625, abs=0.02)
    assert (finding.places[0].count, finding.places[0].shrunken) == (600, None)
    assert finding.bias.swapped == pytest.approx(1 / 60)
    assert (finding.bias.asked, finding.bias.answered) == (6, 6)


def test_the_incumbents_acceptance_stands_beside():
    pilot, _, _, _ = make_role(role="completion", measure="acceptance", margin=0.02)
    incumbent = Incumbent.objects.create(
        pilot=pilot, name="Copilot", seats=8, usd_per_seat_month=Decimal(19), created_at=NOON
    )
    pilot.plan.baseline = incumbent
    pilot.plan.save()
    for day, accepted in ((FIRST, 20), (FIRST + timedelta(days=1), 40)):
        IncumbentDay.objects.create(
            incumbent=incumbent,
            day=day,
            shown=100,
            accepted=accepted,
            source="typed",
            recorded_at=NOON,
        )

    finding = found(pilot, WEEK_3, "completion")

    assert (finding.state, finding.baseline) == (NOTHING, 0.3)
    assert [each.estimate for each in finding.places] == [None, None]


def cast(pilot, raters, one, other, wins):
    """Each rater compares a pair five times with sides in turn; the first wins `wins` of them."""
    for person in raters:
        for number, day in enumerate(working_days(5)):
            left, right = (one, other) if number % 2 else (other, one)
            won = "left" if (number < wins) == (left == one) else "right"
            vote(pilot, person, left, right, won, day)


def test_blind_wins_are_shares_against_an_average_rival():
    pilot, (good, bad), raters, _ = make_role(measure="wins", margin=0.05, people=10)
    cast(pilot, raters[:5], good, bad, 5)
    cast(pilot, raters[5:], good, bad, 4)
    vote(pilot, raters[0], good, bad, "both_bad", FIRST)
    vote(pilot, raters[1], good, bad, "right", FIRST, names_itself=True)

    finding = found(pilot, WEEK_3)

    assert (finding.state, finding.winner_id) == (WINNER, good.id)
    assert (finding.count, finding.people) == (51, 10)
    assert finding.places[0].estimate.mid == pytest.approx(0.928, abs=0.005)
    assert sum(each.estimate.mid for each in finding.places) == pytest.approx(1)
    first = next(each for each in finding.contrasts if each.first_id == good.id)
    assert first.difference.mid == pytest.approx(finding.places[0].estimate.mid - 0.5)
    assert (first.prefer_first, first.prefer_second) == (10, 0)
    bias = finding.bias
    assert (bias.flagged, bias.asked, bias.answered) == (1, 52, 52)
    assert bias.both_bad == pytest.approx(1 / 51)
    assert bias.left.low < 0.5 < bias.left.high


def test_candidates_that_never_met_are_not_comparable_yet():
    pilot, (a, b, c, d), raters, _ = make_role(measure="wins", margin=0.05, candidates=4)
    cast(pilot, raters, a, b, 5)
    cast(pilot, raters[:3], c, d, 5)

    finding = found(pilot, WEEK_3)

    assert finding.state == EARLY
    assert [(each.candidate_id, each.group) for each in finding.places] == [
        (a.id, 0),
        (b.id, 0),
        (c.id, 1),
        (d.id, 1),
    ]
    assert [each.rank for each in finding.places] == [1, 2, None, None]


def test_without_a_rotation_answers_are_not_blind():
    pilot = make_pilot(starts_on=FIRST, ends_on=FIRST + timedelta(weeks=4))
    Goal.objects.create(pilot=pilot, role="edit", measure="daily", margin=Decimal("0.3"))
    candidate = make_candidate()
    make_trial(pilot, candidate)
    for place in range(5):
        DailyQuestion.objects.create(
            pilot_id=pilot.id,
            person=make_user().person,
            day=FIRST,
            role="edit",
            candidate_id=candidate.id,
            is_blind=False,
            asked_at=noon(FIRST),
            answered_at=noon(FIRST),
            score=3 + place % 2,
        )

    finding = found(pilot, WEEK_3, "edit")

    assert (finding.is_blind, finding.state, finding.people) == (False, EARLY, 5)
    place = finding.places[0]
    assert (place.rank, place.first_share) == (1, None)
    assert place.estimate == place.level
    # Looks at week 2 and on the last day.
    assert (finding.looks, finding.next_look_on) == (2, FIRST + timedelta(weeks=4))


def test_what_is_still_needed_is_told_in_answers_and_days():
    pilot, (one, other), raters, rotation = make_role(people=8)
    answer_days(pilot, raters, rotation, working_days(10), {one.id: (5, 2), other.id: (4, 2)})

    finding = found(pilot, WEEK_3)

    first = next(each for each in finding.contrasts if each.first_id == one.id)
    assert first.verdict == EARLY
    assert first.more > 0
    # Eight people answer on a working day.
    assert first.more_days == -(-first.more // 8)
