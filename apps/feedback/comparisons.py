"""Comparisons from the prompt to the answers: blind by two, or side by side in the screening."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from random import Random, SystemRandom
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import transaction

from apps.accounts.models import Person
from apps.core.secrets import seal
from apps.feedback import contestants
from apps.feedback.compare_client import Reply
from apps.feedback.identity import names_itself
from apps.feedback.models import ComparedAnswer, Comparison
from apps.pilots.blindness import is_unblinded
from apps.pilots.models import Enrollment, Pilot, Stage, UseRole

# Prompts and answers are kept so long for their author, and then emptied.
KEPT_FOR: Final = timedelta(days=30)
# Whoever waits longer for the answers is told that they will not come.
ANSWERED_WITHIN: Final = timedelta(minutes=4)
MOST_PER_DAY: Final = 50
DAY: Final = timedelta(days=1)
# A pair that was shown, and not judged yet, still may be.
_MAY_BE_JUDGED: Final = timedelta(hours=1)
LEAST_AT_ONCE, MOST_AT_ONCE = 2, 8
LONGEST_PROMPT: Final = 20_000
_CHANCE: Final = SystemRandom()


class NotOpen(Exception):
    """The pilot is not running, or is not in the stage for this."""


class NotTakingPart(Exception):
    """Only people who take part compare."""


class OneIsRunning(Exception):
    """The answers to this person's last prompt are still on their way."""


class EnoughForToday(Exception):
    """The person has compared as often as a day allows."""


class NotToBeCompared(Exception):
    """Too few candidates, too many, or some that are not on trial."""


@transaction.atomic
def compare_blind(
    *,
    pilot: Pilot,
    person: Person,
    prompt: str,
    now: datetime,
    role: str = UseRole.CHAT,
    chance: Random = _CHANCE,
) -> Comparison:
    """Begin a blind comparison of two candidates; the least compared pair is drawn.

    Raises NotOpen, NotTakingPart, OneIsRunning, EnoughForToday, NobodyToCompare.
    """
    if is_unblinded(pilot):
        raise NotOpen(pilot.slug)
    _check_turn(pilot, person, Stage.TRIAL, now)
    pairs = contestants.pairs(pilot, role, now=now)
    compared = contestants.times_compared(pilot, role, since=now - _MAY_BE_JUDGED)
    sides = contestants.draw(pairs, compared, chance)
    return _begin(pilot, person, prompt, sides, now, role=role, is_blind=True)


@transaction.atomic
def compare_side_by_side(
    *, pilot: Pilot, person: Person, prompt: str, candidate_ids: Sequence[int], now: datetime
) -> Comparison:
    """Begin a comparison of named candidates, in the stage of screening.

    Raises NotOpen, NotTakingPart, OneIsRunning, EnoughForToday, NotToBeCompared.
    """
    _check_turn(pilot, person, Stage.SCREENING, now)
    known = [each.id for each in contestants.answering(pilot) if each.id in set(candidate_ids)]
    if len(known) != len(set(candidate_ids)) or not LEAST_AT_ONCE <= len(known) <= MOST_AT_ONCE:
        raise NotToBeCompared
    return _begin(pilot, person, prompt, known, now, role=UseRole.CHAT, is_blind=False)


def is_running(comparison: Comparison, *, now: datetime) -> bool:
    """Tell whether its answers may still come."""
    is_settled = comparison.ready_at is not None or comparison.failed_at is not None
    return not is_settled and now < comparison.created_at + ANSWERED_WITHIN


@transaction.atomic
def store_replies(
    *,
    comparison_id: UUID,
    prompt: str,
    replies: Mapping[int, Reply],
    names: Sequence[str],
    now: datetime,
) -> bool:
    """Store all answers at once, by candidate; False if that comparison no longer waits for them.

    Blind, both must have come, or the comparison has failed; side by side, one of them.
    """
    comparison = Comparison.objects.select_for_update().get(id=comparison_id)
    if not is_running(comparison, now=now):
        return False
    for answer in ComparedAnswer.objects.filter(comparison=comparison).order_by("side"):
        reply = replies[answer.candidate_id]
        answer.call_id = reply.call_id
        # PostgreSQL stores no NUL; in a token it would, but no page could show it.
        text = reply.text.replace("\x00", "")
        answer.text = seal(text, settings.ENCRYPTION_KEYS) if text else ""
        answer.length = len(text)
        answer.names_itself = names_itself(text, names=names, prompt=prompt)
        answer.first_content_ms, answer.total_ms = reply.first_content_ms, reply.total_ms
        answer.finished_at, answer.error = now, reply.problem
        answer.save(
            update_fields=[
                *("call_id", "text", "length", "names_itself"),
                *("first_content_ms", "total_ms", "finished_at", "error"),
            ]
        )
    came = sum(not reply.problem for reply in replies.values())
    if came == len(replies) or (came and not comparison.is_blind):
        comparison.ready_at = now
    else:
        comparison.failed_at = now
        # What one side wrote would be read beside nothing.
        ComparedAnswer.objects.filter(comparison=comparison).update(text="")
    comparison.save(update_fields=["ready_at", "failed_at"])
    return True


@transaction.atomic
def give_up(*, comparison_id: UUID, now: datetime) -> None:
    """Say that the answers will not come: nobody was there to ask for them."""
    waiting = Comparison.objects.filter(
        id=comparison_id, ready_at__isnull=True, failed_at__isnull=True
    )
    waiting.update(failed_at=now)


def _check_turn(pilot: Pilot, person: Person, stage: str, now: datetime) -> None:
    if pilot.stage != stage or not pilot.is_running(at=now):
        raise NotOpen(pilot.slug)
    # Locked, so that two requests at once do not begin two.
    taking_part = Enrollment.objects.select_for_update().filter(
        pilot=pilot, person=person, left_at__isnull=True
    )
    if not taking_part:
        raise NotTakingPart(pilot.slug)
    lately = Comparison.objects.filter(
        pilot_id=pilot.id, person=person, created_at__gt=now - DAY
    ).order_by("-created_at", "-id")[:MOST_PER_DAY]
    if any(is_running(each, now=now) for each in lately):
        raise OneIsRunning
    if len(lately) >= MOST_PER_DAY:
        raise EnoughForToday


def _begin(
    pilot: Pilot,
    person: Person,
    prompt: str,
    candidate_ids: Sequence[int],
    now: datetime,
    *,
    role: str,
    is_blind: bool,
) -> Comparison:
    comparison = Comparison.objects.create(
        pilot_id=pilot.id,
        person=person,
        role=role,
        is_blind=is_blind,
        prompt=seal(prompt, settings.ENCRYPTION_KEYS),
        created_at=now,
        expires_at=now + KEPT_FOR,
    )
    ComparedAnswer.objects.bulk_create(
        ComparedAnswer(comparison=comparison, candidate_id=candidate_id, side=side)
        for side, candidate_id in enumerate(candidate_ids)
    )
    return comparison
