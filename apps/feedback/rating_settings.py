"""What a pilot offers its raters, and which pages may show them the widget."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from apps.accounts.models import Person
from apps.feedback.words import checked_offer
from apps.pilots.models import Pilot
from apps.pilots.origins import checked_origins
from apps.pilots.plans import choose_privacy
from apps.pilots.trail import open_pilot


@transaction.atomic
def change_rating_settings(
    *,
    pilot: Pilot,
    rating_tags: Sequence[str],
    widget_origins: Sequence[str],
    now: datetime,
    actor: Person | None = None,
) -> None:
    """Replace both lists; without tags the pages offer ours, without origins nobody shows it.

    What else the plan's step on people and privacy sets stays: it is stored by the same action.

    Raises BadTag, NotAnOrigin, PilotClosed.
    """
    locked = open_pilot(pilot)
    kept = ("people_named", "rating_scale", "daily_question", "pulse_questions", "sample_share")
    choose_privacy(
        pilot=locked,
        rating_tags=checked_offer(rating_tags),
        widget_origins=checked_origins(widget_origins),
        now=now,
        actor=actor,
        **{name: getattr(locked, name) for name in kept},
    )
