from datetime import date, timedelta

import pytest

from apps.core.intervals import Interval, wilson
from apps.feedback.actions import rate, withdraw
from apps.feedback.models import ComparedAnswer, Comparison, DailyQuestion, SampledAnswer
from apps.feedback.own_votes import (
    BlindVotes,
    CandidateVotes,
    Picked,
    Sample,
    Share,
    blind_votes,
    comparison_share,
    daily_share,
    own_days,
    own_sample,
    rating_share,
    votes_by_candidate,
)
from apps.feedback.trend import DayVotes
from apps.usage.models import Call
from tests.factories import NOON, make_candidate
from tests.feedback.blind import make_rotation
from tests.feedback.conftest import make_world

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
TODAY = NOON.date()


def give(world, score=1, *, person=None, now=NOON, **fields):
    person = person or world.person
    call = world.call(at=now - MINUTE, person=person, **fields)
    scale = world.pilot.rating_scale
    return rate(call=call, person=person, score=score, scale=scale, via="page", now=now)


def colleagues(world, count):
    return [world.colleague().person for _ in range(count)]


def say(world, score, *, person=None, day=TODAY, **fields):
    return DailyQuestion.objects.create(
        **{
            "pilot_id": world.pilot.id,
            "person": person or world.person,
            "day": day,
            "role": "chat",
            "candidate_id": world.candidate.id,
            "is_blind": True,
            "asked_at": NOON,
            "score": score,
        }
        | fields
    )


def compare(world, outcome, *candidates, person=None, **fields):
    comparison = Comparison.objects.create(
        **{
            "pilot_id": world.pilot.id,
            "person": person or world.person,
            "is_blind": True,
            "created_at": NOON,
            "ready_at": NOON,
            "voted_at": NOON,
            "outcome": outcome,
            "expires_at": NOON + 30 * DAY,
        }
        | fields
    )
    for side, candidate in enumerate(candidates):
        ComparedAnswer.objects.create(comparison=comparison, candidate_id=candidate.id, side=side)


def mine(world):
    return {"person": world.person, "pilot": world.pilot}


def test_days_run_from_the_pilots_first_to_now(world):
    give(world, now=NOON - DAY)
    give(world, 0, now=NOON - DAY)
    give(world, person=world.colleague().person)
    say(world, 4, day=TODAY - 2 * DAY)
    say(world, 2, person=world.colleague().person)

    days = own_days(**mine(world), now=NOON)

    assert (days[0].day, days[-1].day, len(days)) == (date(2026, 11, 2), TODAY, 17)
    assert [day for day in days if day.rated or day.daily] == [
        DayVotes(TODAY - 2 * DAY, daily=4),
        DayVotes(TODAY - DAY, rated=2, liked=1),
    ]


def test_days_are_the_pilots_and_six_weeks_at_most(db):
    world = make_world(
        zone="Pacific/Auckland", starts_on=date(2026, 1, 1), ends_on=date(2026, 11, 25)
    )
    give(world)

    days = own_days(**mine(world), now=NOON)
    over = own_days(**mine(world), now=NOON + 30 * DAY)

    assert (len(days), days[-1]) == (42, DayVotes(date(2026, 11, 19), 1, 1))
    assert over[-1].day == date(2026, 11, 25)


def test_before_the_pilot_there_are_no_days(world):
    assert own_days(**mine(world), now=NOON - 60 * DAY) == []


def test_what_is_withdrawn_is_on_no_day(world):
    rating = give(world)
    withdraw(call_id=rating.call_id, person=world.person, now=NOON)
    say(world, None, withdrawn_at=NOON)

    assert {(day.rated, day.daily) for day in own_days(**mine(world), now=NOON)} == {(0, None)}


@pytest.mark.parametrize(("others", "everyone"), [(4, None), (5, 7)])
def test_others_are_told_from_five_on(world, others, everyone):
    give(world)
    give(world, 0)
    for person in colleagues(world, others):
        give(world, person=person)

    share, change = rating_share(**mine(world))

    assert share == Share(2, everyone)
    if everyone is None:
        assert change is None
    else:
        assert (change.without, change.together) == (wilson(5, 5), wilson(6, 7))


def test_many_ratings_narrow_the_interval_by_what_they_do(world):
    for n, person in enumerate(colleagues(world, 5)):
        give(world, n % 2, person=person)
    for n in range(15):
        give(world, n % 2)

    _, change = rating_share(**mine(world))

    before, after = wilson(2, 5), wilson(9, 20)
    assert change.narrower == 1 - (after.high - after.low) / (before.high - before.low)
    assert round(change.narrower, 4) == 0.3866


