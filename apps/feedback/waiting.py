"""Ratings that came before their call was stored. They wait for it, but not for long."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction

from apps.accounts.models import Person
from apps.feedback.actions import CallNotRateable, NotYourCall, rate
from apps.feedback.models import WaitingRating
from apps.feedback.scales import WrongScale
from apps.feedback.words import checked_comment, checked_tags
from apps.pilots.models import Pilot
from apps.pilots.trail import PilotClosed
from apps.usage.models import Call

WAITS_FOR: Final = timedelta(hours=24)
MOST_PER_PERSON: Final = 100
BATCH: Final = 500


class TooManyWaiting(Exception):
    """So many answers are never under way at once: these ids are made up."""


@transaction.atomic
def wait_for_call(
    *,
    call_id: UUID,
    pilot: Pilot,
    person: Person,
    score: int,
    via: str,
    now: datetime,
    tags: list[str] | None = None,
    comment: str | None = None,
) -> WaitingRating:
    """Keep a rating until its call is stored; the latest one counts.

    Raises TooManyWaiting, PilotClosed, BadTag, BadComment.
    """
    if pilot.closed_at is not None and pilot.closed_at <= now:
        raise PilotClosed(pilot.slug)
    others = WaitingRating.objects.filter(person=person).exclude(call_id=call_id)
    if others.count() >= MOST_PER_PERSON:
        raise TooManyWaiting(str(person.id))
    said: dict[str, object] = {"score": score, "scale": pilot.rating_scale}
    if tags is not None:
        said["tags"] = checked_tags(tags)
    if comment is not None:
        said["comment"] = checked_comment(comment)
    rating, _ = WaitingRating.objects.update_or_create(
        call_id=call_id,
        person=person,
        defaults=said | {"pilot_id": pilot.id, "via": via, "received_at": now},
    )
    return rating


def attach_waiting(*, now: datetime) -> int:
    """Attach what waits to calls that have been stored since; return how many.

    What waited for a day, for a call of somebody else or for one that is not rateable is forgotten.
    """
    WaitingRating.objects.filter(received_at__lte=now - WAITS_FOR).delete()
    waiting = list(WaitingRating.objects.order_by("id").values_list("id", "call_id"))
    attached = 0
    for start in range(0, len(waiting), BATCH):
        batch = waiting[start : start + BATCH]
        calls = Call.objects.in_bulk([call_id for _, call_id in batch])
        for waiting_id, call_id in batch:
            if call_id in calls:
                attached += _attach(waiting_id, calls[call_id])
    return attached


@transaction.atomic
def _attach(waiting_id: int, call: Call) -> bool:
    # Another worker may be at it: the row lock says who attaches.
    waiting = (
        WaitingRating.objects.select_for_update(skip_locked=True, of=("self",))
        .select_related("person")
        .filter(id=waiting_id, call_id=call.id)
        .first()
    )
    if waiting is None:
        return False
    try:
        if waiting.pilot_id != call.pilot_id:
            raise NotYourCall(str(call.id))
        rate(
            call=call,
            person=waiting.person,
            score=waiting.score,
            scale=waiting.scale,
            # Nothing said is nothing to replace: another rating may have come in meanwhile.
            tags=waiting.tags or None,
            comment=waiting.comment or None,
            via=waiting.via,
            now=waiting.received_at,
        )
    except (NotYourCall, CallNotRateable, PilotClosed, WrongScale):
        is_attached = False
    else:
        is_attached = True
    waiting.delete()
    return is_attached
