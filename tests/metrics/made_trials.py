"""Trials whose outcome is known: daily answers, completions and votes, as rows of the database."""

from collections import Counter
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from apps.core.rotation import assigned
from apps.feedback.models import ComparedAnswer, Comparison, DailyQuestion, IdeEvent
from apps.metrics.computing import compute_finding
from apps.metrics.findings import Finding
from apps.pilots.models import Goal, Plan
from tests.factories import (
    make_candidate,
    make_enrollment,
    make_pilot,
    make_rotation,
    make_trial,
)

FIRST = date(2026, 11, 2)


def noon(day):
    return datetime.combine(day, time(12), tzinfo=ZoneInfo("UTC"))


# When the first look is due, and after the last.
WEEK_3, WEEK_7 = (noon(FIRST + timedelta(weeks=each)) for each in (2, 6))
_events = iter(range(1_000_000))


def make_role(people=8, candidates=2, role="chat", measure="daily", margin=0.3, **plan):
    """Return a started pilot of six weeks with a goal and a rotation, its people and candidates."""
    pilot = make_pilot(starts_on=FIRST, ends_on=FIRST + timedelta(weeks=8))
    named = [make_candidate() for _ in range(candidates)]
    for candidate in named:
        make_trial(pilot, candidate)
    Goal.objects.create(pilot=pilot, role=role, measure=measure, margin=margin)
    Plan.objects.create(
        **{
            "pilot": pilot,
            "decide_by": FIRST + timedelta(weeks=6),
            "changed_at": pilot.created_at,
        }
        | plan
    )
    rotation = make_rotation(pilot, *named, role=role, first_day=FIRST)
    raters = [make_enrollment(pilot).person for _ in range(people)]
    return pilot, named, raters, rotation


def working_days(count, first=FIRST):
    days = (first + timedelta(days=n) for n in range(2 * count + 7))
    return [day for day in days if day.weekday() < 5][:count]


def turn(rotation, person, day):
    return assigned(rotation.known_eras(), seed=rotation.seed, person_id=person.id, day=day)


def answer_days(pilot, raters, rotation, days, scores):
    """Every person answers each day, going through `scores` of whoever's day it is.

    Every other person begins with the second one, so that equals are equal on average.
    """
    order = sorted(scores)
    for place, person in enumerate(raters):
        met = Counter()
        for day in days:
            candidate_id = turn(rotation, person, day)
            step = met[candidate_id] + place + order.index(candidate_id)
            met[candidate_id] += 1
            score = scores[candidate_id][step % len(scores[candidate_id])]
            answered(pilot, person, day, candidate_id, score, role=rotation.role)


def answered(pilot, person, day, candidate_id, score, *, role="chat"):
    return DailyQuestion.objects.create(
        pilot_id=pilot.id,
        person=person,
        day=day,
        role=role,
        candidate_id=candidate_id,
        is_blind=True,
        asked_at=noon(day),
        answered_at=noon(day),
        updated_at=noon(day),
        score=score,
    )


def complete_days(pilot, raters, rotation, days, accepted, shown=20):
    """Every person is shown completions each day and takes `accepted` of them by candidate."""
    IdeEvent.objects.bulk_create(
        IdeEvent(
            pilot_id=pilot.id,
            person=person,
            key_id=1,
            digest=f"event {next(_events)}",
            kind="autocomplete",
            schema="0.2.0",
            at=noon(day),
            day=day,
            received_at=noon(day),
            alias=rotation.alias,
            role="completion",
            candidate_id=turn(rotation, person, day),
            is_blind=True,
            is_accepted=number < accepted[turn(rotation, person, day)] + (day.day + place) % 2,
        )
        for place, person in enumerate(raters)
        for day in days
        for number in range(shown)
    )


def vote(pilot, person, left, right, outcome, day, *, role="chat", names_itself=False):
    comparison = Comparison.objects.create(
        pilot_id=pilot.id,
        person=person,
        role=role,
        is_blind=True,
        created_at=noon(day),
        ready_at=noon(day),
        outcome=outcome,
        voted_at=noon(day),
        updated_at=noon(day),
        expires_at=noon(day) + timedelta(days=30),
    )
    for side, candidate in enumerate((left, right)):
        ComparedAnswer.objects.create(
            comparison=comparison,
            candidate_id=candidate.id,
            side=side,
            names_itself=names_itself and side == 0,
        )
    return comparison


def found(pilot, now, role="chat") -> Finding:
    """What is known now of a role."""
    return compute_finding(pilot, Goal.objects.get(pilot=pilot, role=role), now=now)


def verdicts(finding):
    return {(each.first_id, each.second_id): each.verdict for each in finding.contrasts}
