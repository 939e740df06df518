"""What a pilot offers its raters, and which pages may show them the widget."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from apps.accounts.models import Person
from apps.feedback.words import checked_offer
from apps.pilots.models import Pilot
from apps.pilots.origins import checked_origins
from apps.pilots.trail import note, open_pilot


@transaction.atomic
def change_rating_settings(
    *,
    pilot: Pilot,
    rating_tags: Sequence[str],
    widget_origins: Sequence[str],
    now: datetime,
    actor: Person | None = None,
) -> Pilot:
    """Replace both lists; without tags the pages offer ours, without origins nobody shows it.

    Raises BadTag, NotAnOrigin, PilotClosed.
    """
    locked = open_pilot(pilot)
    fields = {
        "rating_tags": checked_offer(rating_tags),
        "widget_origins": checked_origins(widget_origins),
    }
    changed = {
        name: [getattr(locked, name), value]
        for name, value in fields.items()
        if getattr(locked, name) != value
    }
    for name, value in fields.items():
        setattr(locked, name, value)
    locked.save(update_fields=list(fields))
    if changed:
        note(locked, "ratings set up", actor, now, changed)
    return locked
