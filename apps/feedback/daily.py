"""The daily question: asked once a working day, answered 1 to 5, corrected, skipped or withdrawn.

Nothing here is summed ahead of time: results are computed by schedule, so nothing is marked.
"""

from datetime import date, datetime, timedelta
from typing import Final

from django.db import transaction

from apps.accounts.models import Person
from apps.core.rotation import working_day
from apps.feedback.daily_use import Used, to_ask
from apps.feedback.models import Channel, DailyQuestion, DailyRevision
from apps.feedback.words import checked_comment
from apps.pilots.models import Pilot
from apps.pilots.trail import PilotClosed

SCORES: Final = range(1, 6)
# Longer ago than this nobody knows how a day was.
ANSWERED_WITHIN: Final = timedelta(days=7)


class NothingToAsk(Exception):
    """The person has used nothing on this day that the pilot asks about."""


class OtherRole(Exception):
    """The day's question is about another role than the one that was answered for."""


class TooLongAgo(Exception):
    """The day is over for longer than answers are taken."""


class NoScore(Exception):
    """Neither a whole number from 1 to 5, nor a reason for an answer that stands."""


class NothingToTakeBack(Exception):
    """There is no answer, or it is withdrawn already."""


def question_of(*, pilot: Pilot, person: Person, day: date) -> DailyQuestion | None:
    """Return what a person was asked about a working day, or None."""
    questions = DailyQuestion.objects.filter(pilot_id=pilot.id, person=person, day=day)
    return questions.first()


def ask(
    *,
    pilot: Pilot,
    person: Person,
    now: datetime,
    used: Used | None = None,
    channel: str = Channel.PAGE,
) -> DailyQuestion:
    """Ask about the working day under way; asking again changes nothing.

    `used` is what it is about, where the caller knows. Raises NothingToAsk, PilotClosed.
    """
    refuse_closed(pilot, now)
    day = working_day(now, pilot.zone_info)
    standing = question_of(pilot=pilot, person=person, day=day)
    if standing is not None:
        return standing
    used = used or to_ask(pilot, day, person=person)
    if used is None:
        raise NothingToAsk(str(day))
    question, _ = DailyQuestion.objects.get_or_create(
        pilot_id=pilot.id,
        person=person,
        day=day,
        defaults={
            "role": used.role,
            "candidate_id": used.candidate_id,
            "is_blind": used.is_blind,
            "asked_at": now,
            "channel": channel,
        },
    )
    return question


@transaction.atomic
def answer(
    *,
    question: DailyQuestion,
    pilot: Pilot,
    via: str,
    now: datetime,
    score: int | None = None,
    reason: str | None = None,
    role: str = "",
) -> DailyQuestion:
    """Store what a person says of their day; saying it again replaces it, and is kept as history.

    None for the score keeps the one that stands, None for the reason its words; an empty reason
    erases them, from the history too. `role` is what the person was shown, if known. Raises
    NoScore, OtherRole, TooLongAgo, PilotClosed, BadComment.
    """
    locked = _open(question, pilot, now)
    if role and role != locked.role:
        raise OtherRole(locked.role)
    score = locked.score if score is None else score
    if score not in SCORES:
        raise NoScore(str(score))
    words = locked.reason if reason is None else checked_comment(reason)
    if (score, words) == (locked.score, locked.reason) and locked.skipped_at is None:
        return locked
    _keep_revision(locked, now=now)
    if reason is not None and not words:
        locked.revisions.exclude(reason="").update(reason="")
    locked.score, locked.reason, locked.via, locked.updated_at = score, words, via, now
    locked.answered_at = locked.answered_at or now
    locked.skipped_at = locked.withdrawn_at = None
    locked.save(
        update_fields=[
            *("score", "reason", "via", "updated_at"),
            *("answered_at", "skipped_at", "withdrawn_at"),
        ]
    )
    return locked


@transaction.atomic
def skip(*, question: DailyQuestion, pilot: Pilot, now: datetime) -> DailyQuestion:
    """Leave a day out. An answer that stands is kept: that is withdrawn, not skipped.

    Raises TooLongAgo, PilotClosed.
    """
    locked = _open(question, pilot, now)
    if locked.score is None and locked.skipped_at is None:
        locked.skipped_at = locked.updated_at = now
        locked.save(update_fields=["skipped_at", "updated_at"])
    return locked


@transaction.atomic
def withdraw(*, question: DailyQuestion, now: datetime) -> DailyQuestion:
    """Take an answer back at any time: it counts nowhere, and its words are erased everywhere.

    Raises NothingToTakeBack.
    """
    locked = DailyQuestion.objects.select_for_update().get(id=question.id)
    if locked.score is None:
        raise NothingToTakeBack(str(locked.id))
    _keep_revision(locked, now=now)
    locked.revisions.exclude(reason="").update(reason="")
    locked.score, locked.reason, locked.answered_at = None, "", None
    locked.withdrawn_at = locked.updated_at = now
    locked.save(update_fields=["score", "reason", "answered_at", "withdrawn_at", "updated_at"])
    return locked


@transaction.atomic
def withdraw_all(*, person: Person, now: datetime) -> int:
    """Take every daily answer of a person back; return how many there were."""
    standing = DailyQuestion.objects.filter(person=person, score__isnull=False).order_by("id")
    return len([withdraw(question=question, now=now) for question in standing])


@transaction.atomic
def erase_reasons(*, person: Person) -> int:
    """Erase every reason of a person, from the history too; return how many answers had one."""
    DailyRevision.objects.filter(question__person=person).update(reason="")
    return DailyQuestion.objects.filter(person=person).exclude(reason="").update(reason="")


def is_open(day: date, pilot: Pilot, *, now: datetime) -> bool:
    """Tell whether answers about a working day are still taken."""
    is_closed = pilot.closed_at is not None and pilot.closed_at <= now
    return not is_closed and day >= working_day(now, pilot.zone_info) - ANSWERED_WITHIN


def refuse_closed(pilot: Pilot, now: datetime) -> None:
    """Raise PilotClosed once a pilot has ended."""
    if pilot.closed_at is not None and pilot.closed_at <= now:
        raise PilotClosed(pilot.slug)


def _open(question: DailyQuestion, pilot: Pilot, now: datetime) -> DailyQuestion:
    refuse_closed(pilot, now)
    if not is_open(question.day, pilot, now=now):
        raise TooLongAgo(str(question.day))
    return DailyQuestion.objects.select_for_update().get(id=question.id)


def _keep_revision(question: DailyQuestion, *, now: datetime) -> None:
    if question.score is not None:
        DailyRevision.objects.create(
            question=question, score=question.score, reason=question.reason, until=now
        )
