"""What a person is asked just now: the day's question, the sampled answers, the week's pulse.

Reading only: opening a page asks nobody, so that no GET ever writes.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

import redis
from django.core.cache import cache

from apps.accounts.models import Person
from apps.core.rotation import working_day
from apps.feedback.daily import question_of
from apps.feedback.daily_use import has_used, to_ask
from apps.feedback.days import (
    clock_day,
    hour_has_come,
    monday_of,
    week_in_view,
    week_period,
)
from apps.feedback.models import AskPreference, Channel, DailyQuestion, PulseAnswer
from apps.feedback.preferences import preference_of
from apps.feedback.pulse import answer_of
from apps.feedback.samples import waiting_samples
from apps.pilots.models import Enrollment, Pilot

# Long enough for every page to show a badge, short enough for nobody to see an old one twice.
KEPT_S: Final = 20
_THURSDAY: Final = 3


@dataclass(frozen=True, slots=True)
class Due:
    """What waits for a person in a pilot; `count` is the badge.

    `role` is what the day's question is about, None where there is none; `question` is its row,
    which exists once it was asked or answered. The question counts from the person's hour on, the
    pulse from Thursday on, and nothing counts for those who want not to be asked.
    """

    day: date
    week: date
    role: str | None = None
    question: DailyQuestion | None = None
    is_question_due: bool = False
    samples: tuple[UUID, ...] = ()
    pulse: PulseAnswer | None = None
    has_pulse: bool = False
    is_pulse_due: bool = False
    is_off: bool = False

    @property
    def count(self) -> int:
        if self.is_off:
            return 0
        return int(self.is_question_due) + len(self.samples) + int(self.is_pulse_due)


def due(person: Person, pilot: Pilot, now: datetime) -> Due:
    """Return what waits for a person. Nothing does without taking part, or after the closing."""
    zone = pilot.zone_info
    day, week = working_day(now, zone), week_in_view(now, zone)
    taking_part = Enrollment.objects.filter(pilot=pilot, person=person, left_at__isnull=True)
    enrollment = taking_part.first()
    is_closed = pilot.closed_at is not None and pilot.closed_at <= now
    if enrollment is None or is_closed or pilot.is_draft:
        return Due(day, week)
    wish = preference_of(enrollment)
    question = question_of(pilot=pilot, person=person, day=day)
    used = None if question is not None else to_ask(pilot, day, person=person)
    role = question.role if question is not None else used.role if used is not None else None
    pulse = answer_of(pilot=pilot, person=person, week=week)
    span = week_period(week, zone)
    has_pulse = pulse is not None or has_used(pilot, person, since=span.start, until=span.end)
    return Due(
        day=day,
        week=week,
        role=role,
        question=question,
        is_question_due=role is not None and _waits(question) and _is_time(wish, pilot, now),
        samples=tuple(
            waiting_samples(pilot=pilot, person=person, now=now).values_list("call_id", flat=True)
        ),
        pulse=pulse,
        has_pulse=has_pulse,
        is_pulse_due=has_pulse and _waits_this_week(pulse, week, pilot, now),
        is_off=wish.channel == Channel.OFF,
    )


def due_count(person: Person, pilot: Pilot, now: datetime) -> int:
    """Return the badge, which may be some seconds old. Without the cache there is none."""
    name = _name(person, pilot)
    try:
        count: int | None = cache.get(name)
        if count is None:
            count = due(person, pilot, now).count
            cache.set(name, count, KEPT_S)
    except redis.RedisError:
        return 0
    return count


def forget_count(person: Person, pilot: Pilot) -> None:
    """Have the badge counted anew: something was answered."""
    try:
        cache.delete(_name(person, pilot))
    except redis.RedisError:
        return


def _name(person: Person, pilot: Pilot) -> str:
    return f"due:{pilot.id}:{person.id}"


def _waits(question: DailyQuestion | None) -> bool:
    return question is None or (
        question.score is None and question.skipped_at is None and question.withdrawn_at is None
    )


def _is_time(wish: AskPreference, pilot: Pilot, now: datetime) -> bool:
    return hour_has_come(wish.hour, now=now, zone=pilot.zone_info)


def _waits_this_week(pulse: PulseAnswer | None, week: date, pilot: Pilot, now: datetime) -> bool:
    today = clock_day(now, pilot.zone_info)
    is_said = pulse is not None and (
        pulse.answered_at is not None or pulse.skipped_at or pulse.withdrawn_at
    )
    return not is_said and week == monday_of(today) and today.weekday() >= _THURSDAY
