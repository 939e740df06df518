"""What every change of a pilot needs: the pilot as it is now, and an entry in the audit trail."""

from collections.abc import Mapping
from datetime import datetime

from apps.accounts import audit
from apps.accounts.models import Person
from apps.changes.actions import routes_changed
from apps.pilots.models import Pilot


class PilotClosed(Exception):
    """The pilot is over; nothing in it changes any more."""


def open_pilot(pilot: Pilot) -> Pilot:
    """Return the pilot as it is now, locked until the end of the transaction.

    Raises PilotClosed.
    """
    locked = Pilot.objects.select_for_update().get(id=pilot.id)
    if locked.closed_at is not None:
        raise PilotClosed(locked.slug)
    return locked


def note(
    pilot: Pilot,
    action: str,
    actor: Person | None,
    now: datetime,
    detail: Mapping[str, object] | None = None,
) -> None:
    """Record who changed what, and have the routes published once this is committed."""
    audit.record(actor=actor, action=action, subject=f"pilot {pilot.slug}", detail=detail, now=now)
    routes_changed()