def test_without_ratings_of_ones_own_nothing_has_changed(world):
    for person in colleagues(world, 5):
        give(world, person=person)

    assert rating_share(**mine(world)) == (Share(0, 5), None)


def test_daily_answers_and_blind_votes_have_a_share_too(world):
    one, other = world.candidate, make_candidate()
    say(world, 5)
    say(world, 3, day=TODAY - DAY)
    compare(world, "left", one, other)
    compare(world, "", one, other, voted_at=None)
    compare(world, "", one, other, is_blind=False)
    compare(world, "tie", one, other, withdrawn_at=NOON)
    for person in colleagues(world, 5):
        say(world, 4, person=person)
        compare(world, "right", one, other, person=person)

    assert daily_share(**mine(world)) == Share(2, 7)
    assert comparison_share(**mine(world)) == Share(1, 6)
    assert Share(2, 7).note == "of 7, which is 29%"
    assert Share(2, None).note == ""


def test_ratings_add_up_by_candidate_the_most_rated_first(stars):
    other = make_candidate(name="Other")
    for score in (1, 4, 5):
        give(stars, score)
    give(stars, 3, candidate=other)
    gone = give(stars, 5, candidate=other)
    withdraw(call_id=gone.call_id, person=stars.person, now=NOON)

    assert votes_by_candidate(**mine(stars)) == [
        CandidateVotes(stars.candidate.name, stars.candidate.position, 3, 2),
        CandidateVotes("Other", other.position, 1, 0),
    ]


def test_blind_ratings_are_told_together_until_everybody_may_know(world):
    other = make_candidate(name="Other")
    make_rotation(world.pilot, world.candidate, other)
    give(world, alias="pilot-chat")
    give(world, 0, alias="pilot-chat", candidate=other)
    give(world)
    forgotten = give(world, 0)
    Call.objects.filter(id=forgotten.call_id).delete()
    for n, person in enumerate(colleagues(world, 5)):
        give(world, n % 2, alias="pilot-chat", person=person)

    blind = votes_by_candidate(**mine(world))
    world.pilot.unblinded_at = NOON
    told = votes_by_candidate(**mine(world))

    name, position = world.candidate.name, world.candidate.position
    assert blind == [CandidateVotes("", None, 3, 1), CandidateVotes(name, position, 1, 1)]
    assert told == [
        CandidateVotes(name, position, 3, 2, wilson(2, 5)),
        CandidateVotes("Other", other.position, 1, 0, None),
    ]


def test_four_others_are_too_few_for_a_candidate(world):
    give(world)
    people = colleagues(world, 4)
    for person in [*people, *people]:
        give(world, person=person)
    world.pilot.closed_at = NOON

    assert [row.others for row in votes_by_candidate(**mine(world))] == [None]
    give(world, person=colleagues(world, 1)[0])
    assert [row.others for row in votes_by_candidate(**mine(world))] == [
        Interval(wilson(9, 9).low, 1.0, 1.0)
    ]


def test_blind_votes_are_told_by_candidate_once_everybody_may_know(world):
    one, other, third = world.candidate, make_candidate(), make_candidate()
    compare(world, "left", one, other)
    compare(world, "right", one, other)
    compare(world, "right", third, one)
    compare(world, "tie", other, one)
    compare(world, "both_bad", other, one)
    compare(world, "left", other, one, withdrawn_at=NOON)
    compare(world, "left", other, one, person=world.colleague().person)

    assert blind_votes(**mine(world)) == []
    world.pilot.closed_at = NOON

    assert blind_votes(**mine(world)) == [
        BlindVotes(one.name, one.position, won=2, tied=2, lost=1),
        BlindVotes(other.name, other.position, won=1, tied=2, lost=1),
        BlindVotes(third.name, third.position, won=0, tied=0, lost=1),
    ]


def pick_by_chance(world, call_id, at, person=None):
    SampledAnswer.objects.create(
        call_id=call_id,
        pilot_id=world.pilot.id,
        person=person or world.person,
        admitted_at=at,
        asked_at=at,
    )


def test_the_sample_tells_which_of_ones_answers_were_picked(world):
    rating = give(world, 0)
    give(world)
    unrated = world.call(at=NOON)
    pick_by_chance(world, rating.call_id, NOON - MINUTE)
    pick_by_chance(world, unrated.id, NOON)
    pick_by_chance(world, world.call().id, NOON, person=world.colleague().person)

    assert own_sample(**mine(world)) == Sample(
        picked=2,
        rated=1,
        latest=[
            Picked(unrated.id, NOON, ""),
            Picked(rating.call_id, NOON - MINUTE, "not liked"),
        ],
    )
