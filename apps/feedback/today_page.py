"""What the page of today shows: the day's question, answers to rate, the week, the last days."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from apps.accounts.models import Person
from apps.core.rotation import working_day
from apps.feedback import daily, queries
from apps.feedback.asking import problem_of
from apps.feedback.cards import RatingCard
from apps.feedback.due import Due, due
from apps.feedback.letters import question_text, role_words
from apps.feedback.models import DailyQuestion
from apps.feedback.preferences import preference_of
from apps.feedback.pulse import PulseQuestion, questions
from apps.feedback.words import LONGEST_COMMENT
from apps.pilots.models import Enrollment, Pilot
from apps.usage.models import Call

DAYS_SHOWN: Final = 5
ENDS: Final = {1: "1 of 5, useless", 5: "5 of 5, excellent"}


@dataclass(frozen=True, slots=True)
class Score:
    """One of the five buttons."""

    value: int
    label: str
    is_pressed: bool


@dataclass(frozen=True, slots=True)
class TodayCard:
    """The question of one day as its person answers it. It never says who answered them.

    `url` takes what they say. `score` is None before an answer; `is_open` says whether one would be
    taken. `by_link` is a page without a sign-in.
    """

    url: str
    day: date
    is_today: bool
    role: str
    role_words: str
    text: str
    score: int | None
    reason: str
    is_skipped: bool
    is_withdrawn: bool
    is_open: bool
    by_link: bool = False

    @property
    def scores(self) -> list[Score]:
        return [
            Score(value, ENDS.get(value, f"{value} of 5"), value == self.score)
            for value in daily.SCORES
        ]

    @property
    def longest_reason(self) -> int:
        return LONGEST_COMMENT


@dataclass(frozen=True, slots=True)
class PulseCard:
    """The week's four questions. `is_said` once any was answered."""

    week: date
    questions: list[PulseQuestion]
    comment: str
    is_said: bool
    is_skipped: bool
    is_withdrawn: bool

    @property
    def scores(self) -> range:
        return daily.SCORES

    @property
    def longest_comment(self) -> int:
        return LONGEST_COMMENT


@dataclass(frozen=True, slots=True)
class TodayPage:
    """Everything on the page. `problem` is why a message to the person could not be sent."""

    due: Due
    card: TodayCard | None
    samples: list[RatingCard]
    pulse: PulseCard | None
    days: list[TodayCard]
    channel: str
    problem: str


def card_of(
    question: DailyQuestion, pilot: Pilot, *, url: str, now: datetime, by_link: bool = False
) -> TodayCard:
    """Return one day's question as it is answered."""
    return TodayCard(
        url=url,
        day=question.day,
        is_today=question.day == working_day(now, pilot.zone_info),
        role=question.role,
        role_words=role_words(question.role),
        text=question_text(pilot),
        score=question.score,
        reason=question.reason,
        is_skipped=question.skipped_at is not None,
        is_withdrawn=question.withdrawn_at is not None,
        is_open=daily.is_open(question.day, pilot, now=now),
        by_link=by_link,
    )


def today_page(
    *, person: Person, pilot: Pilot, enrollment: Enrollment, url: str, now: datetime
) -> TodayPage:
    """Return what one person sees; `url` takes what they say of a day."""
    found = due(person, pilot, now)
    wish = preference_of(enrollment)
    return TodayPage(
        due=found,
        card=_card(found, pilot, person, url=url, now=now),
        samples=_samples(found, person, pilot, now),
        pulse=_pulse(found, pilot),
        days=_days(found.day, pilot, person, url=url, now=now),
        channel=wish.channel,
        problem=problem_of(enrollment),
    )


def _card(found: Due, pilot: Pilot, person: Person, *, url: str, now: datetime) -> TodayCard | None:
    if found.role is None:
        return None
    question = found.question or DailyQuestion(
        pilot_id=pilot.id, person=person, day=found.day, role=found.role
    )
    return card_of(question, pilot, url=url, now=now)


def _samples(found: Due, person: Person, pilot: Pilot, now: datetime) -> list[RatingCard]:
    calls = Call.objects.filter(id__in=found.samples).order_by("-admitted_at", "-id")
    return queries.cards(calls, person=person, pilot=pilot, now=now)


def _pulse(found: Due, pilot: Pilot) -> PulseCard | None:
    if not found.has_pulse:
        return None
    said = found.pulse
    return PulseCard(
        week=found.week,
        questions=questions(pilot, said),
        comment=said.comment if said else "",
        is_said=said is not None and said.answered_at is not None,
        is_skipped=said is not None and said.skipped_at is not None,
        is_withdrawn=said is not None and said.withdrawn_at is not None,
    )


def _days(today: date, pilot: Pilot, person: Person, *, url: str, now: datetime) -> list[TodayCard]:
    asked = DailyQuestion.objects.filter(pilot_id=pilot.id, person=person).exclude(day=today)
    return [
        card_of(question, pilot, url=url, now=now)
        for question in asked.order_by("-day")[:DAYS_SHOWN]
    ]
