"""The weekly pulse: four questions, 1 to 5, each of which may be left out. It never ranks."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import Avg, Count, Q

from apps.accounts.models import Person
from apps.core.groups import LEAST_GROUP
from apps.feedback.daily import SCORES, NothingToTakeBack, TooLongAgo, refuse_closed
from apps.feedback.days import week_in_view
from apps.feedback.models import PulseAnswer
from apps.feedback.words import checked_comment
from apps.pilots.models import Pilot

TOPICS: Final = ("trust", "reliance", "usefulness", "time_saved")
TEXTS: Final = (
    "I trust what the assistant gives me enough to use it after a quick look.",
    "I would miss the assistant if it were gone tomorrow.",
    "The assistant was useful for the work I did this week.",
    "All in all, the assistant saved me time this week.",
)
_REST: Final = ("comment", "via", "answered_at", "updated_at", "skipped_at", "withdrawn_at")


class NothingSaid(Exception):
    """None of the questions was answered."""


@dataclass(frozen=True, slots=True)
class PulseQuestion:
    """One question and what was answered; `topic` is the field it is stored in."""

    topic: str
    text: str
    score: int | None


@dataclass(frozen=True, slots=True)
class PulseMean:
    """What people said in a week on average, 1 to 5, where enough of them said anything."""

    week: date
    people: int
    means: Mapping[str, float | None]


def questions(pilot: Pilot, standing: PulseAnswer | None = None) -> list[PulseQuestion]:
    """Return the four questions in a pilot's own words, or in ours."""
    texts = [*pilot.pulse_questions, *("",) * len(TOPICS)]
    return [
        PulseQuestion(topic, text or ours, getattr(standing, topic, None))
        for topic, text, ours in zip(TOPICS, texts, TEXTS, strict=False)
    ]


def answer_of(*, pilot: Pilot, person: Person, week: date) -> PulseAnswer | None:
    """Return what a person said of a week, named by its Monday, or None."""
    return PulseAnswer.objects.filter(pilot_id=pilot.id, person=person, week=week).first()


@transaction.atomic
def answer_pulse(
    *,
    pilot: Pilot,
    person: Person,
    week: date,
    scores: Mapping[str, int | None],
    via: str,
    now: datetime,
    comment: str = "",
) -> PulseAnswer:
    """Store what a person says of the week in view; saying it again replaces all of it.

    Raises NothingSaid, TooLongAgo, PilotClosed, BadComment, and ValueError for a score that is
    none.
    """
    _refuse_other_weeks(pilot, week, now)
    said = {topic: scores.get(topic) for topic in TOPICS}
    if any(score is not None and score not in SCORES for score in said.values()):
        raise ValueError(f"{said} are not scores of 1 to 5")
    if all(score is None for score in said.values()):
        raise NothingSaid(str(week))
    standing = _locked(pilot, person, week)
    for topic, score in said.items():
        setattr(standing, topic, score)
    standing.comment, standing.via = checked_comment(comment), via
    standing.answered_at, standing.updated_at = standing.answered_at or now, now
    standing.skipped_at = standing.withdrawn_at = None
    standing.save(update_fields=[*TOPICS, *_REST])
    return standing


@transaction.atomic
def skip_pulse(*, pilot: Pilot, person: Person, week: date, now: datetime) -> PulseAnswer:
    """Leave a week out; what was said of it stays. Raises TooLongAgo, PilotClosed."""
    _refuse_other_weeks(pilot, week, now)
    standing = _locked(pilot, person, week)
    if standing.answered_at is None and standing.skipped_at is None:
        standing.skipped_at = standing.updated_at = now
        standing.save(update_fields=["skipped_at", "updated_at"])
    return standing


@transaction.atomic
def withdraw_pulse(*, answer: PulseAnswer, now: datetime) -> PulseAnswer:
    """Take the answers of a week back at any time; their words are erased.

    Raises NothingToTakeBack.
    """
    locked = PulseAnswer.objects.select_for_update().get(id=answer.id)
    if locked.answered_at is None:
        raise NothingToTakeBack(str(locked.id))
    for topic in TOPICS:
        setattr(locked, topic, None)
    locked.comment, locked.answered_at = "", None
    locked.withdrawn_at = locked.updated_at = now
    locked.save(update_fields=[*TOPICS, *_REST])
    return locked


@transaction.atomic
def withdraw_all_pulses(*, person: Person, now: datetime) -> int:
    """Take the answers of every week back; return how many weeks there were."""
    answers = PulseAnswer.objects.filter(person=person, answered_at__isnull=False).order_by("id")
    return len([withdraw_pulse(answer=answer, now=now) for answer in answers])


def erase_pulse_words(*, person: Person) -> int:
    """Erase every comment of a person; return how many there were."""
    return PulseAnswer.objects.filter(person=person).exclude(comment="").update(comment="")


def pulse_by_week(pilot: Pilot) -> list[PulseMean]:
    """Return what people said on average, the first week first; weeks of few people are left out.

    A topic that fewer than LEAST_GROUP answered in a week has no mean either.
    """
    standing = Q(pilot_id=pilot.id, answered_at__isnull=False, withdrawn_at__isnull=True)
    sums = {f"{topic}_mean": Avg(topic) for topic in TOPICS}
    counts = {f"{topic}_count": Count(topic) for topic in TOPICS}
    rows: Any = (
        PulseAnswer.objects.filter(standing)
        .values("week")
        .annotate(people=Count("id"), **sums, **counts)
        .filter(people__gte=LEAST_GROUP)
        .order_by("week")
    )
    return [
        PulseMean(
            row["week"],
            row["people"],
            {
                topic: row[f"{topic}_mean"] if row[f"{topic}_count"] >= LEAST_GROUP else None
                for topic in TOPICS
            },
        )
        for row in rows
    ]


def _refuse_other_weeks(pilot: Pilot, week: date, now: datetime) -> None:
    refuse_closed(pilot, now)
    if week != week_in_view(now, pilot.zone_info):
        raise TooLongAgo(str(week))


def _locked(pilot: Pilot, person: Person, week: date) -> PulseAnswer:
    standing, _ = PulseAnswer.objects.select_for_update().get_or_create(
        pilot_id=pilot.id, person=person, week=week
    )
    return standing
