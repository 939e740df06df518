"""What people do with ratings. Each change marks the call's quarter-hour for a rebuild."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from apps.accounts.models import Person
from apps.changes.actions import mark_dirty
from apps.feedback.models import Rating, RatingRevision, WaitingRating
from apps.feedback.scales import WrongScale, is_score
from apps.feedback.words import checked_comment, checked_tags
from apps.pilots.models import Pilot
from apps.pilots.trail import PilotClosed
from apps.usage.models import Call

# Sources of answers that are judged otherwise, or that nobody reads.
NOT_RATED: Final = ("compare", "probe")


class CallNotRateable(Exception):
    """Only finished chat, edit and agent turns are rated; those compared are voted on."""


class NotYourCall(Exception):
    """Somebody else made this call."""


class NothingToWithdraw(Exception):
    """There is no rating of this person for this call, or it is withdrawn already."""


@transaction.atomic
def rate(
    *,
    call: Call,
    person: Person,
    score: int,
    scale: str,
    via: str,
    now: datetime,
    tags: Iterable[str] | None = None,
    comment: str | None = None,
) -> Rating:
    """Store what a person says of a call of their own; saying it again replaces it.

    None for tags or comment keeps what was said before; an empty comment erases the words, from the
    history too. What is older than what stands changes nothing.

    Raises NotYourCall, CallNotRateable, PilotClosed, WrongScale, BadTag, BadComment.
    """
    if call.person_id != person.id:
        raise NotYourCall(str(call.id))
    if not call.rateable or call.source in NOT_RATED:
        raise CallNotRateable(str(call.id))
    pilot = Pilot.objects.get(id=call.pilot_id)
    if pilot.closed_at is not None and pilot.closed_at <= now:
        raise PilotClosed(pilot.slug)
    if scale != pilot.rating_scale or not is_score(score, scale):
        raise WrongScale(f"{score} is not a score of this pilot's scale, {pilot.rating_scale}.")
    said = {
        "score": score,
        "scale": scale,
        **({} if tags is None else {"tags": checked_tags(tags)}),
        **({} if comment is None else {"comment": checked_comment(comment)}),
    }
    rating, is_new = Rating.objects.select_for_update().get_or_create(
        call_id=call.id,
        person=person,
        defaults={
            "call_admitted_at": call.admitted_at,
            "pilot_id": call.pilot_id,
            "candidate_id": call.candidate_id,
            "via": via,
            "rated_at": now,
            "updated_at": now,
            **said,
        },
    )
    if not is_new and not _change(rating, said, via=via, now=now):
        return rating
    WaitingRating.objects.filter(call_id=call.id, person=person, received_at__lte=now).delete()
    mark_dirty([call.admitted_at])
    return rating


def _change(rating: Rating, said: dict[str, object], *, via: str, now: datetime) -> bool:
    """Change a locked rating and keep what it said; False when nothing is new."""
    is_same = all(getattr(rating, name) == value for name, value in said.items())
    if rating.updated_at > now or (is_same and rating.withdrawn_at is None):
        return False
    if rating.withdrawn_at is None:
        _keep_revision(rating, now=now)
    for name, value in said.items():
        setattr(rating, name, value)
    rating.via, rating.updated_at, rating.withdrawn_at = via, now, None
    rating.save(update_fields=[*said, "via", "updated_at", "withdrawn_at"])
    if said.get("comment") == "":
        rating.revisions.exclude(comment="").update(comment="")
    return True


def _keep_revision(rating: Rating, *, now: datetime) -> None:
    RatingRevision.objects.create(
        rating=rating,
        score=rating.score,
        scale=rating.scale,
        tags=rating.tags,
        comment=rating.comment,
        until=now,
    )


@transaction.atomic
def withdraw(*, call_id: UUID, person: Person, now: datetime) -> None:
    """Take a rating back: it counts nowhere, and its words are erased, from the history too.

    Raises NothingToWithdraw.
    """
    waiting, _ = WaitingRating.objects.filter(call_id=call_id, person=person).delete()
    rating = (
        Rating.objects.select_for_update()
        .filter(call_id=call_id, person=person, withdrawn_at__isnull=True)
        .first()
    )
    if rating is not None:
        _withdraw(rating, now=now)
    elif not waiting:
        raise NothingToWithdraw(str(call_id))


@transaction.atomic
def withdraw_all(*, person: Person, now: datetime) -> int:
    """Take every rating of a person back; return how many there were."""
    WaitingRating.objects.filter(person=person).delete()
    ratings = (
        Rating.objects.select_for_update()
        .filter(person=person, withdrawn_at__isnull=True)
        .order_by("id")
    )
    for rating in ratings:
        _withdraw(rating, now=now)
    return len(ratings)


@transaction.atomic
def erase_words(*, person: Person) -> int:
    """Erase every comment and tag of a person, from the history too; the scores stay.

    Returns how many ratings had any.
    """
    said = Q(tags__len__gt=0) | ~Q(comment="")
    WaitingRating.objects.filter(person=person).update(comment="", tags=[])
    RatingRevision.objects.filter(rating__person=person).update(comment="", tags=[])
    return Rating.objects.filter(said, person=person).update(comment="", tags=[])


def _withdraw(rating: Rating, *, now: datetime) -> None:
    _keep_revision(rating, now=now)
    rating.revisions.update(comment="", tags=[])
    rating.comment, rating.tags = "", []
    rating.withdrawn_at, rating.updated_at = now, now
    rating.save(update_fields=["comment", "tags", "withdrawn_at", "updated_at"])
    mark_dirty([rating.call_admitted_at])
