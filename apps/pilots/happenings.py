"""What the product itself writes into a pilot's log of events."""

from datetime import datetime

from apps.accounts.models import Person
from apps.catalog.models import Candidate
from apps.pilots.models import Pilot, PilotEvent


def happened(
    pilot: Pilot,
    text: str,
    *,
    now: datetime,
    candidate: Candidate | None = None,
    actor: Person | None = None,
) -> PilotEvent:
    """Add an event that nobody typed. Developers read those that name no candidate in turn."""
    return PilotEvent.objects.create(
        pilot=pilot,
        at=now,
        text=text[:200],
        candidate=candidate,
        actor=actor,
        is_automatic=True,
    )
