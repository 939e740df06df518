"""What people say of compared answers, and how they take it back. Who answered is told nowhere."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction

from apps.accounts.models import Person
from apps.core.secrets import CannotOpen, reseal
from apps.feedback.models import ComparedAnswer, Comparison, Outcome, VoteRevision
from apps.pilots.blindness import is_unblinded
from apps.pilots.models import Pilot


class NotReady(Exception):
    """There is nothing to judge: the answers are not there, or not any more."""


class NoMoreVotes(Exception):
    """The pilot is closed, or everybody may know by now who answered."""


class NotShown(Exception):
    """The winner is none of those who answered."""


class NoVote(Exception):
    """There is no vote to withdraw."""


def vote(*, comparison: Comparison, outcome: str, now: datetime) -> None:
    """Store which answer is better, a tie or both bad; saying it again replaces it.

    Raises NotReady, NoMoreVotes.
    """
    assert comparison.is_blind
    if outcome not in Outcome.values:
        raise ValueError(outcome)
    _judge(comparison, outcome=outcome, winner_id=None, now=now)


def pick(*, comparison: Comparison, winner_id: int | None, now: datetime) -> None:
    """Store who answered best, or with None that nobody did; saying it again replaces it.

    Raises NotReady, NoMoreVotes, NotShown.
    """
    assert not comparison.is_blind
    shown = comparison.answers.filter(error="").values_list("candidate_id", flat=True)
    if winner_id is not None and winner_id not in shown:
        raise NotShown
    _judge(comparison, outcome="", winner_id=winner_id, now=now)


@transaction.atomic
def withdraw_vote(*, comparison: Comparison, now: datetime) -> None:
    """Take a vote back: it counts nowhere. Also after the pilot was closed. Raises NoVote."""
    locked = Comparison.objects.select_for_update().get(id=comparison.id)
    if locked.voted_at is None or locked.withdrawn_at is not None:
        raise NoVote
    _withdraw(locked, now)


@transaction.atomic
def withdraw_votes(*, person: Person, now: datetime) -> int:
    """Take every vote of a person back; return how many there were."""
    standing = (
        Comparison.objects.select_for_update()
        .filter(person=person, voted_at__isnull=False, withdrawn_at__isnull=True)
        .order_by("id")
    )
    for comparison in standing:
        _withdraw(comparison, now)
    return len(standing)


@transaction.atomic
def erase_prompts(*, person: Person) -> int:
    """Erase a person's prompts and their answers; votes stay. Return how many there were."""
    return _empty(Comparison.objects.filter(person=person).values_list("id", flat=True))


@transaction.atomic
def empty_expired(*, now: datetime) -> int:
    """Erase prompts and answers whose time is over; return how many comparisons had any."""
    over = Comparison.objects.filter(expires_at__lte=now)
    return _empty(over.values_list("id", flat=True))


@transaction.atomic
def reseal_prompts() -> int:
    """Seal prompts and answers again with the newest key; return how many.

    What no key opens can be read by nobody any more, so it is emptied.
    """
    asked = Comparison.objects.select_for_update().exclude(prompt="").order_by("id")
    for each in asked:
        each.prompt = _resealed(each.prompt)
        each.save(update_fields=["prompt"])
    answers = ComparedAnswer.objects.select_for_update().exclude(text="").order_by("id")
    for answer in answers:
        answer.text = _resealed(answer.text)
        answer.save(update_fields=["text"])
    return len(asked) + len(answers)


def _resealed(token: str) -> str:
    try:
        return reseal(token, settings.ENCRYPTION_KEYS)
    except CannotOpen:
        return ""


@transaction.atomic
def _judge(comparison: Comparison, *, outcome: str, winner_id: int | None, now: datetime) -> None:
    locked = Comparison.objects.select_for_update().get(id=comparison.id)
    pilot = Pilot.objects.get(id=locked.pilot_id)
    if pilot.closed_at is not None or (locked.is_blind and is_unblinded(pilot)):
        raise NoMoreVotes(pilot.slug)
    # Emptied answers cannot be read, so whoever judges them has mistaken them for others.
    if locked.ready_at is None or not locked.prompt:
        raise NotReady
    if locked.voted_at is not None and locked.withdrawn_at is None:
        if (locked.outcome, locked.winner_id) == (outcome, winner_id):
            return
        _keep_revision(locked, now)
    locked.outcome, locked.winner_id = outcome, winner_id
    locked.voted_at = locked.voted_at or now
    locked.updated_at, locked.withdrawn_at = now, None
    locked.save(update_fields=["outcome", "winner_id", "voted_at", "updated_at", "withdrawn_at"])


def _withdraw(comparison: Comparison, now: datetime) -> None:
    _keep_revision(comparison, now)
    comparison.withdrawn_at, comparison.updated_at = now, now
    comparison.save(update_fields=["withdrawn_at", "updated_at"])


def _keep_revision(comparison: Comparison, now: datetime) -> None:
    VoteRevision.objects.create(
        comparison=comparison,
        outcome=comparison.outcome,
        winner_id=comparison.winner_id,
        until=now,
    )


def _empty(comparison_ids: Iterable[UUID]) -> int:
    ids = list(comparison_ids)
    ComparedAnswer.objects.filter(comparison_id__in=ids).exclude(text="").update(text="")
    return Comparison.objects.filter(id__in=ids).exclude(prompt="").update(prompt="")
