"""What a person has said and done beyond ratings, as their page tells it, and how to take it back.

Takes back by kind: each kind knows its rows, how one of them is withdrawn, and how all are.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Count, QuerySet
from django.db.models.functions import TruncMonth

from apps.accounts.models import Person
from apps.feedback import actions, comparison_votes, daily, pulse
from apps.feedback.models import (
    AskPreference,
    Comparison,
    DailyQuestion,
    IdeEvent,
    Outcome,
    PulseAnswer,
)
from apps.feedback.scales import in_words
from apps.pilots.models import Pilot, RatingScale, Swap, UseRole

SHOWN: Final = 30
PULSE_WORDS: Final = {
    "trust": "trust",
    "reliance": "reliance",
    "usefulness": "usefulness",
    "time_saved": "time saved",
}


@dataclass(frozen=True, slots=True)
class Answered:
    """One thing that a person said: when or of what day, in words, and their own words if any."""

    kind: str
    key: str
    at: datetime | date
    about: str
    words: str
    comment: str
    pilot: str


@dataclass(frozen=True, slots=True)
class Listed:
    """The latest of a kind, and how many there are in all."""

    kind: str
    rows: list[Answered]
    count: int


@dataclass(frozen=True, slots=True)
class EventCount:
    """How many events of a kind an editor has told in a month, which begins at `month`."""

    month: date
    kind: str
    count: int


def standing_days(person: Person) -> QuerySet[DailyQuestion]:
    """Return a person's daily answers that count, the latest first."""
    answered = DailyQuestion.objects.filter(person=person, score__isnull=False)
    return answered.filter(withdrawn_at__isnull=True).order_by("-day", "-id")


def standing_weeks(person: Person) -> QuerySet[PulseAnswer]:
    answered = PulseAnswer.objects.filter(person=person, answered_at__isnull=False)
    return answered.filter(withdrawn_at__isnull=True).order_by("-week", "-id")


def standing_votes(person: Person) -> QuerySet[Comparison]:
    voted = Comparison.objects.filter(person=person, voted_at__isnull=False)
    return voted.filter(withdrawn_at__isnull=True).order_by("-voted_at", "-id")


def answers_of(person: Person) -> list[Listed]:
    """Return what a person has said by kind, the latest first. Seven queries."""
    days, weeks, votes = standing_days(person), standing_weeks(person), standing_votes(person)
    pilots = {pilot.id: pilot.name for pilot in Pilot.objects.order_by("id")}
    return [
        Listed("days", [_day(each, pilots) for each in days[:SHOWN]], days.count()),
        Listed("weeks", [_week(each, pilots) for each in weeks[:SHOWN]], weeks.count()),
        Listed("votes", [_vote(each, pilots) for each in votes[:SHOWN]], votes.count()),
    ]


def _day(question: DailyQuestion, pilots: dict[int, str]) -> Answered:
    assert question.score is not None
    return Answered(
        kind="days",
        key=str(question.id),
        at=question.day,
        about=UseRole(question.role).label,
        words=in_words(question.score, RatingScale.STARS),
        comment=question.reason,
        pilot=pilots[question.pilot_id],
    )


def _week(answer: PulseAnswer, pilots: dict[int, str]) -> Answered:
    scores = [(words, getattr(answer, topic)) for topic, words in PULSE_WORDS.items()]
    return Answered(
        kind="weeks",
        key=str(answer.id),
        at=answer.week,
        about="the week",
        words=", ".join(f"{words} {score}" for words, score in scores if score is not None),
        comment=answer.comment,
        pilot=pilots[answer.pilot_id],
    )


def _vote(comparison: Comparison, pilots: dict[int, str]) -> Answered:
    assert comparison.voted_at is not None
    if comparison.is_blind:
        words = Outcome(comparison.outcome).label
    else:
        words = "One was best" if comparison.winner_id else "None was best"
    return Answered(
        kind="votes",
        key=str(comparison.id),
        at=comparison.voted_at,
        about="blind" if comparison.is_blind else "side by side",
        words=words,
        comment="",
        pilot=pilots[comparison.pilot_id],
    )


def events_of(person: Person) -> list[EventCount]:
    """Return how many events a person's editor has told, by month and kind, the latest first."""
    rows = (
        IdeEvent.objects.filter(person=person)
        .annotate(month=TruncMonth("day"))
        .values_list("month", "kind")
        .annotate(count=Count("id"))
        .order_by("-month", "kind")
    )
    return [EventCount(*row) for row in rows]


def swaps_of(person: Person) -> QuerySet[Swap]:
    """Return the days on which a person sent somebody away, and nothing of whom."""
    return Swap.objects.filter(person=person).select_related("rotation").order_by("-day", "-id")


def wishes_of(person: Person) -> QuerySet[AskPreference]:
    """Return how a person wants to be asked, by pilot."""
    wishes = AskPreference.objects.filter(enrollment__person=person)
    return wishes.select_related("enrollment__pilot").order_by("enrollment_id")


class NotTheirs(Exception):
    """There is no such answer of this person that counts."""


def withdraw_one(kind: str, key: str, *, person: Person, now: datetime) -> None:
    """Take one answer back. Raises NotTheirs."""
    try:
        _ONE[kind](person, key, now)
    except (KeyError, ValueError, *_NONE) as problem:
        raise NotTheirs(key) from problem


@transaction.atomic
def withdraw_all(kind: str, *, person: Person, now: datetime) -> int:
    """Take all of a kind back, or of every kind; return how many. Raises KeyError."""
    kinds = list(_ALL) if kind == EVERYTHING else [kind]
    return sum(_ALL[each](person=person, now=now) for each in kinds)


@transaction.atomic
def erase_all_words(*, person: Person) -> int:
    """Erase a person's comments, reasons, tags and prompts, from all histories too.

    Scores and votes stay. Returns how many answers had any words.
    """
    return (
        actions.erase_words(person=person)
        + daily.erase_reasons(person=person)
        + pulse.erase_pulse_words(person=person)
        + comparison_votes.erase_prompts(person=person)
    )


def _withdraw_day(person: Person, key: str, now: datetime) -> None:
    daily.withdraw(question=DailyQuestion.objects.get(person=person, id=int(key)), now=now)


def _withdraw_week(person: Person, key: str, now: datetime) -> None:
    pulse.withdraw_pulse(answer=PulseAnswer.objects.get(person=person, id=int(key)), now=now)


def _withdraw_vote(person: Person, key: str, now: datetime) -> None:
    comparison = Comparison.objects.get(person=person, id=UUID(key))
    comparison_votes.withdraw_vote(comparison=comparison, now=now)


def _withdraw_rating(person: Person, key: str, now: datetime) -> None:
    actions.withdraw(call_id=UUID(key), person=person, now=now)


EVERYTHING: Final = "everything"
_NONE: Final = (
    DailyQuestion.DoesNotExist,
    PulseAnswer.DoesNotExist,
    Comparison.DoesNotExist,
    daily.NothingToTakeBack,
    comparison_votes.NoVote,
    actions.NothingToWithdraw,
)
_ONE: Final[dict[str, Callable[[Person, str, datetime], None]]] = {
    "ratings": _withdraw_rating,
    "days": _withdraw_day,
    "weeks": _withdraw_week,
    "votes": _withdraw_vote,
}
_ALL: Final[dict[str, Callable[..., int]]] = {
    "ratings": actions.withdraw_all,
    "days": daily.withdraw_all,
    "weeks": pulse.withdraw_all_pulses,
    "votes": comparison_votes.withdraw_votes,
}
