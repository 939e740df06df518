"""Ending a pilot's blindness before its time: logged, with a reason, and for good."""

from datetime import datetime
from typing import Final

from django.db import transaction

from apps.accounts.models import Person
from apps.pilots.happenings import happened
from apps.pilots.models import Pilot
from apps.pilots.trail import note, open_pilot

REASON_AT_MOST: Final = 180


class UnblindedAlready(Exception):
    """Everybody may know already."""


class NoReason(Exception):
    """Without a reason nobody could tell later whether it was right."""


@transaction.atomic
def unblind_pilot(
    *, pilot: Pilot, reason: str, now: datetime, actor: Person | None = None
) -> Pilot:
    """Let everybody know who answered whom, from now on and for all that was: for good.

    The reason stands in the pilot's log and in the audit trail.
    Raises PilotClosed, UnblindedAlready, NoReason.
    """
    locked = open_pilot(pilot)
    if locked.unblinded_at is not None:
        raise UnblindedAlready(locked.slug)
    said = " ".join(reason.split())[:REASON_AT_MOST]
    if not said:
        raise NoReason(locked.slug)
    locked.unblinded_at = now
    locked.save(update_fields=["unblinded_at"])
    happened(locked, f"Unblinded: {said}", now=now, actor=actor)
    note(locked, "pilot unblinded", actor, now, {"reason": said})
    return locked
