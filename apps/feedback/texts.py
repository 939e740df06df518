"""The words of a pilot's questions. Changing them between answers makes those hard to compare."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from apps.accounts.models import Person
from apps.pilots.models import Pilot
from apps.pilots.trail import note, open_pilot


@transaction.atomic
def change_questions(
    *,
    pilot: Pilot,
    daily: str,
    pulse: Sequence[str],
    sample_share: Decimal,
    actor: Person | None,
    now: datetime,
) -> Pilot:
    """Store what a pilot asks; empty texts stand for ours. Raises PilotClosed."""
    locked = open_pilot(pilot)
    before = (locked.daily_question, list(locked.pulse_questions), locked.sample_share)
    after = (daily, list(pulse) if any(pulse) else [], sample_share)
    if before == after:
        return locked
    locked.daily_question, locked.pulse_questions, locked.sample_share = after
    locked.save(update_fields=["daily_question", "pulse_questions", "sample_share"])
    names = ("daily_question", "pulse_questions", "sample_share")
    changes = zip(names, before, after, strict=True)
    changed = {name: [old, new] for name, old, new in changes if old != new}
    note(locked, "questions changed", actor, now, changed)
    return locked
